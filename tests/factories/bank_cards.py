"""Cards stored at the demo bank."""

import datetime as dt

from django.utils import timezone

from demo.bank import cards
from demo.bank.gateway import DemoBank
from demo.bank.models import BankCardPage
from payments.gateways.base import CardSetup

APPROVED = "4242424242424242"


def describe_card_setup(reference: str = "SAVE1", **changes: str) -> CardSetup:
    """Return a try to store a card, as gateways see it."""
    setup = {
        "name": "Robin Marsh",
        "email": "robin@example.org",
        "language": "en",
        "currency": "CAD",
        "return_url": "https://portal.example/back/",
    }
    return CardSetup(reference=reference, begun_at=timezone.now(), **{**setup, **changes})


def open_card_page(reference: str = "SAVE1") -> BankCardPage:
    """Open the demo bank's page that stores a card."""
    DemoBank().start_card_save(describe_card_setup(reference))
    return BankCardPage.objects.get(reference=reference)


def store_at_bank(reference: str, card: str = APPROVED, expires_on: dt.date = dt.date(2031, 1, 1)) -> BankCardPage:
    """Use a test card on the bank's page for the try `reference`; nothing is told to the portal yet."""
    page = BankCardPage.objects.get(reference=reference)
    storable = cards.find_storable(card)
    assert storable is not None
    cards.store_card(page, storable, expires_on=expires_on)
    return page
