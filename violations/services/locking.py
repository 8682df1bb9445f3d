"""The locks that every deed about a ticket takes, in the house's order: the paid order first, then the ticket."""

from django.utils.translation import gettext as _

from opscom.core.errors import Stale
from opscom.core.locks import lock_row
from payments.models import Order, OrderLine
from violations.models import Ticket

KIND = "ticket"


def lock_ticket(pk: int) -> Ticket:
    """Lock the ticket until the transaction ends: its appeals, links and files change only under this lock."""
    return lock_row(Ticket.objects.select_related("offence").filter(pk=pk), "product", KIND)


def lock_with_money(pk: int) -> tuple[Ticket, OrderLine | None]:
    """Lock the order that paid the ticket, if any, then the ticket; return it with the line that paid it.

    Raises Stale when it was paid between the two locks.
    """
    line = paid_line(pk)
    if line:
        lock_row(Order.objects.filter(pk=line.order_id), "order")
    ticket = lock_ticket(pk)
    now = paid_line(pk)
    if (now and now.pk) != (line and line.pk):
        raise Stale(_("This ticket was paid at this very moment. Please look at it again."))
    return ticket, now


def paid_line(pk: int) -> OrderLine | None:
    """Return the line that holds the ticket as paid, delivered or not."""
    paid = OrderLine.objects.filter(kind=KIND, object_id=pk, settled=True)
    return paid.select_related("order__payer").first()
