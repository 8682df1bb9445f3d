"""Lockers in the cart: what payments asks of every product."""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lockers.locking import KIND
from lockers.models import Locker, Rental, RentalStatus
from lockers.services import delivering, holding
from lockers.words import describe_dates
from opscom.core.errors import Refused
from opscom.core.locks import lock_rows
from opscom.provider.selectors import get_provider
from payments.models import DepositStatus, Order, PromiseStatus
from payments.purchasables import Done, Quote, TaxPart


class LockerPurchase:
    """A rental is owed once, for its one term; `object_id` is its row."""

    kind = KIND
    is_held = True
    label = gettext_lazy("Lockers")

    def list_due(self, payer: Any) -> list[Quote]:
        """Return the payer's reservations that still hold, the one that ends first on top."""
        if not get_provider().is_lockers_on:
            # Every page asks for what is held: who lets no lockers pays no query for them.
            return []
        # What is promised is due in its own order.
        return [_quote(rental) for rental in _payable(payer).filter(promised_until=None).order_by("held_until")]

    def quote(self, object_ids: Collection[int], *, payer: Any, lock: bool) -> list[Quote]:
        """Return quotes of the payer's reservations among these; `lock` locks their lockers first."""
        rentals = _payable(payer).filter(pk__in=object_ids)
        if lock:
            rented = Rental.objects.filter(pk__in=object_ids).values("locker")
            lock_rows(Locker.objects.filter(pk__in=rented), "product", KIND)
        return [_quote(rental) for rental in rentals.order_by("pk")]

    def hold(self, object_ids: Collection[int], *, until: dt.datetime) -> None:
        """Keep the lockers while the payer is at the bank."""
        holding.hold_for_gateway(rental_ids=list(object_ids), until=until)

    def promise(self, object_ids: Collection[int], *, order: Order, until: dt.datetime) -> None:
        """Keep the lockers until the money is brought."""
        delivering.promise_rentals(rental_ids=list(object_ids), until=until)

    def end_promise(self, object_ids: Collection[int], *, order: Order) -> None:
        """Free the lockers; late money may still get them."""
        has_lapsed = order.promise.status == PromiseStatus.LAPSED
        to = RentalStatus.LAPSED if has_lapsed else RentalStatus.CANCELLED
        delivering.end_promised_rentals(rental_ids=list(object_ids), to=to)

    def fulfil(self, object_id: int, *, order: Order) -> Done | Refused:
        """Let the rental begin."""
        return delivering.activate_rental(rental_id=object_id, order=order)

    def release(self, object_id: int, *, order: Order) -> None:
        """End the rental."""
        delivering.take_back_rental(rental_id=object_id, order=order)


def _payable(payer: Any) -> Any:
    held = Rental.objects.filter(renter=payer, status=RentalStatus.RESERVED, held_until__gt=timezone.now())
    return held.select_related("locker", "sale__term", "sale__area__building", "sale__area__account_code", "deposit")


def _quote(rental: Rental) -> Quote:
    area, deposit = rental.sale.area, rental.deposit
    is_open = rental.promised_until is None
    return Quote(
        kind=KIND,
        object_id=rental.pk,
        label=_("Locker %(number)s · %(area)s") % {"number": rental.locker, "area": area},
        detail=describe_dates(rental),
        net=rental.net,
        taxes=[TaxPart(t["name"], t["number"], Decimal(t["percent"]), Decimal(t["amount"])) for t in rental.taxes],
        account_code=area.account_code.code if area.account_code else "",
        exemption_number=rental.exemption_number,
        held_until=rental.promised_until or rental.held_until,
        url=reverse("lockers:detail", args=[rental.code]),
        give_back_url=reverse("lockers:give-back", args=[rental.code]) if is_open else "",
        extend_url=reverse("lockers:extend", args=[rental.code]) if is_open and not rental.was_extended else "",
        must_pay_with=[("deposit", deposit.pk)] if deposit and deposit.status == DepositStatus.DUE else [],
        promise_note=_("Held for you; it is yours to use when the money is in."),
        promise_before=rental.ends_at,
    )
