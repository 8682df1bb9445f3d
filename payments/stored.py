"""What people have stored to pay with, and what they may store: reads only."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from opscom.core.context import acting
from opscom.provider.selectors import get_provider
from payments.gateways.registry import configured_gateways
from payments.models import MethodKind, Order, PaymentMethod, StoredMethod, Subscription, SubscriptionUse
from payments.offers import covers, meant_for

# These the office sets up, for who asked for it there.
OFFICE_ONLY = (MethodKind.PAYROLL, MethodKind.EFT)
CACHE_KEY = "payments:storing"
# Short, because a save while the cache is unreachable cannot drop the entry.
CACHE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class UseRow:
    """One `Payment Subscription` type: what pays for it, and what else could."""

    use: str
    label: str | Promise
    chosen: StoredMethod | None
    choices: list[StoredMethod]


def storing_methods(person: Any) -> list[PaymentMethod]:
    """Return the methods with which this person may store a card: switched on, for them, and with something to pay for."""
    return [method for method in meant_for(_storing(), person) if method.uses]


def company_storing_methods() -> list[PaymentMethod]:
    """Return the methods with which the office may store a company's card: its account says what that pays for."""
    return list(_storing())


def _storing() -> QuerySet[PaymentMethod]:
    gateways = {code for code, gateway in configured_gateways().items() if gateway.stores_cards}
    return PaymentMethod.objects.filter(is_on=True, kind=MethodKind.CARD, gateway__in=gateways)


def has_cards_page(person: Any) -> bool:
    """Say whether `Manage Credit Cards` is offered: something can be stored, or is. Asked for the menu of every page."""
    offer = _offer()
    is_offered = None in offer.user_types or person.user_type_id in offer.user_types
    return is_offered or (offer.is_any_stored and StoredMethod.objects.visible_to(person).exists())


@dataclass(frozen=True, slots=True)
class Offer:
    """To which user types storing a card is offered (None: to all), and whether anybody has stored anything."""

    user_types: frozenset[int | None]
    is_any_stored: bool


def forget_offer() -> None:
    """Drop the cached offer after a payment method has changed, or something was stored."""
    cache.delete(CACHE_KEY)


def _offer() -> Offer:
    found: Offer | None = cache.get(CACHE_KEY)
    if found is None:
        rows = _storing().exclude(uses=[]).values_list("user_types", flat=True)
        found = Offer(frozenset(rows), StoredMethod.objects.live().exists())
        cache.set(CACHE_KEY, found, CACHE_SECONDS)
    return found


def stored_methods(person: Any) -> list[StoredMethod]:
    """Return what the person has stored, newest first, with what each pays for."""
    return list(
        StoredMethod.objects.visible_to(person)
        .select_related("method")
        .prefetch_related("subscriptions")
        .order_by("-pk")
    )


def list_uses(stored: list[StoredMethod]) -> list[UseRow]:
    """Return each type for which one of these could pay, in the office's order of words."""
    rows = []
    for use, label in SubscriptionUse.choices:
        choices = [one for one in stored if may_pay_for(one, use)]
        chosen = next(
            (one for one in stored for subscription in one.subscriptions.all() if subscription.use == use), None
        )
        if choices or chosen:
            rows.append(UseRow(use, label, chosen, choices))
    return rows


def may_pay_for(stored: StoredMethod, use: str) -> bool:
    """Say whether the office lets a stored method of this kind pay for the use."""
    return stored.method.is_on and use in stored.method.uses


def stored_for(person: Any, use: SubscriptionUse) -> StoredMethod | None:
    """Return what the person chose to pay for this use, while the office still offers that."""
    rows = Subscription.objects.filter(person=person, use=use, stored_method__removed_at__isnull=True)
    found = rows.select_related("stored_method__method").first()
    return found.stored_method if found and may_pay_for(found.stored_method, use) else None


def offered_stored(*, payer: Any, kinds: Collection[str]) -> list[StoredMethod]:
    """Return the stored cards that the checkout offers: what its payer chose to pay for things such as temporary parking.

    Source: the manual, `Manage your Payment Methods & Subscriptions`: where the office does not allow that use, a stored
    card pays only for subscriptions.
    """
    # A stored card is its owner's: nobody who acts for them pays with it.
    if payer is None or acting.get():
        return []
    stored = stored_for(payer, SubscriptionUse.TEMPORARY_PARKING)
    is_card = stored is not None and stored.kind == MethodKind.CARD and stored.gateway in configured_gateways()
    return [stored] if stored and is_card and not stored.is_expired and covers(stored.method, kinds) else []


def offered_deductions(*, payer: Any, kinds: Collection[str]) -> list[StoredMethod]:
    """Return the payroll deductions and transfers that the office set up for the payer, and offers for these kinds of item."""
    # As with cards: nobody who acts for somebody takes from their wages.
    if payer is None or acting.get():
        return []
    stored = StoredMethod.objects.live().filter(person=payer, kind__in=OFFICE_ONLY).select_related("method")
    found = list(stored.order_by("pk"))
    offered = set(meant_for(PaymentMethod.objects.filter(is_on=True), payer)) if found else set()
    return [one for one in found if one.method in offered and covers(one.method, kinds)]


def method_that_asks(order: Order) -> str:
    """Return the code of the method on whose page the payer's bank can ask them, once it wanted to; else empty."""
    asked = order.payments.filter(needs_customer=True).select_related("method").first()
    return asked.method.code if asked and asked.method else ""


def consent_text() -> str:
    """Return what people agree to when they store a card: the office's words, else ours."""
    provider = get_provider()
    return str(provider.card_consent) or _(
        "I agree that my card is stored at the payment service, and that %(provider)s charges it for what I chose that "
        "it pays for, each time that falls due, until I remove the card or choose another one."
    ) % {"provider": provider.name}
