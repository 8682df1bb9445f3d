"""The office lowers what a ticket costs, cancels it, or voids it: without an appeal, with a reason, each written down."""

from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.money import format_money
from opscom.core.transitions import advance
from opscom.provider.selectors import local_date
from violations import emails
from violations.costing import calendar_of, cost_at
from violations.models import TICKET_MOVES, UNPAID, Ticket, TicketStatus
from violations.services.delivering import give_back_excess
from violations.services.locking import lock_ticket, lock_with_money
from violations.services.overdue import look_at_hold
from violations.services.steps import plan_next_step


def set_amount(ticket: Ticket, amount: Decimal) -> None:
    """Note what the locked ticket costs from today on; late fees of later days still come."""
    day = calendar_of(ticket).day_on(local_date())
    Ticket.objects.filter(pk=ticket.pk).update(set_amount=amount, set_on_day=day)
    ticket.set_amount, ticket.set_on_day = amount, day


@transaction.atomic
def adjust_ticket(*, ticket: Ticket, amount: Decimal, reason: str, actor: User) -> None:
    """Lower what an open ticket costs, where its offence allows. Raises NotAllowed, DomainError for a sum that lowers nothing."""
    ticket = lock_ticket(ticket.pk)
    refuse_own(ticket, actor)
    if not ticket.offence.is_adjustable:
        raise NotAllowed(_("The fine for this offence cannot be adjusted."))
    _refuse_review(ticket)
    if ticket.status not in UNPAID or ticket.is_warning:
        raise NotAllowed(_("Only a ticket that has to be paid can be adjusted."))
    before = cost_at(ticket)
    if not 0 < amount < before:
        words = _("Enter a sum between nothing and %(before)s, which the ticket costs now.")
        raise DomainError(words % {"before": format_money(before)})
    reason = _require_reason(reason)
    set_amount(ticket, amount)
    plan_next_step(ticket)
    audit.record("ticket.adjusted", ticket, actor=actor, before=str(before), after=str(amount), reason=reason)
    emails.ticket_closed(ticket, amount=format_money(amount), reason=reason)
    look_at_hold(ticket)


@transaction.atomic
def cancel_ticket(*, ticket: Ticket, reason: str, actor: User) -> None:
    """Cancel a ticket; what was paid for it goes back whole. Raises NotAllowed when it is closed, or under review."""
    ticket, line = lock_with_money(ticket.pk)
    refuse_own(ticket, actor)
    _refuse_review(ticket)
    if ticket.status not in (*UNPAID, TicketStatus.PAID):
        raise NotAllowed(_("This ticket is closed already."))
    _close(ticket, TicketStatus.CANCELLED, reason)
    if line:
        give_back_excess(ticket, line, actor=actor)
    audit.record("ticket.cancelled", ticket, actor=actor, reason=reason)
    emails.ticket_closed(ticket)
    look_at_hold(ticket)


@transaction.atomic
def spoil_ticket(*, ticket: Ticket, reason: str, actor: User) -> None:
    """Void a ticket that was written by mistake. Raises NotAllowed once anything was paid, or while it is under review."""
    ticket, line = lock_with_money(ticket.pk)
    refuse_own(ticket, actor)
    _refuse_review(ticket)
    if ticket.status != TicketStatus.OPEN or line:
        raise NotAllowed(_("Only an open ticket that nobody has paid can be voided."))
    _close(ticket, TicketStatus.SPOILED, reason)
    audit.record("ticket.spoiled", ticket, actor=actor, reason=reason)
    emails.ticket_closed(ticket)
    look_at_hold(ticket)


def _close(ticket: Ticket, to: TicketStatus, reason: str) -> None:
    now, why = timezone.now(), _require_reason(reason)[:300]
    advance(ticket, to, table=TICKET_MOVES, closed_at=now, closing_reason=why, next_step_on=None)


def _require_reason(reason: str) -> str:
    if not reason.strip():
        raise DomainError(_("Please say why."))
    return reason.strip()


def _refuse_review(ticket: Ticket) -> None:
    if any(appeal.is_under_review for appeal in ticket.appeals.all()):
        raise NotAllowed(_("This ticket is under review: decide about the appeal instead."))


def refuse_own(ticket: Ticket, actor: User) -> None:
    """Raise NotAllowed for somebody of the office whose own ticket this is."""
    if ticket.person_id == actor.pk:
        raise NotAllowed(_("This is your own ticket: somebody else must do that."))
