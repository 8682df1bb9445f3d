"""How each test card behaves."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from demo.bank.models import SESSION_MOVES, BankReport, BankSession, SessionStatus
from opscom.core.errors import Stale
from opscom.core.transitions import advance

Next = Literal["return", "confirm", "stay"]


@dataclass(frozen=True, slots=True)
class TestCard:
    """`report_after`: seconds until each report to the portal."""

    number: str
    effect: Promise | str
    outcome: SessionStatus
    next: Next = "return"
    report_after: tuple[int, ...] = (2,)
    approves_after: int = 0
    silent_for: int = 0

    @property
    def spaced(self) -> str:
        """The number as it stands on a card."""
        return " ".join(self.number[i : i + 4] for i in range(0, 16, 4))


CARDS = [
    TestCard("4242424242424242", _("Approved"), SessionStatus.APPROVED),
    TestCard("4000000000000002", _("Declined"), SessionStatus.DECLINED),
    TestCard("4000002500003155", _("Asks you to confirm, then approved"), SessionStatus.ASKING, "confirm"),
    TestCard(
        "4000000000000119",
        _("Approved, but the bank does not answer the portal for 40 seconds"),
        SessionStatus.APPROVED,
        silent_for=40,
        report_after=(45,),
    ),
    TestCard("4000000000000259", _("Approved, and you never come back"), SessionStatus.APPROVED, "stay", (10,)),
    TestCard("4000000000000341", _("Approved, and reported twice"), SessionStatus.APPROVED, report_after=(1, 1)),
    TestCard(
        "4000000000000457",
        _("Approved and reported a minute later"),
        SessionStatus.PROCESSING,
        report_after=(60,),
        approves_after=60,
    ),
]


def find_card(number: str) -> TestCard | None:
    """Return the test card with this number, typed with or without spaces; None for any other number."""
    digits = "".join(character for character in number if character.isdigit())
    return next((card for card in CARDS if card.number == digits), None)


@transaction.atomic
def pay(session: BankSession, card: TestCard) -> Next:
    """Use the card on an open page and return what the payer's browser does next; Stale when it was used meanwhile."""
    now = timezone.now()
    advance(
        session,
        card.outcome,
        table=SESSION_MOVES,
        card_ending=card.number[-4:],
        approves_at=now + timedelta(seconds=card.approves_after) if card.approves_after else None,
        answers_from=now + timedelta(seconds=card.silent_for) if card.silent_for else None,
    )
    if card.outcome != SessionStatus.ASKING:
        _promise_reports(session, card.report_after)
    return card.next


@transaction.atomic
def answer_question(session: BankSession, *, is_confirmed: bool) -> None:
    """The payer answers the bank's question."""
    advance(session, SessionStatus.APPROVED if is_confirmed else SessionStatus.DECLINED, table=SESSION_MOVES)
    _promise_reports(session, (2,))


@transaction.atomic
def cancel(session: BankSession) -> None:
    """The payer leaves the page by its back link."""
    advance(session, SessionStatus.CANCELLED, table=SESSION_MOVES)


def finish_processing(session: BankSession) -> BankSession:
    """Approve a slow payment whose time has come."""
    if session.status == SessionStatus.PROCESSING and session.approves_at and session.approves_at <= timezone.now():
        try:
            advance(session, SessionStatus.APPROVED, table=SESSION_MOVES)
        except Stale:
            session.refresh_from_db()
    return session


def _promise_reports(session: BankSession, seconds: tuple[int, ...]) -> None:
    event_id = uuid.uuid4().hex
    now = timezone.now()
    BankReport.objects.bulk_create(
        [BankReport(session=session, event_id=event_id, due_at=now + timedelta(seconds=s)) for s in seconds]
    )
