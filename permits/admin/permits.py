"""The office's pages about permits."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from accounts.models import User
from opscom.core.admin import NothingToTypeForm, ReadOnlyAdmin, act_on_each, render_ask_page
from opscom.core.money import format_money
from permits.admin.changes import ChangesPermits, NumberChangeInline, PartOfPermit, ReplacementCarInline
from permits.models import (
    Permit,
    PermitPrint,
    PermitStatus,
    PermitVehicle,
)
from permits.services.documents import allow_another_print
from vehicles.plates import normalise_plate

PERMIT_TONES = {
    PermitStatus.RESERVED: "info",
    PermitStatus.ACTIVE: "success",
    PermitStatus.ENDED: "default",
    PermitStatus.LAPSED: "warning",
    PermitStatus.CANCELLED: "default",
    PermitStatus.REVOKED: "danger",
}


class VehicleInline(PartOfPermit):
    """The vehicles that may use the permit."""

    model = PermitVehicle
    fields = ["vehicle"]
    verbose_name_plural = _("vehicles")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PermitVehicle]:
        return super().get_queryset(request).select_related("vehicle")


class PrintInline(PartOfPermit):
    """When it was printed, and by whom."""

    model = PermitPrint
    fields = ["ordinal", "printed_at", "printed_by"]


@admin.register(Permit)
class PermitAdmin(ChangesPermits, ReadOnlyAdmin):
    """Who holds which number, where, and until when."""

    list_display = ["number", "holder", "lot", "permit_type", "state", "plates", "valid_from", "valid_until"]
    list_filter = ["status", "is_temporary", "sale__lot", "sale__permit_type", "sale__term"]
    list_select_related = ["holder", "sale__lot", "sale__permit_type"]
    ordering = ["-pk"]
    search_fields = ["number"]
    search_help_text = _("Permit number, holder's name or e-mail, plate (spaces and dashes do not matter)")
    fields = [
        "number",
        "holder",
        "guest_email",
        "lot",
        "permit_type",
        "sale",
        "status",
        "valid_from",
        "valid_until",
        "net_part",
    ]
    fields += [
        "reserved_at",
        "held_until",
        "activated_at",
        "closed_at",
        "suspended_at",
        "suspension_reason",
        "extra_prints",
    ]
    readonly_fields = fields
    inlines = [VehicleInline, ReplacementCarInline, NumberChangeInline, PrintInline]
    actions = ["allow_print"]
    actions_detail = ["allow_print_here", *ChangesPermits.ACTIONS]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Permit]:
        return super().get_queryset(request).prefetch_related("vehicle_links__vehicle")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Permit], search_term: str
    ) -> tuple[QuerySet[Permit], bool]:
        return (queryset.filter(matching(search_term)) if search_term.strip() else queryset), False

    @display(description=_("lot"))
    def lot(self, permit: Permit) -> str:
        return str(permit.lot)

    @display(description=_("permit type"))
    def permit_type(self, permit: Permit) -> str:
        return str(permit.permit_type)

    @display(description=_("price without tax"))
    def net_part(self, permit: Permit) -> str:
        return format_money(permit.net)

    @display(description=_("status"), ordering="status", label=PERMIT_TONES)
    def state(self, permit: Permit) -> tuple[str, str]:
        return permit.status, permit.get_status_display()

    @display(description=_("plates"))
    def plates(self, permit: Permit) -> str:
        return ", ".join(str(link.vehicle) for link in permit.vehicle_links.all())

    def has_print_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("permits.change_permit")

    @admin.action(description=_("Allow another print"), permissions=["print"])
    def allow_print(self, request: HttpRequest, queryset: QuerySet[Permit]) -> None:
        act_on_each(
            request,
            queryset,
            lambda permit: allow_another_print(permit=permit, actor=cast(User, request.user)),
            lambda count: (
                ngettext(
                    "%(count)d permit may be printed once more.", "%(count)d permits may be printed once more.", count
                )
                % {"count": count}
            ),
        )

    @action(description=_("Allow another print"), url_path="allow-print", permissions=["print"], icon="print")
    def allow_print_here(self, request: HttpRequest, object_id: str) -> HttpResponse:
        permit = get_object_or_404(self.get_queryset(request), pk=object_id)
        back = reverse("admin:permits_permit_change", args=[permit.pk])
        if request.method == "POST":
            self.allow_print(request, Permit.objects.filter(pk=permit.pk))
            return redirect(back)
        facts = [
            (_("permit"), permit.number),
            (_("holder"), permit.holder),
            (_("printed so far"), permit.prints.count()),
        ]
        title = _("Allow another print")
        return render_ask_page(
            self, request, title=title, form=NothingToTypeForm(), facts=facts, submit=title, original=permit, back=back
        )


def matching(term: str) -> Q:
    """Return the condition for what the office types: the number's beginning, words of the holder's name, or a plate."""
    person = Q()
    for word in term.split():
        person &= (
            Q(holder__last_name__icontains=word)
            | Q(holder__first_name__icontains=word)
            | Q(holder__email__icontains=word)
        )
    key = normalise_plate(term)
    found = person | Q(number__istartswith=term.strip())
    if not key:
        return found
    # A sub-query, because a join would show a permit with two such plates twice.
    return found | Q(Exists(PermitVehicle.objects.filter(permit=OuterRef("pk"), vehicle__plate_key__contains=key)))
