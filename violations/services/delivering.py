"""A ticket is paid, or its money goes back."""

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import Refused
from opscom.core.money import ZERO
from opscom.core.transitions import advance
from payments.models import LineStatus, Order, OrderLine, RefundReason
from payments.purchasables import Done
from payments.services.refunding import give_back
from violations.costing import cost_at
from violations.models import TICKET_MOVES, UNPAID, Ticket, TicketStatus
from violations.services.locking import KIND, lock_ticket
from violations.services.overdue import look_at_hold
from violations.services.steps import plan_next_step


def settle_ticket(*, ticket_id: int, order: Order) -> Done | Refused:
    """Count the ticket as paid, once; the caller holds the order's lock. An appeal that runs goes on.

    Refused, to be refunded: cancelled or voided meanwhile. Lowered meanwhile: what was paid too much goes back.
    """
    ticket = lock_ticket(ticket_id)
    if ticket.status in UNPAID:
        advance(ticket, TicketStatus.PAID, table=TICKET_MOVES, closed_at=timezone.now(), next_step_on=None)
        audit.record("ticket.paid", ticket, actor=order.payer, order=order.code)
        line = order.lines.select_related("order").get(kind=KIND, object_id=ticket_id)
        # What it costs only ever rises, except by a decision: dearer than now means that it was lowered meanwhile.
        give_back_excess(ticket, line, actor=None)
        look_at_hold(ticket)
    elif ticket.status != TicketStatus.PAID:
        return Refused("cancelled", _("The ticket was cancelled before the payment arrived."))
    return Done()


def release_ticket(*, ticket_id: int) -> None:
    """Its money goes back: it is to be paid again, unless that is because it was cancelled."""
    ticket = lock_ticket(ticket_id)
    if ticket.status == TicketStatus.PAID:
        advance(ticket, TicketStatus.OPEN, table=TICKET_MOVES, closed_at=None)
        audit.record("ticket.reopened", ticket)
        plan_next_step(ticket)
        look_at_hold(ticket)


def give_back_excess(ticket: Ticket, line: OrderLine, *, actor: User | None) -> None:
    """Give back what was paid beyond what the ticket costs: all of it once it is cancelled. Order and ticket are locked."""
    is_cancelled = ticket.status == TicketStatus.CANCELLED
    if is_cancelled and line.status != LineStatus.FULFILLED:
        # Not delivered yet: `settle_ticket` will refuse it, and then all of it goes back, with nobody asked.
        return
    excess = line.kept - (ZERO if is_cancelled else cost_at(ticket))
    payment = line.order.paying_payment
    if excess <= 0 or payment is None:
        return
    give_back(
        line=line,
        payment=payment,
        amount=excess,
        reason=RefundReason.ADJUSTED,
        actor=actor,
        note=_("Ticket %(number)s") % {"number": ticket.number},
        frees=is_cancelled,
    )
