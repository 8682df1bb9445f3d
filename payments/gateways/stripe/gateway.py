"""The gateway: each call of ours as Stripe has it (docs/operations/gateways.md says what each was proved by)."""

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import stripe
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments.gateways.base import (
    Attempt,
    Card,
    CardResult,
    CardSetup,
    ChargeReason,
    Event,
    Gateway,
    GatewayError,
    Redirect,
    Result,
)
from payments.gateways.stripe import events, reading
from payments.gateways.stripe.client import Facts, asking, facts

log = logging.getLogger(__name__)
# Stripe wants at least 30 minutes from the moment in which it makes the page; the rest is for clocks that differ.
PAGE_LIFE = timedelta(minutes=33)
# A card is charged at once or not at all: what comes later than this is looked up instead.
CHARGE_WITHIN = timedelta(minutes=5)
# Past this, no request of ours about an attempt can still be on its way: charges are not sent any more, and Stripe
# refuses a page that would close too soon. What it does not know then, it never will.
SURELY_OVER = timedelta(minutes=15)
CLOCKS_DIFFER = timedelta(minutes=10)
SIGNATURE_HEADER = "Stripe-Signature"
CARDS_ONLY = ["card"]


class StripeGateway(Gateway):
    """Hosted Checkout by redirect, cards stored by Checkout in setup mode, PaymentIntents for charges of stored cards.

    Every request that makes something carries an idempotency key of ours and is built from its attempt alone, so that the
    same attempt again is the same request. Keys live for a day at Stripe: what is older is looked up in Stripe's lists,
    by our reference in the metadata.
    """

    code = "stripe"
    label = _("Stripe")
    needs = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
    stores_cards = True

    def takes(self, currency: str) -> bool:
        """Stripe counts in the smallest unit; we only speak of hundredths."""
        return currency.upper() not in reading.WITHOUT_CENTS

    def form_origins(self) -> list[str]:
        """Stripe's own host, or the merchant's domain for Checkout."""
        return [settings.STRIPE_CHECKOUT_ORIGIN]

    # Hosted pages

    def start(self, attempt: Attempt) -> Redirect:
        """Make a Checkout Session that closes half an hour later: what it pays for is not held for a day."""
        self._require_cents(attempt.currency)
        price = {
            "currency": attempt.currency.lower(),
            "unit_amount": reading.to_minor(attempt.amount),
            "product_data": {"name": attempt.label or attempt.reference},
        }
        return self._open_page(
            attempt,
            mode="payment",
            line_items=[{"quantity": 1, "price_data": price}],
            payment_intent_data={"metadata": {"reference": attempt.reference}},
            # An address that Stripe cannot read must not stop the payment.
            **({"customer_email": attempt.email} if attempt.email.isascii() and attempt.email else {}),
        )

    def _open_page(self, attempt: Attempt | CardSetup, **fields: Any) -> Redirect:
        params = {
            "allowed_payment_method_types": CARDS_ONLY,
            "client_reference_id": attempt.reference,
            "metadata": {"reference": attempt.reference},
            "success_url": attempt.return_url,
            "cancel_url": f"{attempt.return_url}?left=1",
            "locale": reading.LOCALES.get(attempt.language.lower(), "auto"),
            "expires_at": int((attempt.begun_at + PAGE_LIFE).timestamp()),
            **fields,
        }
        with asking() as service:
            session = facts(service.checkout.sessions.create(params, {"idempotency_key": attempt.reference}))
        if not session.get("url"):
            raise GatewayError("The page was opened before and is closed already.")
        return Redirect(url=session["url"], gateway_reference=session["id"], expires_at=attempt.begun_at + PAGE_LIFE)

    def leave(self, *, gateway_reference: str) -> None:
        """Close an open page: its person came back without finishing. One that is finished stays as it is."""
        with asking() as service:
            try:
                service.checkout.sessions.expire(gateway_reference)
            except stripe.InvalidRequestError as error:
                log.info("%s was not open any more: %s", gateway_reference, error)

    def confirm(self, attempt: Attempt) -> Result:
        """Fetch the page or the charge; without Stripe's reference, look for it by ours."""
        if attempt.card is not None or attempt.gateway_reference.startswith("pi_"):
            intent = self._find_intent(attempt)
            return reading.read_intent(intent) if intent else _not_found(attempt)
        session = self._find_session(attempt, expand=["payment_intent.latest_charge"])
        return reading.read_session(session) if session else _not_found(attempt)

    def _find_session(self, attempt: Attempt | CardSetup, *, expand: list[str]) -> Facts | None:
        with asking() as service:
            reference = attempt.gateway_reference
            if not reference:
                listed = service.checkout.sessions.list({"created": _when(attempt), "limit": 100})
                found = _with_reference(listed.auto_paging_iter(), attempt.reference)
                if found is None:
                    return None
                reference = found["id"]
            return facts(service.checkout.sessions.retrieve(reference, {"expand": expand}))

    # Stored cards

    def start_card_save(self, setup: CardSetup) -> Redirect:
        """Make a Checkout Session in setup mode, for a Customer that is made first when there is none."""
        customer = self._known_customer(setup.customer_reference) or self._make_customer(setup)
        return self._open_page(
            setup,
            mode="setup",
            customer=customer,
            setup_intent_data={"metadata": {"reference": setup.reference}},
        )

    def _known_customer(self, reference: str) -> str:
        """Return the reference while Stripe has that Customer; somebody may have deleted it in the dashboard."""
        if not reference:
            return ""
        with asking() as service:
            try:
                known = facts(service.customers.retrieve(reference))
            except stripe.InvalidRequestError as error:
                if error.http_status != 404:
                    raise
                return ""
        return "" if known.get("deleted") else reference

    def _make_customer(self, setup: CardSetup) -> str:
        params: dict[str, Any] = {
            "name": setup.name,
            "metadata": {"reference": setup.reference},
            **({"email": setup.email} if setup.email.isascii() and setup.email else {}),
        }
        with asking() as service:
            made = service.customers.create(params, {"idempotency_key": f"{setup.reference}-customer"})
            return str(made.id)

    def confirm_card_save(self, setup: CardSetup) -> CardResult:
        """Fetch the page with the card that it stored."""
        session = self._find_session(setup, expand=["setup_intent.payment_method"])
        if session is None:
            return CardResult(status="absent" if _is_surely_over(setup) else "unknown")
        return reading.read_setup(session)

    def charge_card(self, card: Card, attempt: Attempt, *, reason: ChargeReason) -> Result:
        """Make and confirm a PaymentIntent. An attempt that is not fresh is looked up and never charged.

        Stripe is told that nobody is there, whatever the reason: where the bank wants to ask, the charge is refused at
        once instead of waiting, and the holder pays on the hosted page.
        """
        self._require_cents(attempt.currency)
        if timezone.now() - attempt.begun_at > CHARGE_WITHIN:
            return self.confirm(attempt)
        params = {
            "amount": reading.to_minor(attempt.amount),
            "currency": attempt.currency.lower(),
            "customer": card.customer_reference,
            "payment_method": card.token,
            "off_session": True,
            "confirm": True,
            "metadata": {"reference": attempt.reference},
            "expand": ["latest_charge"],
        }
        with asking() as service:
            try:
                intent = facts(service.payment_intents.create(params, {"idempotency_key": attempt.reference}))
            except stripe.CardError as error:
                return reading.read_decline(*_refusal(error))
            _close_unanswered(service, intent)
        return reading.read_intent(intent)

    def _find_intent(self, attempt: Attempt) -> Facts | None:
        with asking() as service:
            reference = attempt.gateway_reference
            if not reference and attempt.card is not None:
                window = {"customer": attempt.card.customer_reference, "created": _when(attempt), "limit": 100}
                found = _with_reference(service.payment_intents.list(window).auto_paging_iter(), attempt.reference)
                reference = found["id"] if found else ""
            if not reference:
                return None
            intent = facts(service.payment_intents.retrieve(reference, {"expand": ["latest_charge"]}))
            _close_unanswered(service, intent)
            return intent

    def forget_card(self, card: Card) -> None:
        """Detach the card from its customer; Stripe cannot charge it from then on."""
        with asking() as service:
            try:
                service.payment_methods.detach(card.token)
            except stripe.InvalidRequestError as error:
                if not _is_gone(service, card.token):
                    raise
                log.info("%s was gone already: %s", card.token, error)

    # Money that goes back

    def refund(self, *, gateway_reference: str, amount: Decimal, currency: str, key: str) -> Result:
        """Refund a part or all of a PaymentIntent. Looked up first: a key of more than a day ago means nothing to Stripe."""
        known = self._find_refund(gateway_reference, key)
        if known is not None:
            return reading.read_refund(known)
        params = {
            "payment_intent": gateway_reference,
            "amount": reading.to_minor(amount),
            "metadata": {"key": key},
        }
        with asking() as service:
            try:
                return reading.read_refund(facts(service.refunds.create(params, {"idempotency_key": key})))
            except stripe.InvalidRequestError as error:
                return Result(status="declined", message=str(error.user_message or error))

    def _find_refund(self, payment: str, key: str) -> Facts | None:
        with asking() as service:
            listed = service.refunds.list({"payment_intent": payment, "limit": 100})
            return next((row for row in map(facts, listed.auto_paging_iter()) if _noted(row, "key") == key), None)

    def confirm_refund(self, *, gateway_reference: str, key: str) -> Result:
        """Fetch the refund."""
        with asking() as service:
            return reading.read_refund(facts(service.refunds.retrieve(gateway_reference)))

    # Reports

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Event | None:
        """Verify the signature over the raw body, by any of the secrets; read what it is about."""
        secrets = [secret.strip() for secret in settings.STRIPE_WEBHOOK_SECRET.split(",") if secret.strip()]
        report = events.verify(body, headers.get(SIGNATURE_HEADER, ""), secrets)
        described = events.describe(report)
        if described is None:
            return None
        about, shown = described
        reference = events.reference_in(about, shown) or (self._disputed(shown) if about == "dispute" else "")
        return Event(id=str(report["id"]), reference=reference, about=about) if reference else None

    def _disputed(self, dispute: Facts) -> str:
        """Return our reference of the payment in dispute: Stripe tells only its own."""
        if not dispute.get("payment_intent"):
            return ""
        with asking() as service:
            return _noted(facts(service.payment_intents.retrieve(str(dispute["payment_intent"]))), "reference")

    def _require_cents(self, currency: str) -> None:
        if not self.takes(currency):
            raise GatewayError(f"Stripe does not count {currency} in hundredths.")


def _when(attempt: Attempt | CardSetup) -> dict[str, int]:
    """Return the only time in which something of this attempt can have been made, as Stripe's clock may have it."""
    earliest, latest = attempt.begun_at - CLOCKS_DIFFER, attempt.begun_at + SURELY_OVER + CLOCKS_DIFFER
    return {"gte": int(earliest.timestamp()), "lte": int(latest.timestamp())}


def _noted(thing: Facts, name: str) -> str:
    return str((thing.get("metadata") or {}).get(name, ""))


def _with_reference(things: Iterable[Any], reference: str) -> Facts | None:
    return next((thing for thing in map(facts, things) if _noted(thing, "reference") == reference), None)


def _is_surely_over(attempt: Attempt | CardSetup) -> bool:
    return timezone.now() - attempt.begun_at > SURELY_OVER


def _not_found(attempt: Attempt) -> Result:
    return Result(status="absent" if _is_surely_over(attempt) else "unknown")


def _close_unanswered(service: Any, intent: Facts) -> None:
    """Cancel a charge that waits for its cardholder: nobody will answer, and the next attempt is another one."""
    if intent["status"] in ("requires_action", "requires_confirmation"):
        service.payment_intents.cancel(intent["id"])


def _refusal(error: stripe.CardError) -> tuple[Facts, str]:
    """Return what the card's bank said, and the reference of the intent that was made all the same."""
    answer = error.json_body if isinstance(error.json_body, dict) else {}
    said: Facts = answer.get("error") or {}
    return said, str((said.get("payment_intent") or {}).get("id", ""))


def _is_gone(service: Any, token: str) -> bool:
    try:
        return facts(service.payment_methods.retrieve(token)).get("customer") is None
    except stripe.InvalidRequestError as error:
        return error.http_status == 404
