"""What is done about a ticket as its days go by: notices, once each, and the hold for overdue sums."""

import datetime as dt
import logging

from django.db import transaction
from django.utils import timezone

from opscom.core.locks import note_lock
from opscom.provider.selectors import get_provider, local_date
from payments.services.orders import promised_orders
from violations import emails
from violations.costing import calendar_of, deadlines_of, is_overdue, rule_of
from violations.models import UNPAID, Notice, NoticeKind, NoticeWay, Ticket, TicketStatus
from violations.services.locking import KIND
from violations.services.overdue import look_at_hold

log = logging.getLogger(__name__)
DAY = dt.timedelta(days=1)


def send_notice(ticket: Ticket, kind: NoticeKind) -> Notice | None:
    """Tell the ticket's person, once for each kind, in the caller's transaction: by e-mail, else in the list of letters.

    Nobody is told of a ticket whose person is not known: they hold the paper.
    """
    person = ticket.person
    if person is None:
        return None
    way = NoticeWay.EMAIL if person.contact_email else NoticeWay.LETTER
    notice, is_new = Notice.objects.get_or_create(ticket=ticket, kind=kind, defaults={"way": way})
    if is_new and way == NoticeWay.EMAIL:
        emails.notice(ticket, kind)
    return notice if is_new else None


def plan_next_step(ticket: Ticket, *, after: dt.date | None = None) -> None:
    """Note the next day on which something is to be done about the ticket, later than `after` (yesterday when None)."""
    today = local_date()
    on = next_step_on(ticket, after or today - DAY)
    if after is None and _is_open(ticket) and is_overdue(ticket):
        # It was paid, under review or at an agency when its days ran out: nobody has been told yet.
        on = today
    Ticket.objects.filter(pk=ticket.pk).update(next_step_on=on)
    ticket.next_step_on = on


def next_step_on(ticket: Ticket, after: dt.date) -> dt.date | None:
    """Return that day; None while the days stand still, for a warning, and once the ticket is no longer open."""
    calendar = calendar_of(ticket)
    if not _is_open(ticket):
        return None
    deadlines = deadlines_of(ticket)
    days = [deadlines.due + DAY]
    days += [calendar.last_date_of(fee.after_days) + DAY for fee in rule_of(ticket).late_fees]
    if deadlines.discount:
        # On its last days, and never on the day of the ticket itself.
        first = deadlines.discount - DAY * get_provider().discount_notice_days
        days.append(max(first, calendar.issued_on + DAY))
    return min((day for day in days if day > after), default=None)


def _is_open(ticket: Ticket) -> bool:
    """Say whether its days go by, and anybody has to pay it."""
    return ticket.status == TicketStatus.OPEN and not ticket.is_warning and not calendar_of(ticket).is_standing_still


def take_next_step(*, broken: set[int] | None = None) -> bool:
    """Do what is due about one ticket, in a transaction of its own; False when nothing is due any more.

    One that fails is noted in the caller's `broken` and passed over from then on, so that it stops nobody behind it;
    without `broken`, its exception is raised.
    """
    ticket = None
    try:
        with transaction.atomic():
            note_lock("product", KIND)
            due = Ticket.objects.filter(next_step_on__lte=local_date()).exclude(pk__in=broken or ())
            rows = due.select_for_update(skip_locked=True, no_key=True, of=("self",))
            ticket = rows.select_related("offence", "lot").order_by("next_step_on", "pk").first()
            if ticket is None:
                return False
            take_step(ticket)
    except Exception:
        if ticket is None or broken is None:
            raise
        log.exception("the next step of ticket %s could not be taken", ticket.number)
        broken.add(ticket.pk)
    return True


def take_step(ticket: Ticket, *, now: dt.datetime | None = None) -> None:
    """Send the notices that are due about the locked ticket, look at its person's hold, and note the next day."""
    today = local_date(now or timezone.now())
    # Who has promised to bring the money is not asked for it; when the promise ends, tomorrow's step finds out.
    is_promised = promised_orders(KIND, [ticket.pk]).exists()
    if ticket.status in UNPAID and not is_promised:
        send_due_notices(ticket, today)
    if is_overdue(ticket):
        look_at_hold(ticket)
    plan_next_step(ticket, after=today)
    if is_promised and (ticket.next_step_on is None or ticket.next_step_on > today + DAY):
        Ticket.objects.filter(pk=ticket.pk).update(next_step_on=today + DAY)


def send_due_notices(ticket: Ticket, today: dt.date) -> None:
    """Send what the day asks for."""
    deadlines = deadlines_of(ticket)
    if is_overdue(ticket):
        send_notice(ticket, NoticeKind.PAST_DUE)
    elif deadlines.discount and today <= deadlines.discount and today > calendar_of(ticket).issued_on:
        begins = deadlines.discount - DAY * get_provider().discount_notice_days
        if today >= begins:
            send_notice(ticket, NoticeKind.DISCOUNT_ENDS)
