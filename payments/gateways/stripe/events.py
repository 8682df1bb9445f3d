"""Stripe's signed reports: whose they are, and what of ours they speak about."""

import json
from collections.abc import Iterable
from typing import Literal

import stripe

from payments.gateways.base import NotSigned
from payments.gateways.stripe.client import Facts

# Older than this, a report may be one that somebody recorded and sends again.
TOLERANCE_SECONDS = 300
About = Literal["payment", "refund", "card", "dispute"]
# What to subscribe to (docs/operations/gateways.md has the same list). A page reports by its mode.
PAGE_EVENTS = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.expired",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
    }
)
EVENTS: dict[str, About] = {
    **dict.fromkeys(PAGE_EVENTS, "payment"),
    "payment_intent.succeeded": "payment",
    "payment_intent.payment_failed": "payment",
    "payment_intent.canceled": "payment",
    "setup_intent.succeeded": "card",
    "setup_intent.setup_failed": "card",
    "setup_intent.canceled": "card",
    "refund.created": "refund",
    "refund.updated": "refund",
    "refund.failed": "refund",
    "charge.refunded": "payment",
    "charge.dispute.created": "dispute",
    "charge.dispute.updated": "dispute",
    "charge.dispute.closed": "dispute",
    "charge.dispute.funds_withdrawn": "dispute",
    "charge.dispute.funds_reinstated": "dispute",
}


def verify(body: bytes, signature: str, secrets: Iterable[str]) -> Facts:
    """Return the report; raises NotSigned unless one of the secrets signed these very bytes, minutes ago at most."""
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
        except (stripe.SignatureVerificationError, ValueError, TypeError):
            # Not only a wrong signature: bytes or a header that cannot be one (not UTF-8, not ASCII) come from strangers.
            continue
        report: Facts = json.loads(body)
        return report
    raise NotSigned


def describe(report: Facts) -> tuple[About, Facts] | None:
    """Return what the report is about and the object it shows; None when it is none that we know."""
    about = EVENTS.get(str(report["type"]))
    if about is None:
        return None
    shown: Facts = report["data"]["object"]
    if report["type"] in PAGE_EVENTS and shown.get("mode") == "setup":
        about = "card"
    return about, shown


def reference_in(about: About, shown: Facts) -> str:
    """Return our reference as we had it noted with the object; empty for what somebody made at Stripe by hand."""
    metadata = shown.get("metadata") or {}
    return str(shown.get("client_reference_id") or metadata.get("key" if about == "refund" else "reference") or "")
