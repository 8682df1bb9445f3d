"""The provider's settings, words, dates and lots."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from opscom.core.admin import SettingAdmin
from opscom.provider import services
from opscom.provider.forms import DisclaimerForm, FreeHoursForm, ProviderForm
from opscom.provider.models import Disclaimer, FreeHours, Holiday, Lot, Provider, Term
from opscom.provider.selectors import get_provider


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):
    """One row: the list leads to it."""

    form = ProviderForm
    fieldsets = [
        (_("Name and look"), {"fields": ["name", "short_name", "logo", "colour"]}),
        (_("Contact"), {"fields": ["phone", "email", "address", "opening_hours"]}),
        (_("Office hours"), {"fields": ["office_weekdays", "office_opens", "office_closes"]}),
        (
            _("Place, language and money"),
            {
                "fields": [
                    "time_zone",
                    "first_weekday",
                    "languages",
                    "home_country",
                    "home_region",
                    "currency",
                    "prices_include_tax",
                ]
            },
        ),
        (_("Registration"), {"fields": ["is_registration_open", "registration_mode", "password_link_hours"]}),
        (_("Sign-in and accounts"), {"fields": ["mfa", "is_email_preferences_on", "is_document_upload_on"]}),
        (_("Vehicles"), {"fields": ["is_vehicle_deletion_on", "vehicle_fields"]}),
        (_("Permits"), {"fields": ["oversell_percent", "reprint_minutes"]}),
        (
            _("Waitlists"),
            {
                "fields": [
                    "is_waitlist_only_when_full",
                    "is_waitlist_rank_shown",
                    "is_waitlist_managed",
                    "waitlist_emails",
                    "waitlist_offer_days",
                    "refunds_on_exchange",
                ]
            },
        ),
        (_("History"), {"fields": ["history_months"]}),
        (_("Payments"), {"fields": ["refund_frees", "refund_second_person_above", "card_consent"]}),
        (
            _("Tickets"),
            {
                "fields": [
                    "ticket_prefix",
                    "is_guest_payment_on",
                    "discount_notice_days",
                    "bars_payment_in_collections",
                    "overdue_hold_above",
                    "is_boots_on",
                ]
            },
        ),
        (_("Lockers"), {"fields": ["is_lockers_on"]}),
        (
            _("Appeals"),
            {
                "fields": [
                    "is_appeals_on",
                    "is_appeal_evidence_on",
                    "appeal_email",
                    "decision_days",
                    "removes_discount_on_appeal",
                    "restarts_appeal_on_association",
                ]
            },
        ),
    ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("admin:provider_provider_change", get_provider().pk)

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        services.save_provider(provider=obj, actor=request.user, changed=form.changed_data)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Provider | None = None) -> bool:
        return False


@admin.register(Disclaimer)
class DisclaimerAdmin(ModelAdmin):
    """Three rows; an empty text is not asked. A changed text is asked again of everyone."""

    form = DisclaimerForm
    list_display = ["kind", "version"]
    fields = ["kind", "text", "version"]
    readonly_fields = ["kind", "version"]

    def save_model(self, request: HttpRequest, obj: Disclaimer, form: Any, change: bool) -> None:
        row = services.save_disclaimer(disclaimer=obj, text=form.cleaned_data["text"], actor=request.user)
        obj.version = row.version

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Disclaimer | None = None) -> bool:
        return False


@admin.register(Term)
class TermAdmin(SettingAdmin):
    """Dates that sales and lists point at."""

    list_display = ["name", "starts_on", "ends_on"]
    date_hierarchy = "starts_on"


@admin.register(Holiday)
class HolidayAdmin(SettingAdmin):
    """Days on which the office is closed; they stand in every page's footer, so the cached list is forgotten."""

    list_display = ["on", "name"]
    date_hierarchy = "on"

    def save_model(self, request: HttpRequest, obj: Holiday, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        services.forget_on_commit()

    def delete_model(self, request: HttpRequest, obj: Holiday) -> None:
        super().delete_model(request, obj)
        services.forget_on_commit()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset)
        services.forget_on_commit()


class FreeHoursInline(TabularInline):
    """When nobody needs a permit here."""

    model = FreeHours
    form = FreeHoursForm
    extra = 0


@admin.register(Lot)
class LotAdmin(SettingAdmin):
    """The places to park."""

    list_display = ["code", "name", "stalls", "is_visible", "position"]
    list_filter = ["is_visible"]
    search_fields = ["code", "name"]
    fields = ["code", "name", "place", "description", "stalls", "temporary_spaces"]
    fields += ["is_visible", "is_waitlist_on", "position"]
    inlines = [FreeHoursInline]
