"""The office's pages about permit types."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as Checkboxes

from opscom.core.admin import SettingAdmin
from opscom.core.money import format_money
from permits.models import (
    PermitType,
    PermitValidity,
)
from permits.office_forms import PermitTypeForm, ValidityForm


class ValidityInline(StackedInline):
    """Where and when beyond its own lot."""

    model = PermitValidity
    form = ValidityForm
    extra = 0

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, widget=Checkboxes(), **kwargs)


ENDING = ["may_end_early", "early_end_fee"]
REPLACEMENT_CARS = ["replacement_car_days", "replacement_cars_per_year"]


@admin.register(PermitType)
class PermitTypeAdmin(SettingAdmin):
    """What is sold: price, length, and who may have it."""

    form = PermitTypeForm
    list_display = ["name", "code", "net", "term_kind", "max_per_person", "is_active"]
    list_filter = ["is_active", "term_kind"]
    search_fields = ["code", "name"]
    inlines = [ValidityInline]
    fieldsets = [
        (None, {"fields": ["code", "name", "description", "is_active"]}),
        (_("Price and length"), {"fields": ["price", "taxes", "is_valid_when_promised", "term_kind", "months"]}),
        (_("Who may have it"), {"fields": ["user_types", "vehicle_kinds", "max_vehicles"]}),
        (
            _("Temporary permits"),
            {"fields": ["is_by_dates", "is_by_hours", "most_hours", "days_ahead", "rate_table", "is_for_guests"]},
        ),
        (_("Bought late, a second one, ended early"), {"fields": ["proration", "second_price", *ENDING]}),
        (_("Changes while it runs"), {"fields": ["may_change_vehicles", "replacement_fee", *REPLACEMENT_CARS]}),
        (_("Limits"), {"fields": ["limit_group", "max_per_person", "hold_minutes", "max_prints"]}),
    ]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, widget=Checkboxes(), **kwargs)

    @display(description=_("price without tax"), ordering="price")
    def net(self, kind: PermitType) -> str:
        return format_money(kind.price)
