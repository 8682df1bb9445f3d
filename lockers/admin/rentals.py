"""Who rents which locker."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from lockers.admin.forms import SwitchForm
from lockers.models import LIVE, Locker, Rental, RentalStatus
from lockers.services import holding, managing
from lockers.words import describe_dates
from opscom.core.admin import NothingToTypeForm, ReadOnlyAdmin, posted
from payments.admin.shared import AsksOffice, link_to, money_column, status_column

RENTAL_TONES = {
    RentalStatus.RESERVED: "info",
    RentalStatus.ACTIVE: "success",
    RentalStatus.ENDED: "default",
    RentalStatus.LAPSED: "warning",
    RentalStatus.CANCELLED: "default",
}


@admin.register(Rental)
class RentalAdmin(AsksOffice, ReadOnlyAdmin):
    """Rentals with their state: the office switches and releases; money goes back from the order's page."""

    list_display = ["locker", "area", "renter", "state", "starts_at", "ends_at", "held_until"]
    list_filter = ["status", "sale__area", "sale__term"]
    list_select_related = ["locker__area", "renter", "sale__area", "sale__term"]
    search_fields = ["locker__number", "renter__email", "renter__last_name", "code"]
    fields = ["locker", "area", "renter", "sale", "status", "starts_at", "ends_at", "price", "deposit_link", "renews"]
    fields += ["reserved_at", "held_until", "promised_until", "activated_at", "reminded_at", "closed_at"]
    readonly_fields = fields
    actions_detail = ["switch", "release"]
    state = status_column(RENTAL_TONES)
    price = money_column("net", _("price without tax"))

    @display(description=_("area"))
    def area(self, rental: Rental) -> str:
        return str(rental.locker.area)

    @display(description=_("deposit"))
    def deposit_link(self, rental: Rental) -> Any:
        return link_to(rental.deposit)

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("lockers.change_rental")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        rental = Rental.objects.filter(pk=object_id).first()
        offered: set[str] = set()
        if rental and rental.status in LIVE:
            offered = {"switch", "release"}
        return [one for one in super().get_actions_detail(request, object_id) if one.method.__name__ in offered]

    @action(description=_("Switch the locker"), url_path="switch", permissions=["act"], icon="swap_horiz")
    def switch(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rental = find(object_id)
        return self.ask_plain(
            request,
            rental,
            SwitchForm(posted(request), lockers=_targets(rental)),
            lambda who, values: managing.switch_locker(
                rental=rental, to=values["locker"], actor=who, reason=values["reason"]
            ),
            _("The renter has another locker, and was told by e-mail."),
            title=_("Switch the locker"),
            facts=facts(rental),
            submit=gettext("Switch"),
        )

    @action(description=_("Release the locker"), url_path="release", permissions=["act"], icon="lock_open")
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rental = find(object_id)
        is_active = rental.status == RentalStatus.ACTIVE
        end = holding.leave_early if is_active else holding.give_back
        return self.ask_plain(
            request,
            rental,
            NothingToTypeForm(posted(request)),
            lambda who, values: end(rental=rental, actor=who),
            _("The locker is released."),
            title=_("Release the locker"),
            facts=facts(rental),
            warning=gettext("The rental ends now. Money goes back from the order's page.") if is_active else "",
            is_danger=True,
            submit=gettext("Release it"),
        )


def _targets(rental: Rental) -> QuerySet[Locker]:
    """Return the lockers of the area that are whole and empty, and that nobody has in that time."""
    taken = Rental.objects.live().filter(starts_at__lt=rental.ends_at, ends_at__gt=rental.starts_at)
    lockers = Locker.objects.filter(area=rental.locker.area_id, out_of_order="", to_empty_since=None)
    return lockers.exclude(pk__in=taken.values("locker"))


def find(object_id: str) -> Rental:
    """Return the rental, or answer 404."""
    return get_object_or_404(Rental.objects.select_related("locker__area", "renter", "sale__area"), pk=object_id)


def facts(rental: Rental) -> list[tuple[Any, Any]]:
    """Return what names a rental on a page that asks."""
    return [
        (_("Locker"), rental.locker),
        (_("Area"), rental.locker.area),
        (_("Renter"), rental.renter),
        (_("Dates"), describe_dates(rental)),
    ]
