"""Tickets in the cart: what payments asks of every product."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from opscom.core.errors import Refused
from opscom.core.locks import lock_rows
from opscom.core.money import ZERO
from opscom.provider.selectors import local_date
from payments.models import Order
from payments.purchasables import Done, Quote
from violations.costing import cost_at
from violations.models import Ticket, TicketQuerySet
from violations.rules import payment_lock
from violations.services.booting import RELEASE_KIND
from violations.services.delivering import release_ticket, settle_ticket
from violations.services.locking import KIND


class TicketPurchase:
    """A ticket is owed once; `object_id` is its row. Its price is what it costs at this instant."""

    kind = KIND
    is_held = False
    label = gettext_lazy("Tickets")

    def list_due(self, payer: Any) -> list[Quote]:
        """Return what the payer owes, and may pay for a vehicle that is linked to them, the oldest first."""
        tickets = self._payable(payer).with_reviews().order_by("issued_at", "pk")
        return [quote for ticket in tickets if (quote := quote_ticket(ticket, payer)).net > ZERO]

    def quote(self, object_ids: Collection[int], *, payer: Any, lock: bool) -> list[Quote]:
        """Return quotes of those that this payer may pay; `lock` locks them first.

        A guest may pay any: whoever leads a guest here has seen the number with its PIN, or the long code.
        """
        tickets = self._payable(payer).filter(pk__in=object_ids)
        rows = lock_rows(tickets.select_related("offence", "lot"), "product", KIND) if lock else tickets.with_reviews()
        return [quote for ticket in rows if (quote := quote_ticket(ticket, payer)).net > ZERO]

    def hold(self, object_ids: Collection[int], *, until: dt.datetime) -> None:
        """A ticket does not run away, and a payment that has begun is counted at the price at which it began."""

    def promise(self, object_ids: Collection[int], *, order: Order, until: dt.datetime) -> None:
        """It stays due, in the promised order, at the price at which it was promised."""

    def end_promise(self, object_ids: Collection[int], *, order: Order) -> None:
        """It is still due, at what it costs by now."""

    def fulfil(self, object_id: int, *, order: Order) -> Done | Refused:
        """Count it as paid."""
        return settle_ticket(ticket_id=object_id, order=order)

    def release(self, object_id: int, *, order: Order) -> None:
        """It is to be paid again."""
        release_ticket(ticket_id=object_id)

    def _payable(self, payer: Any) -> TicketQuerySet:
        return Ticket.objects.unpaid() if payer is None else Ticket.objects.payable_by(payer)


def quote_ticket(ticket: Ticket, payer: Any) -> Quote:
    """Return what the ticket costs now, and why it may not be paid, if so; a guest comes back by the long code."""
    own, guest = reverse("violations:ticket", args=[ticket.code]), reverse("guest:ticket", args=[ticket.pay_code])
    day = date_format(local_date(ticket.occurred_at), "DATE_FORMAT")
    return Quote(
        kind=KIND,
        object_id=ticket.pk,
        label=_("Ticket %(number)s") % {"number": ticket.number},
        detail=f"{ticket.offence.description} · {ticket.vehicle_label} · {day}",
        net=cost_at(ticket),
        url=guest if payer is None else own,
        lock_reason=payment_lock(ticket),
        # A promise never releases a boot.
        is_payable_by_promise=ticket.booted_at is None,
        must_pay_with=[(RELEASE_KIND, ticket.release_id)] if ticket.release_id else [],
        seal=_("A boot is on the vehicle. It is released when this is paid.") if ticket.booted_at else "",
        promise_note=_("It costs what it costs today, if the money is in by the last day to pay."),
    )
