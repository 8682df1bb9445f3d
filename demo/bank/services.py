"""How each test card behaves."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from demo.bank.models import SESSION_MOVES, BankRefund, BankReport, BankSession, SessionStatus
from opscom.core.errors import Stale
from opscom.core.locks import lock_row
from opscom.core.money import ZERO
from opscom.core.transitions import advance

Next = Literal["return", "confirm", "stay"]
REFUND_ARRIVES, REFUND_FAILS = "4000000000007726", "4000000000005126"
# What has the refund wait for a while before it ends, by the card's ending.
SLOW_REFUNDS = {REFUND_ARRIVES[-4:]: timedelta(seconds=30), REFUND_FAILS[-4:]: timedelta(seconds=60)}


def spaced(number: str) -> str:
    """Return a card's number as it stands on the card."""
    return " ".join(number[i : i + 4] for i in range(0, 16, 4))


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
        return spaced(self.number)


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
    TestCard(REFUND_ARRIVES, _("Approved; a refund is under way for half a minute"), SessionStatus.APPROVED),
    TestCard(REFUND_FAILS, _("Approved; a refund is under way for a minute, then fails"), SessionStatus.APPROVED),
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
        promise_reports(session, card.report_after)
    return card.next


@transaction.atomic
def answer_question(session: BankSession, *, is_confirmed: bool) -> None:
    """The payer answers the bank's question."""
    advance(session, SessionStatus.APPROVED if is_confirmed else SessionStatus.DECLINED, table=SESSION_MOVES)
    promise_reports(session, (2,))


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


@transaction.atomic
def give_back(session: BankSession, *, amount: Decimal, key: str) -> BankRefund | None:
    """Begin to give money back, once for each key; None when it would be more than was taken. What failed is not given."""
    session = lock_row(BankSession.objects.filter(pk=session.pk), "payment")
    known = BankRefund.objects.filter(key=key).first()
    if known is not None:
        return known
    now = timezone.now()
    not_failed = Q(fails=False) | Q(settles_at__gt=now)
    given = session.refunds.filter(not_failed).aggregate(sum=Sum("amount"))["sum"] or ZERO
    if given + amount > session.amount:
        return None
    wait = SLOW_REFUNDS.get(session.card_ending)
    if wait:
        promise_reports(session, (int(wait.total_seconds()) + 1,), about="refund", reference=key)
    return BankRefund.objects.create(
        session=session,
        key=key,
        amount=amount,
        settles_at=now + wait if wait else None,
        fails=session.card_ending == REFUND_FAILS[-4:],
    )


def promise_reports(
    session: BankSession | None, seconds: tuple[int, ...], *, about: str = "payment", reference: str = ""
) -> None:
    """Owe the portal a report after each of so many seconds, all of one event; of the session, unless one is named."""
    event_id = uuid.uuid4().hex
    now = timezone.now()
    reference = reference or (session.reference if session else "")
    BankReport.objects.bulk_create(
        [
            BankReport(
                session=session, about=about, reference=reference, event_id=event_id, due_at=now + timedelta(seconds=s)
            )
            for s in seconds
        ]
    )
