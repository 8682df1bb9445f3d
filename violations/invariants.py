"""What must always be true of tickets. Each function yields one sentence for each thing that is not."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import TruncDate

from opscom.core.money import ZERO
from opscom.provider.selectors import get_time_zone, local_date
from payments.models import LineStatus, OrderLine
from violations.models import UNDER_REVIEW, Appeal, AppealStatus, Association, CollectionExport, Ticket, TicketStatus
from violations.services.locking import KIND
from violations.services.steps import next_step_on

# The beat looks every few minutes; whoever has promised the money is looked at each day.
LATE_AFTER = dt.timedelta(days=2)
T = TicketStatus


def check_tickets() -> Iterator[str]:
    """Yield every broken rule of tickets, appeals and links."""
    yield from _paid_tickets_have_their_money()
    yield from _delivered_money_means_paid()
    yield from _decisions_stand_on_the_ticket()
    yield from _reviews_do_not_overlap()
    yield from _links_end_with_their_appeal()
    yield from _steps_are_taken()
    yield from _exports_add_up()


def _paid_tickets_have_their_money() -> Iterator[str]:
    """Its money may be gone and owed again as a debt, but a line holds each paid ticket: one, as the database sees to."""
    paid = OrderLine.objects.filter(kind=KIND, settled=True, object_id=OuterRef("pk"))
    for ticket in Ticket.objects.filter(~Exists(paid), status=T.PAID).iterator():
        yield f"Ticket {ticket.number} is paid, and nobody paid for it."


def _delivered_money_means_paid() -> Iterator[str]:
    delivered = OrderLine.objects.filter(kind=KIND, status=LineStatus.FULFILLED)
    unpaid = Ticket.objects.filter(Exists(delivered.filter(object_id=OuterRef("pk")))).exclude(status=T.PAID)
    for ticket in unpaid.iterator():
        kept = delivered.get(object_id=ticket.pk).kept
        if ticket.status != T.CANCELLED:
            yield f"Ticket {ticket.number} was paid for, and is {ticket.status}."
        elif kept > ZERO:
            yield f"Ticket {ticket.number} is cancelled, and {kept} paid for it do not go back."
    unknown = delivered.exclude(Exists(Ticket.objects.filter(pk=OuterRef("object_id"))))
    for line in unknown.iterator():
        yield f"Line {line.pk} paid for a ticket that there is not."


def _decisions_stand_on_the_ticket() -> Iterator[str]:
    granted = Appeal.objects.filter(status=AppealStatus.CANCELLED).exclude(ticket__status=T.CANCELLED)
    for appeal in granted.select_related("ticket").iterator():
        yield f"Ticket {appeal.ticket.number} was cancelled by an appeal, and is {appeal.ticket.status}."
    reduced = Appeal.objects.filter(status=AppealStatus.REDUCED).select_related("ticket")
    unset = Q(amount_after=None) | Q(ticket__set_amount=None)
    for appeal in reduced.filter(unset).iterator():
        yield f"Ticket {appeal.ticket.number} was reduced by an appeal, and its sum is not."
    closed = Q(ticket__status__in=[T.CANCELLED, T.SPOILED, T.COLLECTIONS])
    waiting = Appeal.objects.filter(closed, status__in=UNDER_REVIEW).select_related("ticket")
    for appeal in waiting.iterator():
        yield f"Ticket {appeal.ticket.number} is {appeal.ticket.status}, and an appeal of it still waits."


def _reviews_do_not_overlap() -> Iterator[str]:
    """A day that stands still twice would be taken off twice."""
    several = Ticket.objects.annotate(times=Count("appeals")).filter(times__gt=1).prefetch_related("appeals")
    for ticket in several.iterator(chunk_size=500):
        for one, other in pairwise(sorted(ticket.appeals.all(), key=lambda appeal: (appeal.review_from, appeal.pk))):
            if one.review_until is None or one.review_until > other.review_from:
                yield f"Ticket {ticket.number}: two of its appeals were under review at the same time."
    issued_on = TruncDate("ticket__issued_at", tzinfo=get_time_zone())
    early = Appeal.objects.annotate(issued_on=issued_on).filter(review_from__lt=F("issued_on"))
    for appeal in early.select_related("ticket").iterator():
        yield f"Ticket {appeal.ticket.number} was under review before it was issued."


def _links_end_with_their_appeal() -> Iterator[str]:
    waiting = Appeal.objects.filter(ticket=OuterRef("ticket"), person=OuterRef("person"), status__in=UNDER_REVIEW)
    links = Association.objects.select_related("ticket")
    for link in links.filter(~Exists(waiting), ends_at=None, is_kept=False).iterator():
        yield f"Ticket {link.ticket.number}: a vehicle stays linked, and no appeal of it waits."
    for link in links.filter(Exists(waiting), ends_at__isnull=False).iterator():
        yield f"Ticket {link.ticket.number}: a link ends before the appeal that it is for."


def _steps_are_taken() -> Iterator[str]:
    """What the days bring is planned and done, and nothing is planned for a ticket that is closed or stands still."""
    today = local_date()
    planned = Ticket.objects.filter(next_step_on__isnull=False)
    for ticket in planned.filter(next_step_on__lt=today - LATE_AFTER).iterator():
        yield f"Ticket {ticket.number}: what was to be done on {ticket.next_step_on} is not done."
    idle = ~Q(status=T.OPEN) | Q(is_warning=True) | Q(appeals__status__in=UNDER_REVIEW)
    for ticket in planned.filter(idle).distinct().iterator():
        yield f"Ticket {ticket.number} has something to be done on {ticket.next_step_on}, and its days do not go by."
    forgotten = Ticket.objects.filter(status=T.OPEN, is_warning=False, next_step_on=None).with_reviews()
    for ticket in forgotten.iterator(chunk_size=500):
        on = next_step_on(ticket, today)
        if on is not None:
            yield f"Ticket {ticket.number}: nobody will look at it on {on}."


def _exports_add_up() -> Iterator[str]:
    for export in CollectionExport.objects.prefetch_related("tickets").iterator(chunk_size=100):
        total = sum((Decimal(row["amount"]) for row in export.rows), ZERO)
        if total != export.total:
            yield f"File {export.code} for collections: total {export.total}, its tickets {total}."
        if {row["ticket"] for row in export.rows} != {ticket.number for ticket in export.tickets.all()}:
            yield f"File {export.code} for collections does not list the tickets that were sent with it."
