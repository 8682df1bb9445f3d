"""The office asks, and decides: uphold, reduce, cancel. What was paid meanwhile and is granted goes back."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.documents import NewDocument
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed, Refused
from opscom.core.money import ZERO, format_money
from opscom.core.transitions import advance
from opscom.provider.selectors import local_date, start_of_day
from payments.models import OrderLine
from violations import emails
from violations.costing import cost_at
from violations.models import APPEAL_MOVES, TICKET_MOVES, Appeal, AppealMessage, AppealStatus, Ticket, TicketStatus
from violations.rules import OFF, can_be_appealed
from violations.services.appealing import begin_review, clean_text, end_review
from violations.services.associating import end_link, hold_link
from violations.services.delivering import give_back_excess
from violations.services.files import attach_new
from violations.services.locking import lock_ticket, lock_with_money, paid_line
from violations.services.lowering import set_amount

A = AppealStatus
DEEDS = {A.UPHELD: "appeal.upheld", A.REDUCED: "appeal.reduced", A.CANCELLED: "appeal.cancelled"}


@transaction.atomic
def decide_appeal(
    *,
    appeal: Appeal,
    decision: AppealStatus,
    response: str,
    actor: User,
    amount: Decimal | None = None,
    keep_link: bool = False,
) -> None:
    """Close the appeal with the office's words; the ticket's days count again from today.

    `amount`: what a reduced ticket costs, more than nothing and less than now. `keep_link`: the vehicle stays linked to the
    appellant. Raises NotAllowed once it is decided or withdrawn, and for one's own; DomainError for a sum that reduces
    nothing, or no words.
    """
    ticket, line = lock_with_money(appeal.ticket_id)
    appeal = _load(appeal)
    _require_open(appeal, actor)
    response = clean_text(response)
    before = line.kept if line else cost_at(ticket)
    after = _amount_after(decision, before, amount)
    if decision == A.REDUCED:
        set_amount(ticket, after)
    end_review(appeal, decision, response=response, decided_by=actor, amount_after=after)
    if decision == A.CANCELLED:
        close_granted(ticket, line, actor, response)
    elif line and decision == A.REDUCED:
        give_back_excess(ticket, line, actor=actor)
    end_link(appeal, keep=keep_link)
    audit.record(DEEDS[decision], appeal, actor=actor, amount=str(after))
    emails.appeal_decided(_load(appeal))
    if decision == A.CANCELLED and ticket.person_id != appeal.person_id:
        # Whose ticket it is learns that there is nothing to pay; not what somebody else wrote and was told.
        emails.ticket_granted(ticket)


def _amount_after(decision: AppealStatus, before: Decimal, amount: Decimal | None) -> Decimal:
    if decision == A.UPHELD:
        return before
    if decision == A.CANCELLED:
        return ZERO
    if decision != A.REDUCED:
        raise ValueError(f"{decision} is no decision.")
    if amount is None or not 0 < amount < before:
        raise DomainError(
            _("Enter a sum between nothing and %(before)s, which the ticket costs now.")
            % {"before": format_money(before)}
        )
    return amount


def close_granted(ticket: Ticket, line: OrderLine | None, actor: User, reason: str) -> None:
    """Cancel the locked ticket; what was paid for it goes back whole."""
    now, to = timezone.now(), TicketStatus.CANCELLED
    advance(ticket, to, table=TICKET_MOVES, closed_at=now, closing_reason=reason[:300], next_step_on=None)
    if line:
        give_back_excess(ticket, line, actor=actor)


@transaction.atomic
def ask_appellant(*, appeal: Appeal, text: str, actor: User) -> AppealMessage:
    """Ask for more; the appeal waits for the answer. Raises NotAllowed when it is closed, or asked about already."""
    lock_ticket(appeal.ticket_id)
    appeal = _load(appeal)
    _require_open(appeal, actor)
    if appeal.status == A.ASKED:
        raise NotAllowed(_("A question waits for its answer already."))
    message = AppealMessage.objects.create(appeal=appeal, is_from_office=True, text=clean_text(text), written_by=actor)
    advance(appeal, A.ASKED, table=APPEAL_MOVES)
    audit.record("appeal.asked", appeal, actor=actor)
    emails.appeal_question(message)
    return message


@dataclass(frozen=True, slots=True)
class PaperAppeal:
    """An appeal that came by letter, fax or e-mail, or at the counter. `late_reason`: why it is taken after the days."""

    appellant: str
    reason: str
    received_on: dt.date
    person: User | None = None
    email: str = ""
    language: str = "en"
    late_reason: str = ""


@transaction.atomic
def enter_appeal(*, ticket: Ticket, paper: PaperAppeal, actor: User, files: Sequence[NewDocument] = ()) -> Appeal:
    """Enter an appeal on paper: the ticket's days stand still from the day on which it came.

    A late one, and one of a ticket that was appealed before, needs a reason. Raises NotAllowed for a ticket that is closed
    or under review, DomainError for an impossible day or a reason that is missing.
    """
    ticket = lock_ticket(ticket.pk)
    if ticket.status not in (TicketStatus.OPEN, TicketStatus.PAID):
        raise NotAllowed(_("Only a ticket that is open or paid can be appealed."))
    earlier = list(ticket.appeals.all())
    if any(one.is_under_review for one in earlier):
        raise NotAllowed(_("This ticket is under review already."))
    check_received(ticket, paper, earlier)
    person = paper.person or (ticket.person if not paper.appellant else None)
    if person is None and not paper.appellant.strip():
        raise DomainError(_("Enter who appeals."))
    line = paid_line(ticket.pk)
    appeal = Appeal.objects.create(
        ticket=ticket,
        person=person,
        appellant=paper.appellant,
        email=paper.email or (person.contact_email if person else ""),
        language=paper.language,
        reason=clean_text(paper.reason),
        review_from=paper.received_on,
        entered_by=actor,
        late_reason=paper.late_reason,
        amount_before=line.kept if line else cost_at(ticket),
    )
    if len(files) > settings.EVIDENCE_PER_APPEAL:
        raise NotAllowed(_("These are too many files for one appeal."))
    attach_new(appeal=appeal, files=files, actor=actor)
    begin_review(appeal)
    hold_link(appeal)
    audit.record("appeal.entered", appeal, actor=actor, on_behalf_of=appeal.person, late=paper.late_reason)
    emails.appeal_received(_load(appeal))
    return appeal


def check_received(ticket: Ticket, paper: PaperAppeal, earlier: Sequence[Appeal]) -> None:
    """Raise DomainError for a day on which it cannot have come, or one too late without a reason."""
    first = max([local_date(ticket.issued_at), *(one.review_until for one in earlier if one.review_until)])
    if not first <= paper.received_on <= local_date():
        raise DomainError(_("It cannot have come on that day."))
    # In time is what came in time, whenever the office gets round to entering it.
    decision = can_be_appealed(ticket, start_of_day(paper.received_on))
    if isinstance(decision, Refused) and decision.code != OFF and not paper.late_reason.strip():
        raise DomainError(_("%(why)s Enter why it is accepted all the same.") % {"why": decision.reason})


def _load(appeal: Appeal) -> Appeal:
    return Appeal.objects.select_related("ticket__offence", "ticket__lot", "person").get(pk=appeal.pk)


def _require_open(appeal: Appeal, actor: User) -> None:
    if not appeal.is_under_review:
        raise NotAllowed(_("This appeal is closed already: %(state)s.") % {"state": appeal.get_status_display()})
    if actor.pk in (appeal.person_id, appeal.ticket.person_id):
        raise NotAllowed(_("This is your own ticket or appeal: somebody else must decide."))
