"""What time costs: rate tables with their rates."""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline

from opscom.core.admin import SettingAdmin
from opscom.provider.forms import weekday_field
from payments.models import Rate, RateTable


class RateForm(forms.ModelForm):
    """One rate, with checkboxes for its weekdays."""

    days_of_week = weekday_field(label=_("Weekdays"), required=False, help_text=_("None ticked means every day."))


class RateInline(StackedInline):
    """The rates, in the order in which they count."""

    model = Rate
    form = RateForm
    extra = 0
    fields = [
        ("position", "rate"),
        ("rate_unit", "increment_duration"),
        "days_of_week",
        ("time_of_day_start", "time_of_day_end"),
        ("start_duration", "end_duration"),
    ]


@admin.register(RateTable)
class RateTableAdmin(SettingAdmin):
    """Prices of time. What was sold keeps its price."""

    list_display = ["name", "code", "maximum_fee", "rate_unit_period"]
    search_fields = ["code", "name"]
    fields = ["code", "name", "maximum_fee", "rate_unit_period"]
    inlines = [RateInline]
