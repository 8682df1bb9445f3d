"""The demo bank as the portal sees it: the first gateway. Its books are its own; only these calls cross over."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from demo.bank import cards, services
from demo.bank.models import BankCardPage, BankRefund, BankSession, CardPageStatus, SessionStatus
from payments.gateways.base import (
    Attempt,
    Card,
    CardResult,
    CardSetup,
    ChargeReason,
    Event,
    Gateway,
    GatewayError,
    NotSigned,
    Redirect,
    Result,
)

SESSION_LIFE = timedelta(minutes=20)
SIGNATURE_HEADER = "X-Demo-Bank-Signature"


def sign(body: bytes) -> str:
    """Return the signature that the bank puts on a report."""
    key = hashlib.sha256(b"demo bank" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, body, hashlib.sha256).hexdigest()


class DemoBank(Gateway):
    """A hosted page with test cards: approves, declines, asks, times out, reports twice, late, or without coming back."""

    code = "demo-bank"
    label = _("Demo Bank")
    stores_cards = True

    def start(self, attempt: Attempt) -> Redirect:
        """Open a page; the same reference twice is the same page."""
        session, _made = BankSession.objects.get_or_create(
            reference=attempt.reference,
            defaults={
                "amount": attempt.amount,
                "currency": attempt.currency,
                "label": attempt.label,
                "language": attempt.language,
                "return_url": attempt.return_url,
                "expires_at": timezone.now() + SESSION_LIFE,
            },
        )
        url = settings.SITE_URL + reverse("demo:bank-page", args=[session.token])
        return Redirect(url=url, gateway_reference=session.token, expires_at=session.expires_at)

    def confirm(self, attempt: Attempt) -> Result:
        """Say what became of the page."""
        session = BankSession.objects.filter(reference=attempt.reference).first()
        if session is None:
            return Result(status="absent")
        if session.answers_from and timezone.now() < session.answers_from:
            raise GatewayError("The demo bank did not answer in time.")
        return _describe_session(services.finish_processing(session))

    def refund(self, *, gateway_reference: str, amount: Decimal, currency: str, key: str) -> Result:
        """Give money back, never more than was taken; a repeated key is the same refund."""
        session = BankSession.objects.filter(token=gateway_reference, status=SessionStatus.APPROVED).first()
        if session is None or currency != session.currency:
            return Result(status="declined", message="No such payment")
        refund = services.give_back(session, amount=amount, key=key)
        return _describe_refund(refund) if refund else Result(status="declined", message="More than was paid")

    def confirm_refund(self, *, gateway_reference: str, key: str) -> Result:
        """Say what became of a refund."""
        refund = BankRefund.objects.select_related("session").filter(key=key).first()
        return _describe_refund(refund) if refund else Result(status="absent")

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Event | None:
        """Verify the signature over the raw body, then read the event."""
        if not hmac.compare_digest(sign(body).encode(), headers.get(SIGNATURE_HEADER, "").encode()):
            raise NotSigned
        report = json.loads(body)
        about = report.get("about", "payment")
        if about not in ("payment", "refund", "card"):
            return None
        return Event(id=str(report["id"]), reference=str(report["reference"]), about=about)

    def start_card_save(self, setup: CardSetup) -> Redirect:
        """Open a page that stores a card; the same reference twice is the same page."""
        known = {"customer_reference": setup.customer_reference} if setup.customer_reference else {}
        page, _made = BankCardPage.objects.get_or_create(
            reference=setup.reference,
            defaults={
                **known,
                "name": setup.name,
                "language": setup.language,
                "return_url": setup.return_url,
                "expires_at": timezone.now() + SESSION_LIFE,
            },
        )
        url = settings.SITE_URL + reverse("demo:bank-card", args=[page.token])
        return Redirect(url=url, gateway_reference=page.token, expires_at=page.expires_at)

    def confirm_card_save(self, setup: CardSetup) -> CardResult:
        """Say what became of the page."""
        page = BankCardPage.objects.filter(reference=setup.reference).select_related("card").first()
        if page is None:
            return CardResult(status="absent")
        if page.card is not None:
            card = Card(
                customer_reference=page.customer_reference,
                token=page.card.token,
                brand=page.card.brand,
                last_four=page.card.ending,
                expires_on=page.card.expires_on,
            )
            return CardResult(status="stored", card=card)
        if page.status == CardPageStatus.DECLINED:
            return CardResult(status="declined", message="Card declined")
        if page.status == CardPageStatus.CANCELLED:
            return CardResult(status="declined", message="Cancelled by its holder")
        return CardResult(status="pending")

    def charge_card(self, card: Card, attempt: Attempt, *, reason: ChargeReason) -> Result:
        """Charge a stored card; the same reference again is the same charge."""
        session = cards.charge(
            token=card.token,
            customer_reference=card.customer_reference,
            reference=attempt.reference,
            amount=attempt.amount,
            currency=attempt.currency,
            label=attempt.label,
        )
        if session is None:
            return Result(status="declined", message="No such card")
        return self.confirm(attempt)

    def forget_card(self, card: Card) -> None:
        """Forget it; a charge of it is declined from then on."""
        cards.forget(token=card.token, customer_reference=card.customer_reference)


def _describe_session(session: BankSession) -> Result:
    brand = session.card.brand if session.card else "Visa"
    facts: dict[str, Any] = {"gateway_reference": session.token, "card_label": f"{brand} ···· {session.card_ending}"}
    if session.status == SessionStatus.APPROVED:
        return Result(status="approved", amount=session.amount, currency=session.currency, **facts)
    if session.status == SessionStatus.DECLINED:
        return Result(status="declined", message="Card declined", **facts)
    if session.status == SessionStatus.NEEDS_CUSTOMER:
        return Result(status="needs_customer", message="The cardholder must be asked first", **facts)
    if session.status == SessionStatus.CANCELLED:
        return Result(status="declined", message="Cancelled by the payer", gateway_reference=session.token)
    if session.status == SessionStatus.OPEN and session.expires_at <= timezone.now():
        return Result(status="expired", message="The page closed", gateway_reference=session.token)
    return Result(status="pending", gateway_reference=session.token)


def _describe_refund(refund: BankRefund) -> Result:
    facts: dict[str, Any] = {
        "gateway_reference": f"refund-{refund.pk}",
        "amount": refund.amount,
        "currency": refund.session.currency,
    }
    if refund.is_pending:
        return Result(status="pending", **facts)
    if refund.has_failed:
        return Result(status="declined", message="The card's bank did not take the refund", **facts)
    return Result(status="approved", **facts)
