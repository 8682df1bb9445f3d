"""Stored cards for tests, by the real services and a gateway."""

import datetime as dt
from typing import Any

from django.utils import timezone

from accounts.models import User
from payments.models import CardSave, PaymentMethod, StoredMethod, Subscription, SubscriptionUse
from payments.services.storing import confirm_card_save, start_card_save
from tests.factories.payments import offer_method

PARKING, ROLLOVER = SubscriptionUse.TEMPORARY_PARKING, SubscriptionUse.PERMIT_ROLLOVER


def offer_storing(gateway: str = "demo-bank", *uses: str, **fields: Any) -> PaymentMethod:
    """Offer a card method with which cards may be stored, for everything unless told otherwise."""
    return offer_method(gateway, uses=list(uses or SubscriptionUse.values), **fields)


def begin_save(person: User, *uses: str, gateway: str = "demo-bank") -> CardSave:
    """Send the person to the gateway's page that stores a card."""
    method = PaymentMethod.objects.get(gateway=gateway)
    start_card_save(actor=person, method=method, uses=uses or [PARKING])
    return CardSave.objects.latest("pk")


def store_card(person: User, *uses: str, card: str = "4242424242424242", gateway: str = "demo-bank") -> StoredMethod:
    """Store a test card at the demo bank, or what the scripted gateway answers, to pay for these uses."""
    from tests.factories.bank_cards import store_at_bank

    save = begin_save(person, *uses, gateway=gateway)
    if gateway == "demo-bank":
        store_at_bank(save.reference, card)
    confirm_card_save(CardSave.objects.get(pk=save.pk))
    return StoredMethod.objects.latest("pk")


def make_stored(person: User, *uses: str, gateway: str = "scripted", **fields: Any) -> StoredMethod:
    """Write a stored card down, which no gateway knows."""
    count = StoredMethod.objects.count()
    values = {
        "method": PaymentMethod.objects.get(gateway=gateway),
        "kind": "card",
        "gateway": gateway,
        "customer_reference": "c-1",
        "token": f"t-{count + 100}",
        "brand": "Visa",
        "last_four": "4242",
        "expires_on": dt.date(2031, 1, 1),
        "consent_text": "Agreed.",
        "consented_at": timezone.now(),
        **fields,
    }
    stored = StoredMethod.objects.create(person=person, **values)
    for use in uses:
        Subscription.objects.update_or_create(person=person, use=use, defaults={"stored_method": stored})
    return stored
