"""Stripe's answers in our words: pure functions over plain dictionaries."""

from datetime import date
from decimal import Decimal
from typing import Any

from payments.gateways.base import Card, CardResult, Result
from payments.gateways.stripe.client import Facts

# Amounts are in the currency's smallest unit. These have none, or a thousandth; our sums have two places.
# https://docs.stripe.com/currencies (zero-decimal, three-decimal)
WITHOUT_CENTS = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "JPY",
        "KMF",
        "KRW",
        "MGA",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
        "BHD",
        "JOD",
        "KWD",
        "OMR",
        "TND",
    ]
)
BRANDS = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "discover": "Discover",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}
LOCALES = {"en": "en", "fr": "fr", "fr-ca": "fr-CA"}


def to_minor(amount: Decimal) -> int:
    """Return the sum in cents; raises ValueError when it is not a whole number of them."""
    cents = amount.scaleb(2)
    if cents != cents.to_integral_value():
        raise ValueError(f"{amount} is not a whole number of cents.")
    return int(cents)


def from_minor(cents: int) -> Decimal:
    """Return cents as a sum with two places."""
    return Decimal(cents).scaleb(-2)


def _part(whole: Facts | None, name: str) -> Facts:
    """Return the part when it came along; Stripe gives its id alone, or nothing, when it was not asked for."""
    part = (whole or {}).get(name)
    return part if isinstance(part, dict) else {}


def read_session(session: Facts) -> Result:
    """Return what became of a hosted page; once paid, the reference is that of its PaymentIntent."""
    reference = str(session["id"])
    if session["status"] == "open":
        return Result(status="pending", gateway_reference=reference)
    if session["status"] == "expired":
        return Result(status="expired", gateway_reference=reference, message="The page closed unpaid")
    intent = _part(session, "payment_intent")
    if session["payment_status"] == "paid" and intent:
        return read_intent(intent)
    # Finished and not paid: a method that takes days is under way, or has failed.
    has_failed = intent.get("status") in ("requires_payment_method", "canceled")
    return Result(status="declined" if has_failed else "pending", gateway_reference=reference)


def read_intent(intent: Facts) -> Result:
    """Return what became of a PaymentIntent, with the sum and currency that Stripe took."""
    reference, status = str(intent["id"]), intent["status"]
    if status == "succeeded":
        return Result(
            status="approved",
            gateway_reference=reference,
            # What was received, which is what was asked unless only a part was captured.
            amount=from_minor(intent["amount_received"] if "amount_received" in intent else intent["amount"]),
            currency=str(intent["currency"]).upper(),
            card_label=_card_label(_part(intent, "latest_charge")),
        )
    if status in ("processing", "requires_capture"):
        return Result(status="pending", gateway_reference=reference)
    if status in ("requires_action", "requires_confirmation"):
        return Result(status="needs_customer", gateway_reference=reference)
    return read_decline(_part(intent, "last_payment_error"), reference)


def read_decline(error: Facts, reference: str) -> Result:
    """Return a refusal of the card's bank: declined for good, or a wish to ask the cardholder."""
    needs_customer = error.get("code") == "authentication_required"
    words = " ".join(str(error[name]) for name in ("decline_code", "message") if error.get(name))
    status: Any = "needs_customer" if needs_customer else "declined"
    return Result(status=status, gateway_reference=reference, message=words)


def _card_label(charge: Facts) -> str:
    card = _part(_part(charge, "payment_method_details"), "card")
    return f"{_brand(card)} ···· {card['last4']}" if card.get("last4") else ""


def _brand(card: Facts) -> str:
    code = str(card.get("brand") or "")
    return BRANDS.get(code, code.title())


def read_refund(refund: Facts) -> Result:
    """Return what became of a refund."""
    known: dict[str, Any] = {
        "gateway_reference": str(refund["id"]),
        "amount": from_minor(refund["amount"]),
        "currency": str(refund["currency"]).upper(),
    }
    if refund["status"] == "succeeded":
        return Result(status="approved", **known)
    if refund["status"] in ("failed", "canceled"):
        return Result(status="declined", message=str(refund.get("failure_reason") or refund["status"]), **known)
    return Result(status="pending", **known)


def read_setup(session: Facts) -> CardResult:
    """Return what became of a page that stores a card."""
    if session["status"] == "open":
        return CardResult(status="pending")
    if session["status"] == "expired":
        return CardResult(status="declined", message="The page closed")
    setup_intent = _part(session, "setup_intent")
    method = _part(setup_intent, "payment_method")
    if setup_intent.get("status") == "succeeded" and method:
        return CardResult(status="stored", card=read_card(method, str(session["customer"])))
    if setup_intent.get("status") == "processing":
        return CardResult(status="pending")
    return CardResult(status="declined", message=str(_part(setup_intent, "last_setup_error").get("message") or ""))


def read_card(method: Facts, customer: str) -> Card:
    """Return a stored card; it is valid through the last day of its month."""
    card = _part(method, "card")
    year, month = int(card["exp_year"]), int(card["exp_month"])
    return Card(
        customer_reference=customer,
        token=str(method["id"]),
        brand=_brand(card),
        last_four=str(card["last4"]),
        expires_on=date(year + month // 12, month % 12 + 1, 1),
    )
