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
    ACCOUNT,
    HANDED_BACK,
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

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=3)
ASK_PENDING_AFTER = timedelta(hours=1)
MOST_ATTEMPTS = 12
# The gateway is asked about these when the next look is due.
ASKED = (RefundStatus.PENDING, RefundStatus.SUCCEEDED)


def owe_refund(
    *,
    payment: Payment,
    amount: Decimal,
    reason: RefundReason,
    line: OrderLine | None = None,
    frees: bool = False,
    note: str = "",
    status: RefundStatus = RefundStatus.DUE,
    actor: Any = None,
) -> Refund:
    """Write a refund that the worker will send. The caller holds the order's lock; never more than was received.

    `frees`: what the line bought is taken back, or never was delivered.
    """
    if amount <= 0 or payment.received_amount is None:
        raise NotAllowed(_("A refund must be more than nothing, and not more than was received."))
    count_returned(payment, line, amount)
    refund = Refund.objects.create(
        payment=payment,
        amount=amount,
        reason=reason,
        line=line,
        frees=frees,
        note=note,
        status=status,
        requested_by=actor,
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


def due_refunds() -> list[int]:
    """Return the ids of refunds to send now, those of a worker that died among them; none that go back by hand."""
    due = Refund.objects.filter(_is_due(timezone.now())).exclude(payment__gateway__in=HANDED_BACK)
    return list(due.order_by("pk").values_list("pk", flat=True)[:100])


def _is_due(now: datetime) -> Q:
    due = Q(status=RefundStatus.DUE) & (Q(next_try_at__isnull=True) | Q(next_try_at__lte=now))
    return due | Q(status=RefundStatus.SENDING, leased_until__lt=now)


def send_refund(refund_id: int) -> None:
    """Claim one refund, ask the gateway, note the answer. Two workers at once send once."""
    refund = _claim(refund_id)
    if refund is None:
        return
    try:
        result = _ask_to_send(refund)
    except GatewayError as error:
        result = Result(status="unknown", message=repr(error))
    except Exception as error:
        # A gateway that has left the settings, or an answer that our code cannot read: as unknown as no answer.
        log.exception("refund %s could not be sent", refund.reference)
        result = Result(status="unknown", message=repr(error))
    _note_answer(refund, result)


def _ask_to_send(refund: Refund) -> Result:
    payment = refund.payment
    if payment.gateway == ACCOUNT:
        # No money has moved: the company's next statement lists it as a credit.
        return Result(status="approved")
    return installed_gateways()[payment.gateway].refund(
        gateway_reference=payment.gateway_reference,
        amount=refund.amount,
        currency=payment.received_currency,
        key=refund.reference,
    )


@transaction.atomic(durable=True)
def _claim(refund_id: int) -> Refund | None:
    now = timezone.now()
    refund = (
        Refund.objects.filter(_is_due(now), pk=refund_id)
        .exclude(payment__gateway__in=HANDED_BACK)
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
    reference = result.gateway_reference or refund.gateway_reference
    if result.status == "approved":
        if refund.status == RefundStatus.FAILED:
            count_returned(refund.payment, refund.line, refund.amount)
        note_success(order, refund, gateway_reference=reference)
    elif result.status in ("declined", "absent") or refund.attempts >= MOST_ATTEMPTS:
        note_failure(refund, result, is_final=result.status in ("declined", "absent"))
    elif result.status == "pending":
        advance(
            refund,
            RefundStatus.PENDING,
            table=REFUND_MOVES,
            gateway_reference=reference,
            last_error=result.message,
            leased_until=None,
            next_try_at=timezone.now() + ASK_PENDING_AFTER,
        )
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


def note_success(order: Order, refund: Refund, *, gateway_reference: str = "") -> None:
    """The money has gone back. The caller holds the order's lock."""
    advance(
        refund,
        RefundStatus.SUCCEEDED,
        table=REFUND_MOVES,
        succeeded_at=timezone.now(),
        gateway_reference=gateway_reference,
        leased_until=None,
        next_try_at=None,
    )
    if refund.line is not None and refund.frees and refund.line.status == LineStatus.REFUND_DUE:
        advance(refund.line, LineStatus.REFUNDED, table=LINE_MOVES)
    audit.record("refund.succeeded", refund, amount=str(refund.amount))
    emails.refunded(order, refund)


def note_failure(refund: Refund, result: Result, *, is_final: bool) -> None:
    """The money is still, or again, with us, and the office must act. The caller holds the order's lock."""
    advance(
        refund,
        RefundStatus.FAILED,
        table=REFUND_MOVES,
        last_error=result.message,
        was_refused=is_final,
        succeeded_at=None,
        leased_until=None,
        next_try_at=None,
    )
    count_returned(refund.payment, refund.line, -refund.amount)
    audit.record("refund.failed", refund, message=result.message)


def pending_refunds() -> list[int]:
    """Return the ids of refunds to ask about: taken and not done when last asked, or done and reported on since."""
    pending = Refund.objects.filter(status__in=ASKED, next_try_at__lte=timezone.now())
    return list(pending.order_by("next_try_at").values_list("pk", flat=True)[:100])


def check_refund(refund_id: int) -> None:
    """Ask the gateway what became of a refund that it took, also of one that was called done: banks send some back."""
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    if refund.status not in ASKED or refund.payment.is_by_hand:
        return
    # One that is done is asked again only while a report about it has no answer.
    waits = Refund.objects.filter(pk=refund_id, status__in=ASKED, next_try_at__isnull=False)
    waits.update(next_try_at=timezone.now() + ASK_PENDING_AFTER)
    gateway = installed_gateways().get(refund.payment.gateway)
    try:
        if gateway is None:
            return
        result = gateway.confirm_refund(gateway_reference=refund.gateway_reference, key=refund.reference)
    except GatewayError as error:
        log.warning("refund %s: the gateway does not answer: %s", refund.reference, error)
        return
    _note_later_answer(refund, result)


@transaction.atomic(durable=True)
def _note_later_answer(refund: Refund, result: Result) -> None:
    order = lock_row(Order.objects.filter(pk=refund.payment.order_id), "order")
    refund.refresh_from_db()
    if result.status == "approved" and refund.status == RefundStatus.PENDING:
        note_success(order, refund, gateway_reference=result.gateway_reference or refund.gateway_reference)
    elif result.status == "approved" and refund.status == RefundStatus.SUCCEEDED:
        Refund.objects.filter(pk=refund.pk).update(next_try_at=None)
    elif result.status == "declined" and refund.status in ASKED:
        note_failure(refund, result, is_final=True)


def find_refund(gateway: str, reference: str) -> Refund | None:
    """Return the refund that a gateway's report names by our reference."""
    return Refund.objects.filter(payment__gateway=gateway, reference=reference).first()


def hurry_refund(refund: Refund) -> None:
    """Let the reconciler ask about it now, also when the gateway has called it done."""
    Refund.objects.filter(pk=refund.pk, status__in=ASKED).update(next_try_at=timezone.now())


@transaction.atomic
def retry_refund(*, refund: Refund, actor: Any) -> Refund:
    """The office tries a failed refund again, and returns what is sent now.

    While the gateway's answer is unknown that is the same refund with the same key, which can go out only once. After a
    clear no it is a new one. Raises NotAllowed when it has been tried again already.
    """
    lock_row(Order.objects.filter(pk=refund.payment.order_id), "order")
    refund = Refund.objects.select_related("payment", "line").get(pk=refund.pk)
    if refund.status != RefundStatus.FAILED or Refund.objects.filter(replaces=refund).exists():
        raise NotAllowed(_("Only a refund that failed can be tried again, and once."))
    if refund.was_refused:
        again = owe_refund(
            payment=refund.payment,
            amount=refund.amount,
            reason=RefundReason(refund.reason),
            line=refund.line,
            frees=refund.frees,
            note=refund.note,
            actor=actor,
        )
        Refund.objects.filter(pk=again.pk).update(replaces=refund)
    else:
        count_returned(refund.payment, refund.line, refund.amount)
        advance(refund, RefundStatus.DUE, table=REFUND_MOVES, next_try_at=None, attempts=0)
        again = refund
    audit.record("refund.retried", again, actor=actor)
    return again
