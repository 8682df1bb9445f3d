"""What a ticket costs at an instant: the one place that everybody asks. Pages, cart, mails, prints and the office."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from opscom.core.money import ZERO
from opscom.provider.selectors import local_date, start_of_day
from violations.cost import Calendar, Decided, Late, Period, Review, Rule, periods
from violations.models import UNPAID, Ticket


def rule_of(ticket: Ticket, *, has_lost_discount: bool = False) -> Rule:
    """Return the rule as it stood when the ticket was issued, with what the office decided since.

    `has_lost_discount`: as it would be if the discount were gone.
    """
    decided = None
    if ticket.set_amount is not None and ticket.set_on_day is not None:
        decided = Decided(ticket.set_amount, ticket.set_on_day)
    # What an agency is to collect rises no more.
    late_fees = [] if ticket.collection_id else ticket.late_fees
    return Rule(
        fine=ticket.fine,
        fee=ticket.fee,
        discount=ZERO if ticket.has_lost_discount or has_lost_discount else ticket.discount,
        discount_days=ticket.discount_days,
        due_days=ticket.due_days,
        late_fees=[Late(fee["after_days"], Decimal(fee["amount"])) for fee in late_fees],
        decided=decided,
    )


def calendar_of(ticket: Ticket) -> Calendar:
    """Return the ticket's days. Its appeals are read from what was prefetched, if it was."""
    reviews = [Review(appeal.review_from, appeal.review_until) for appeal in ticket.appeals.all()]
    return Calendar(local_date(ticket.issued_at), reviews)


def cost_at(ticket: Ticket, at: dt.datetime | None = None, *, has_lost_discount: bool = False) -> Decimal:
    """Return what the ticket costs at that instant (now when None), whether or not it still has to be paid.

    `has_lost_discount`: what it would cost without the discount.
    """
    return rule_of(ticket, has_lost_discount=has_lost_discount).amount(calendar_of(ticket).day_on(local_date(at)))


def due_at(ticket: Ticket, at: dt.datetime | None = None) -> Decimal:
    """Return what has to be paid for it at that instant: nothing for a warning, or once it is closed."""
    return cost_at(ticket, at) if ticket.status in UNPAID and not ticket.is_warning else ZERO


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The last dates of a ticket, as far as they can be known; while under review they move on day by day."""

    discount: dt.date | None
    due: dt.date
    appeal: dt.date
    is_standing_still: bool

    @property
    def appeal_ends_at(self) -> dt.datetime:
        """The first instant at which it can be appealed no more."""
        return start_of_day(self.appeal + dt.timedelta(days=1))


def deadlines_of(ticket: Ticket) -> Deadlines:
    """Return the last dates for the discount (None: there is none), for paying in time, and for appealing.

    One can appeal for so many days, and never once the ticket is overdue.
    """
    calendar, rule = calendar_of(ticket), rule_of(ticket)
    due = calendar.last_date_of(rule.due_days)
    counted_from = ticket.appeal_from or calendar.issued_on
    appeal = min(counted_from + dt.timedelta(days=ticket.appeal_days), due)
    has_discount = rule.discount and not rule.decided
    discount = calendar.last_date_of(rule.discount_days) if has_discount else None
    return Deadlines(discount, due, appeal, calendar.is_standing_still)


def is_overdue(ticket: Ticket, at: dt.datetime | None = None) -> bool:
    """Say whether the days to pay are over at that instant; a closed ticket and a warning never are."""
    is_due = ticket.status in UNPAID and not ticket.is_warning
    return is_due and calendar_of(ticket).day_on(local_date(at)) > ticket.due_days


def cost_line(ticket: Ticket, at: dt.datetime | None = None) -> list[Period]:
    """Return what it costs and when, as the pages draw it."""
    return periods(rule_of(ticket), calendar_of(ticket), local_date(at or timezone.now()))
