"""Stored cards: how each test card behaves when it is stored, and when it is charged later."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from demo.bank.models import CARD_PAGE_MOVES, BankCard, BankCardPage, BankSession, CardPageStatus, SessionStatus
from demo.bank.services import REFUND_FAILS, promise_reports, spaced
from opscom.core.transitions import advance


@dataclass(frozen=True, slots=True)
class StorableCard:
    """`charge`: what becomes of a charge without its holder; `silent_for`: seconds without an answer after one."""

    number: str
    effect: Promise | str
    is_stored: bool = True
    charge: SessionStatus = SessionStatus.APPROVED
    silent_for: int = 0
    is_expiring: bool = False

    @property
    def spaced(self) -> str:
        """The number as it stands on a card."""
        return spaced(self.number)

    @property
    def brand(self) -> str:
        """Whose card it is, by its first digit."""
        return "Mastercard" if self.number.startswith("5") else "Visa"


CARDS = [
    StorableCard("4242424242424242", _("Stored; charges are approved")),
    StorableCard("5555555555554444", _("Stored; charges are approved")),
    StorableCard("4000000000000002", _("Declined: it is not stored"), is_stored=False),
    StorableCard("4000000000009995", _("Stored; charges are declined"), charge=SessionStatus.DECLINED),
    StorableCard(
        "4000002760003184", _("Stored; a charge asks for its holder first"), charge=SessionStatus.NEEDS_CUSTOMER
    ),
    StorableCard("4000000000000069", _("Stored; it expires at the end of this month"), is_expiring=True),
    StorableCard(
        "4000000000000119",
        _("Stored; charges are approved, but the bank does not answer the portal for 40 seconds"),
        silent_for=40,
    ),
    StorableCard(REFUND_FAILS, _("Stored; a refund is under way for a minute, then fails")),
]
_BY_ENDING = {card.number[-4:]: card for card in CARDS}


def find_storable(number: str) -> StorableCard | None:
    """Return the test card with this number, typed with or without spaces; None for any other number."""
    digits = "".join(character for character in number if character.isdigit())
    return next((card for card in CARDS if card.number == digits), None)


@transaction.atomic
def store_card(page: BankCardPage, card: StorableCard, *, expires_on: date) -> None:
    """Use the card on an open page; Stale when the page was used meanwhile."""
    if not card.is_stored:
        advance(page, CardPageStatus.DECLINED, table=CARD_PAGE_MOVES)
    else:
        today = timezone.localdate()
        end_of_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
        stored = BankCard.objects.create(
            customer_reference=page.customer_reference,
            brand=card.brand,
            ending=card.number[-4:],
            expires_on=end_of_month if card.is_expiring else expires_on,
        )
        advance(page, CardPageStatus.STORED, table=CARD_PAGE_MOVES, card=stored)
    promise_reports(None, (2,), about="card", reference=page.reference)


@transaction.atomic
def cancel_page(page: BankCardPage) -> None:
    """The person leaves the page by its back link."""
    advance(page, CardPageStatus.CANCELLED, table=CARD_PAGE_MOVES)


def charge(
    *, token: str, customer_reference: str, reference: str, amount: Decimal, currency: str, label: str
) -> BankSession | None:
    """Charge a stored card once for each reference and return the charge; None when there is no such card.

    A card that has been forgotten or has expired is declined.
    """
    card = BankCard.objects.filter(token=token, customer_reference=customer_reference).first()
    if card is None:
        return None
    now = timezone.now()
    behaviour = _BY_ENDING[card.ending]
    is_dead = card.forgotten_at is not None or card.expires_on <= timezone.localdate()
    with transaction.atomic():
        session, is_new = BankSession.objects.get_or_create(
            reference=reference,
            defaults={
                "card": card,
                "amount": amount,
                "currency": currency,
                "label": label,
                "card_ending": card.ending,
                "expires_at": now,
                "status": SessionStatus.DECLINED if is_dead else behaviour.charge,
                "answers_from": now + timedelta(seconds=behaviour.silent_for) if behaviour.silent_for else None,
            },
        )
        if is_new:
            promise_reports(session, (2 + behaviour.silent_for,))
    return session


def forget(*, token: str, customer_reference: str) -> None:
    """Forget a stored card; one that is forgotten already, or was never here, is no matter."""
    known = BankCard.objects.filter(token=token, customer_reference=customer_reference, forgotten_at=None)
    known.update(forgotten_at=timezone.now())
