"""What somebody may do with a ticket now, and why not. One function decides and explains."""

import datetime as dt

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.holds import whom_to_ask
from accounts.models import User
from accounts.selectors import require_proved
from opscom.core.errors import Allowed, Decision, Refused
from opscom.provider.selectors import get_provider, local_date
from violations.costing import deadlines_of, is_overdue
from violations.models import Appeal, Ticket, TicketStatus

OFF, CLOSED, UNDER_REVIEW, DECIDED, LATE, OVERDUE = "off", "closed", "under-review", "decided", "late", "overdue"


def can_appeal(ticket: Ticket, person: User, at: dt.datetime | None = None) -> Decision:
    """Say whether the person may appeal the ticket at that instant. Whether they may see it is not asked here.

    Once appealed, it is appealed: a second level, and one after a withdrawal, goes through the office.
    """
    proved = require_proved(person, "appeal")
    return proved if not proved.is_allowed else can_be_appealed(ticket, at)


def can_be_appealed(ticket: Ticket, at: dt.datetime | None = None) -> Decision:
    """Say whether anybody may appeal it now: what the look-up says to strangers, too."""
    if not get_provider().is_appeals_on:
        return Refused(OFF, _("Appeals are not taken here. %(whom)s") % {"whom": whom_to_ask()})
    if ticket.status != TicketStatus.OPEN:
        return Refused(CLOSED, explain_closed(ticket))
    appeals = list(ticket.appeals.all())
    if any(appeal.is_under_review for appeal in appeals):
        return Refused(UNDER_REVIEW, _("This ticket is under review already."))
    if appeals:
        return Refused(DECIDED, explain_appealed(appeals[-1]))
    deadlines = deadlines_of(ticket)
    if is_overdue(ticket, at):
        day = date_format(deadlines.due, "DATE_FORMAT")
        words = _("This ticket is overdue since the end of %(day)s, so it can no longer be appealed.") % {"day": day}
        return Refused(OVERDUE, f"{words} {whom_to_ask()}", deadlines.appeal_ends_at)
    if local_date(at) > deadlines.appeal:
        day = date_format(deadlines.appeal, "DATE_FORMAT")
        words = _("This ticket could be appealed until %(day)s.") % {"day": day}
        return Refused(LATE, f"{words} {whom_to_ask()}", deadlines.appeal_ends_at)
    return Allowed()


def explain_closed(ticket: Ticket) -> str:
    """Return why nothing more is to be done about it."""
    return {
        TicketStatus.PAID: _("This ticket is paid."),
        TicketStatus.CANCELLED: _("This ticket was cancelled. There is nothing to pay."),
        TicketStatus.SPOILED: _("This ticket is void. There is nothing to pay."),
        TicketStatus.COLLECTIONS: _("This ticket was sent to collections, so it can no longer be appealed here."),
    }.get(TicketStatus(ticket.status), "")


def explain_appealed(appeal: Appeal) -> str:
    """Return why a second appeal is not taken here."""
    day = date_format(local_date(appeal.closed_at), "DATE_FORMAT")
    if appeal.is_decided:
        words = _("An appeal of this ticket was decided on %(day)s.")
    else:
        words = _("An appeal of this ticket was withdrawn on %(day)s.")
    return f"{words % {'day': day}} {whom_to_ask()}"


def payment_lock(ticket: Ticket) -> str:
    """Return why the ticket cannot be paid on line now; empty when it can. A booted one always can."""
    if ticket.booted_at:
        return ""
    if any(appeal.is_under_review for appeal in ticket.appeals.all()):
        return _("Violations Under Review: this ticket is under appeal, so do not pay it yet. Its days stand still.")
    if ticket.status == TicketStatus.COLLECTIONS and get_provider().bars_payment_in_collections:
        return _("This ticket was sent to collections and cannot be paid here. %(whom)s") % {"whom": whom_to_ask()}
    return ""
