"""Somebody appeals a ticket, answers the office's question, or withdraws. Each under the ticket's lock."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.transitions import advance
from opscom.provider.selectors import get_provider, local_date
from violations import emails
from violations.costing import cost_at
from violations.models import APPEAL_MOVES, Appeal, AppealMessage, AppealStatus, Ticket
from violations.rules import can_appeal
from violations.services.associating import end_link, hold_link
from violations.services.files import attach_staged
from violations.services.locking import lock_ticket
from violations.services.overdue import look_at_hold
from violations.services.steps import plan_next_step

LONGEST_REASON = 10_000


@transaction.atomic
def submit_appeal(*, ticket: Ticket, person: User, reason: str, language: str) -> Appeal:
    """Send the appeal with the files that wait beside the form: from now on the ticket's days stand still.

    A payment that is at the bank meanwhile stands; what is granted is refunded. Raises NotAllowed with the rule, DomainError
    without a reason.
    """
    ticket = lock_ticket(ticket.pk)
    can_appeal(ticket, person).or_raise()
    reason = clean_text(reason)
    now = timezone.now()
    appeal = Appeal.objects.create(
        ticket=ticket,
        person=person,
        email=person.contact_email,
        language=language,
        reason=reason,
        sent_at=now,
        review_from=local_date(now),
        amount_before=cost_at(ticket, now),
    )
    count = attach_staged(appeal=appeal, person=person)
    begin_review(appeal)
    hold_link(appeal)
    audit.record("appeal.sent", appeal, actor=person, files=count)
    emails.appeal_received(appeal)
    emails.appeal_to_office(appeal, event="sent")
    return appeal


def begin_review(appeal: Appeal) -> None:
    """Let the ticket's days stand still; where the provider has it so, its discount is gone. Under the ticket's lock."""
    ticket = appeal.ticket
    # Messages about the appeal are written from this very object.
    ticket.has_lost_discount = ticket.has_lost_discount or get_provider().removes_discount_on_appeal
    ticket.next_step_on = None
    ticket.save(update_fields=["has_lost_discount", "next_step_on"])
    look_at_hold(ticket)


def end_review(appeal: Appeal, to: AppealStatus, **changes: Any) -> None:
    """Close the appeal: the ticket's days count again from today. The caller holds the ticket's lock."""
    now = timezone.now()
    # A clock that was set back must not end a review before it began.
    until = max(local_date(now), appeal.review_from)
    advance(appeal, to, table=APPEAL_MOVES, closed_at=now, review_until=until, **changes)
    ticket = Ticket.objects.get(pk=appeal.ticket_id)
    plan_next_step(ticket)
    look_at_hold(ticket)


@transaction.atomic
def withdraw_appeal(*, appeal: Appeal, person: User) -> None:
    """The appellant takes the appeal back: the ticket can be paid at once. Raises NotAllowed once it is decided."""
    lock_ticket(appeal.ticket_id)
    appeal = Appeal.objects.select_related("ticket__offence", "person").get(pk=appeal.pk)
    if not appeal.is_under_review:
        raise NotAllowed(_("This appeal is closed already: %(state)s.") % {"state": appeal.get_status_display()})
    end_review(appeal, AppealStatus.WITHDRAWN)
    end_link(appeal)
    audit.record("appeal.withdrawn", appeal, actor=person)
    appeal = Appeal.objects.select_related("ticket__offence", "person").get(pk=appeal.pk)
    emails.appeal_withdrawn(appeal)
    emails.appeal_to_office(appeal, event="withdrawn")


@transaction.atomic
def answer_question(*, appeal: Appeal, person: User, text: str) -> AppealMessage:
    """Answer what the office asked, with the files that wait beside the form. Raises NotAllowed when nothing is asked."""
    lock_ticket(appeal.ticket_id)
    appeal = Appeal.objects.select_related("ticket__offence", "person").get(pk=appeal.pk)
    if appeal.status != AppealStatus.ASKED:
        raise NotAllowed(_("The office is not waiting for an answer any more."))
    message = AppealMessage.objects.create(
        appeal=appeal, is_from_office=False, text=clean_text(text), written_by=person
    )
    count = attach_staged(appeal=appeal, person=person)
    advance(appeal, AppealStatus.SENT, table=APPEAL_MOVES)
    audit.record("appeal.answered", appeal, actor=person, files=count)
    emails.appeal_to_office(appeal, event="answered")
    return message


def clean_text(text: str) -> str:
    """Return what somebody wrote; raises DomainError when it is nothing, or longer than anybody would read."""
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    if not text:
        raise DomainError(_("Please write your reasons."))
    if len(text) > LONGEST_REASON:
        most = LONGEST_REASON
        raise DomainError(_("Please shorten the text to %(most)d characters.") % {"most": most})
    return text
