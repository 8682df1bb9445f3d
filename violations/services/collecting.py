"""Overdue tickets go to a collection agency, and what the agency reports comes back. Each ticket goes once."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.money import ZERO
from opscom.core.transitions import advance
from opscom.provider.selectors import local_date
from payments.collection_files import ResultLine
from payments.models import COLLECTIONS, DeductionStatus
from payments.services.by_hand import take_outside
from payments.services.orders import promised_orders
from payments.services.settling import finish_order
from violations.costing import calendar_of, cost_at
from violations.models import TICKET_MOVES, CollectionExport, Ticket, TicketStatus
from violations.numbers import number_key
from violations.services.locking import KIND, lock_ticket, paid_line
from violations.services.lowering import refuse_own, set_amount
from violations.services.steps import plan_next_step

TAKEN = DeductionStatus.TAKEN


def tickets_to_collect(*, overdue_days: int) -> list[Ticket]:
    """Return the open tickets that are overdue for so many days, and not under review, promised, or sent before."""
    oldest = timezone.now() - dt.timedelta(days=overdue_days)
    open_ones = Ticket.objects.filter(status=TicketStatus.OPEN, is_warning=False, collection=None, booted_at=None)
    rows = open_ones.filter(issued_at__lt=oldest).with_reviews().order_by("issued_at", "pk")
    return [ticket for ticket in rows if _is_collectable(ticket, overdue_days)]


def _is_collectable(ticket: Ticket, overdue_days: int) -> bool:
    calendar = calendar_of(ticket)
    is_late = calendar.day_on(local_date()) > ticket.due_days + overdue_days
    return is_late and not calendar.is_standing_still and not promised_orders(KIND, [ticket.pk]).exists()


def send_to_collections(*, overdue_days: int, actor: User) -> CollectionExport:
    """Flag what is to be collected and write its file; raises NotAllowed when nothing is."""
    # Sorted as locks are.
    wanted = sorted(ticket.pk for ticket in tickets_to_collect(overdue_days=overdue_days))
    with transaction.atomic():
        export = CollectionExport.objects.create(made_by=actor, total=ZERO)
        rows, total = [], ZERO
        for pk in wanted:
            ticket = lock_ticket(pk)
            is_open = ticket.status == TicketStatus.OPEN and not ticket.booted_at and not paid_line(pk)
            is_open = is_open and ticket.collection_id is None
            if not is_open or not _is_collectable(ticket, overdue_days):
                continue
            amount = cost_at(ticket)
            # What the agency is to bring rises no more: see `costing.rule_of`.
            set_amount(ticket, amount)
            advance(ticket, TicketStatus.COLLECTIONS, table=TICKET_MOVES, collection=export, next_step_on=None)
            audit.record("ticket.sent_to_collections", ticket, actor=actor, amount=str(amount))
            rows.append({"ticket": ticket.number, "amount": str(amount)})
            total += amount
        if not rows:
            raise NotAllowed(_("No ticket is to be sent to collections now."))
        CollectionExport.objects.filter(pk=export.pk).update(rows=rows, total=total)
        export.rows, export.total = rows, total
        audit.record("collectionexport.made", export, actor=actor, tickets=len(rows), total=str(total))
    return export


@transaction.atomic
def recall_ticket(*, ticket: Ticket, actor: User, reason: str) -> None:
    """Take a ticket back from collections: it is open again, and is not sent a second time."""
    ticket = lock_ticket(ticket.pk)
    refuse_own(ticket, actor)
    if ticket.status != TicketStatus.COLLECTIONS:
        raise NotAllowed(_("This ticket is not in collections."))
    advance(ticket, TicketStatus.OPEN, table=TICKET_MOVES)
    audit.record("ticket.recalled", ticket, actor=actor, reason=reason)
    plan_next_step(ticket)


@dataclass(slots=True)
class Reading:
    """What a file of results says about an export, before or after it counts. `problems`: (line number, words)."""

    paid: list[tuple[Ticket, ResultLine]] = field(default_factory=list)
    refused: list[tuple[Ticket, ResultLine]] = field(default_factory=list)
    known: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


def judge_results(export: CollectionExport, lines: Iterable[ResultLine]) -> Reading:
    """Say what reading these lines would do; changes nothing."""
    tickets = {ticket.number_key: ticket for ticket in export.tickets.with_reviews()}
    reading = Reading()
    seen: set[str] = set()
    for line in lines:
        key = number_key(line.reference)
        ticket = tickets.get(key)
        words = why_not(ticket, line, is_twice=key in seen)
        seen.add(key)
        if words:
            reading.problems.append((line.number, words))
        elif ticket is None or ticket.status != TicketStatus.COLLECTIONS:
            reading.known += 1
        else:
            (reading.paid if line.status == TAKEN else reading.refused).append((ticket, line))
    return reading


def why_not(ticket: Ticket | None, line: ResultLine, *, is_twice: bool) -> str:
    """Return why the line does not count, in words; empty when it does, or says what is known already."""
    if ticket is None:
        return _("“%(reference)s” is not in this file for collections.") % {"reference": line.reference}
    if is_twice:
        return _("“%(reference)s” stands in the file more than once.") % {"reference": line.reference}
    is_waiting = ticket.status == TicketStatus.COLLECTIONS
    if line.status == TAKEN and is_waiting and line.amount is not None and line.amount != cost_at(ticket):
        return _("“%(reference)s” is about %(found)s; the ticket costs %(cost)s. Please settle it by hand.") % {
            "reference": line.reference,
            "found": line.amount,
            "cost": cost_at(ticket),
        }
    return ""


def read_results(*, export: CollectionExport, lines: Iterable[ResultLine], actor: User) -> Reading:
    """Let the lines count, each in a transaction of its own. Read again, nothing counts twice."""
    found = judge_results(export, lines)
    done = Reading(known=found.known, problems=found.problems)
    for ticket, line in found.paid:
        try:
            take_collected(ticket=ticket, actor=actor, reference=export.code)
        except DomainError as error:
            done.problems.append((line.number, str(error)))
        else:
            done.paid.append((ticket, line))
    for ticket, line in found.refused:
        audit.record("ticket.not_collected", ticket, actor=actor, reason=line.reason or line.word)
        done.refused.append((ticket, line))
    audit.record("collectionexport.results_read", export, actor=actor, paid=len(done.paid), refused=len(done.refused))
    return done


def take_collected(*, ticket: Ticket, actor: User, reference: str) -> None:
    """Write the agency's money into the books as the payment of the ticket, by an order of its own."""
    name = str(ticket.person or _("Collections"))
    order = take_outside(
        selection={KIND: [ticket.pk]}, payer_name=name, gateway=COLLECTIONS, actor=actor, reference=reference
    )
    finish_order(order.pk)
