"""The demo bank as the portal sees it: the first gateway. Its books are its own; only these calls cross over."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from demo.bank import services
from demo.bank.models import BankRefund, BankSession, SessionStatus
from opscom.core.money import ZERO
from payments.gateways.base import Attempt, Event, Gateway, GatewayError, NotSigned, Redirect, Result

SESSION_LIFE = timedelta(minutes=20)
SIGNATURE_HEADER = "X-Demo-Bank-Signature"


def sign(body: bytes) -> str:
    """Return the signature that the bank puts on a report."""
    key = hashlib.sha256(b"demo bank" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, body, hashlib.sha256).hexdigest()


class DemoBank(Gateway):
    """A hosted page with test cards: approves, declines, asks, times out, reports twice, late, or without coming back."""

    code = "demo-bank"
    label = _("Credit Card")

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
        session = services.finish_processing(session)
        facts: dict[str, Any] = {"gateway_reference": session.token, "card_label": f"Visa ···· {session.card_ending}"}
        if session.status == SessionStatus.APPROVED:
            return Result(status="approved", amount=session.amount, currency=session.currency, **facts)
        if session.status == SessionStatus.DECLINED:
            return Result(status="declined", message="Card declined", **facts)
        if session.status == SessionStatus.CANCELLED:
            return Result(status="declined", message="Cancelled by the payer", gateway_reference=session.token)
        return Result(status="pending", gateway_reference=session.token)

    def refund(self, *, gateway_reference: str, amount: Decimal, currency: str, key: str) -> Result:
        """Give money back, never more than was taken; a repeated key is the same refund."""
        session = BankSession.objects.filter(token=gateway_reference, status=SessionStatus.APPROVED).first()
        if session is None or currency != session.currency:
            return Result(status="declined", message="No such payment")
        known = BankRefund.objects.filter(key=key).first()
        if known is None:
            given = session.refunds.aggregate(sum=Sum("amount"))["sum"] or ZERO
            if given + amount > session.amount:
                return Result(status="declined", message="More than was paid")
            known = BankRefund.objects.create(session=session, key=key, amount=amount)
        return Result(status="approved", gateway_reference=f"refund-{known.pk}", amount=known.amount, currency=currency)

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Event | None:
        """Verify the signature over the raw body, then read the event."""
        if not hmac.compare_digest(sign(body).encode(), headers.get(SIGNATURE_HEADER, "").encode()):
            raise NotSigned
        report = json.loads(body)
        return Event(id=str(report["id"]), reference=str(report["reference"]))
