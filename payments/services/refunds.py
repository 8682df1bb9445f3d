"""Money that goes back: first a row, then the gateway, with one key for all tries of one refund."""

import logging
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.locks import lock_row
from opscom.core.transitions import advance
from payments import emails
from payments.gateways.base import GatewayError, Result
from payments.gateways.registry import installed_gateways
from payments.models import (
    LINE_MOVES,
    REFUND_MOVES,
    LineStatus,
    Order,
    OrderLine,
    Payment,
    Refund,
    RefundReason,
    RefundStatus,
)
from payments.purchasables import get_purchasable

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=3)
MOST_ATTEMPTS = 12


def owe_refund(
    *, payment: Payment, amount: Decimal, reason: RefundReason, line: OrderLine | None = None, actor: Any = None
) -> Refund:
    """Write a refund that the worker will send. The caller holds the order's lock; never more than was received."""
    if amount <= 0 or payment.received_amount is None:
        raise NotAllowed(_("A refund must be more than nothing, and not more than was received."))
    count_returned(payment, line, amount)
    # With a line: what was bought is taken back, or never was delivered.
    refund = Refund.objects.create(
        payment=payment, amount=amount, reason=reason, line=line, frees=line is not None, requested_by=actor
    )
    audit.record("refund.owed", refund, actor=actor, reason=reason, amount=str(amount))
    return refund


def count_returned(payment: Payment, line: OrderLine | None, amount: Decimal) -> None:
    """Add to what goes back of the payment, and of the line; NotAllowed beyond what came in. A minus takes it off again."""
    try:
        with transaction.atomic():
            Payment.objects.filter(pk=payment.pk).update(returned=F("returned") + amount)
            if line is not None:
                OrderLine.objects.filter(pk=line.pk).update(returned=F("returned") + amount)
    except IntegrityError as error:
        raise NotAllowed(_("A refund must be more than nothing, and not more than was received.")) from error
    payment.returned += amount
    if line is not None:
        line.returned += amount


@transaction.atomic
def refund_line(*, line: OrderLine, actor: Any) -> Refund | None:
    """The office gives a delivered line's money back in whole, and takes the thing back at once."""
    order = lock_row(Order.objects.filter(lines=line.pk), "order")
    line = OrderLine.objects.get(pk=line.pk)
    if line.status not in (LineStatus.FULFILLED, LineStatus.NEEDS_REVIEW):
        raise NotAllowed(_("Only a paid line can be refunded."))
    payment = order.paying_payment
    get_purchasable(line.kind).release(line.object_id, order=order)
    advance(line, LineStatus.REFUND_DUE, table=LINE_MOVES, settled=False, next_try_at=None)
    if payment is None or line.kept == 0:
        advance(line, LineStatus.REFUNDED, table=LINE_MOVES)
        return None
    return owe_refund(payment=payment, amount=line.kept, reason=RefundReason.OFFICE, line=line, actor=actor)


@transaction.atomic
def refund_unmatched_payment(*, payment: Payment, actor: Any) -> Refund:
    """The office sends back a payment whose amount did not match."""
    lock_row(Order.objects.filter(pk=payment.order_id), "order")
    payment = lock_row(Payment.objects.filter(pk=payment.pk), "payment")
    if not payment.needs_review or payment.received_amount is None or payment.refunds.exists():
        raise NotAllowed(_("Only a payment that waits for review can be sent back whole."))
    return owe_refund(payment=payment, amount=payment.received_amount, reason=RefundReason.WRONG_AMOUNT, actor=actor)


def due_refunds() -> list[int]:
    """Return the ids of refunds to send now, those of a worker that died among them."""
    return list(Refund.objects.filter(_is_due(timezone.now())).order_by("pk").values_list("pk", flat=True)[:100])


def _is_due(now: datetime) -> Q:
    due = Q(status=RefundStatus.DUE) & (Q(next_try_at__isnull=True) | Q(next_try_at__lte=now))
    return due | Q(status=RefundStatus.SENDING, leased_until__lt=now)


def send_refund(refund_id: int) -> None:
    """Claim one refund, ask the gateway, note the answer. Two workers at once send once."""
    refund = _claim(refund_id)
    if refund is None:
        return
    payment = refund.payment
    try:
        result = installed_gateways()[payment.gateway].refund(
            gateway_reference=payment.gateway_reference,
            amount=refund.amount,
            currency=payment.received_currency,
            key=refund.reference,
        )
    except GatewayError as error:
        result = Result(status="unknown", message=repr(error))
    except Exception as error:
        # A gateway that has left the settings, or an answer that our code cannot read: as unknown as no answer.
        log.exception("refund %s could not be sent", refund.reference)
        result = Result(status="unknown", message=repr(error))
    _note_answer(refund, result)


@transaction.atomic(durable=True)
def _claim(refund_id: int) -> Refund | None:
    now = timezone.now()
    refund = (
        Refund.objects.filter(_is_due(now), pk=refund_id)
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
        .select_related("payment__order")
        .first()
    )
    if refund is None:
        return None
    if refund.status == RefundStatus.SENDING:
        advance(refund, RefundStatus.DUE, table=REFUND_MOVES, leased_until=None)
    advance(refund, RefundStatus.SENDING, table=REFUND_MOVES, leased_until=now + LEASE, attempts=refund.attempts + 1)
    return refund


@transaction.atomic(durable=True)
def _note_answer(refund: Refund, result: Result) -> None:
    order = lock_row(Order.objects.filter(pk=refund.payment.order_id), "order")
    claim = refund.attempts
    refund.refresh_from_db()
    # A yes counts whenever it comes: the money has gone. Any other answer counts only while the claim is still ours.
    is_ours = refund.status == RefundStatus.SENDING and refund.attempts == claim
    if refund.status == RefundStatus.SUCCEEDED or not (is_ours or result.status == "approved"):
        return
    if result.status == "approved":
        if refund.status == RefundStatus.FAILED:
            count_returned(refund.payment, refund.line, refund.amount)
        advance(
            refund,
            RefundStatus.SUCCEEDED,
            table=REFUND_MOVES,
            succeeded_at=timezone.now(),
            gateway_reference=result.gateway_reference,
            leased_until=None,
        )
        if refund.line is not None and refund.frees:
            advance(refund.line, LineStatus.REFUNDED, table=LINE_MOVES)
        audit.record("refund.succeeded", refund, amount=str(refund.amount))
        emails.refunded(order, refund)
    elif result.status in ("declined", "absent") or refund.attempts >= MOST_ATTEMPTS:
        advance(refund, RefundStatus.FAILED, table=REFUND_MOVES, last_error=result.message, leased_until=None)
        count_returned(refund.payment, refund.line, -refund.amount)
        audit.record("refund.failed", refund, message=result.message)
    else:
        wait = timedelta(minutes=1) * 2 ** min(refund.attempts, 8)
        advance(
            refund,
            RefundStatus.DUE,
            table=REFUND_MOVES,
            last_error=result.message,
            leased_until=None,
            next_try_at=timezone.now() + wait,
        )


@transaction.atomic
def retry_refund(*, refund: Refund, actor: Any) -> None:
    """The office tries a failed refund again."""
    lock_row(Order.objects.filter(pk=refund.payment.order_id), "order")
    count_returned(refund.payment, refund.line, refund.amount)
    advance(refund, RefundStatus.DUE, table=REFUND_MOVES, next_try_at=None, attempts=0)
    audit.record("refund.retried", refund, actor=actor)
