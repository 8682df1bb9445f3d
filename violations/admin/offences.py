"""What tickets may be for, and what it costs; the office's words for its answers."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from opscom.core.admin import SettingAdmin
from opscom.core.money import ZERO, format_money
from violations.models import LateFee, Offence, OffenceCategory, OffenceStep, TextBlock


class NeverDeleted(SettingAdmin):
    """Archived, never deleted: tickets refer to it."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(OffenceCategory)
class OffenceCategoryAdmin(NeverDeleted):
    """Groups of offences."""

    list_display = ["name", "applies_to", "is_on_handhelds", "is_archived", "position"]
    list_filter = ["is_archived"]


class LateFeeInline(TabularInline):
    """What is added after so many days."""

    model = LateFee
    extra = 0


class StepInline(TabularInline):
    """The fine from the n-th offence on."""

    model = OffenceStep
    extra = 0


class OffenceForm(forms.ModelForm):
    """A rule that can be meant."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        fine, fee, discount = (data.get(name) or ZERO for name in ("fine", "fee", "discount"))
        if discount and discount >= fine + fee:
            self.add_error(
                "discount", gettext("Something must be left to pay: the discount is less than fine and fee.")
            )
        days, due = data.get("discount_days") or 0, data.get("due_days") or 0
        if days > due:
            self.add_error("discount_days", gettext("The discount ends before the ticket is overdue."))
        return data


@admin.register(Offence)
class OffenceAdmin(NeverDeleted):
    """Offences with their rule. A ticket keeps the rule as it stood when it was issued."""

    form = OffenceForm
    list_display = ["code", "description", "category", "sum", "due_days", "appeal_days", "is_archived"]
    list_filter = ["category", "is_archived", "is_boot_eligible"]
    list_select_related = ["category"]
    search_fields = ["code", "by_law", "description"]
    inlines = [LateFeeInline, StepInline]
    fieldsets = [
        (None, {"fields": ["code", "category", "by_law", "description"]}),
        (
            _("What it costs, and when"),
            {"fields": ["fine", "is_adjustable", "fee", "discount", "discount_days", "due_days", "appeal_days"]},
        ),
        (_("Repeat offences"), {"fields": ["repeat_days", "is_first_a_warning"]}),
        (_("Rules"), {"fields": ["grace_days", "is_boot_eligible", "is_archived", "position"]}),
    ]

    @display(description=_("fine"), ordering="fine")
    def sum(self, offence: Offence) -> str:
        return format_money(offence.fine)

    def save_model(self, request: HttpRequest, obj: Offence, form: Any, change: bool) -> None:
        """Warn of a rule that cannot be meant: overdue before its days to appeal end."""
        super().save_model(request, obj, form, change)
        if obj.due_days < obj.appeal_days:
            words = gettext(
                "A ticket for this offence is overdue after %(due)d days, and an overdue ticket cannot be appealed: of its "
                "%(appeal)d days to appeal the last ones are lost."
            )
            messages.warning(request, words % {"due": obj.due_days, "appeal": obj.appeal_days})


@admin.register(TextBlock)
class TextBlockAdmin(SettingAdmin):
    """Words for answers, in each language."""

    list_display = ["name", "text", "is_active", "position"]
    list_filter = ["is_active"]
    search_fields = ["name"]
