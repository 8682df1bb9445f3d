"""Money is in: the one place where it counts. Webhook, return page and reconciler all end here, any number of times."""

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from opscom.core import audit
from opscom.core.errors import Busy, Refused, Stale
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_row
from opscom.core.money import ZERO
from opscom.core.transitions import advance
from payments import emails
from payments.gateways.base import Result
from payments.models import (
    LINE_MOVES,
    ORDER_MOVES,
    PAYMENT_MOVES,
    PROMISE_MOVES,
    LineStatus,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentStatus,
    Promise,
    PromiseStatus,
    RefundReason,
    ReviewReason,
)
from payments.purchasables import Done, get_purchasable
from payments.services.refunds import owe_refund

log = logging.getLogger(__name__)
RETRY_AFTER = timedelta(minutes=1)
# An obstacle that should pass by itself and has not after an hour is shown to the office, too.
QUIET_TRIES = 6
UNDELIVERED = Q(status__in=[LineStatus.SETTLED, LineStatus.NEEDS_REVIEW])


@transaction.atomic(durable=True)
def settle(*, payment_id: int, result: Result) -> bool:
    """Count an approved payment, once; returns whether this call counted it.

    The order is paid by its first payment; a second payment of it goes back whole, and so does each line whose thing was
    paid for elsewhere. An amount or currency that differs is kept for the office. Delivery comes after the commit.
    """
    order = lock_row(Order.objects.filter(payments=payment_id), "order")
    payment = lock_row(Payment.objects.filter(pk=payment_id), "payment")
    if payment.status == PaymentStatus.APPROVED:
        return False
    matches = (result.amount, result.currency) == (payment.amount, payment.currency)
    # The office adjusted the order while this payment was under way or given up: the sum is no longer the right one.
    matches = matches and (order.status == OrderStatus.PAID or payment.amount == order.due)
    advance(
        payment,
        PaymentStatus.APPROVED,
        table=PAYMENT_MOVES,
        approved_at=timezone.now(),
        received_amount=ZERO if result.amount is None else result.amount,
        received_currency=result.currency,
        gateway_reference=result.gateway_reference or payment.gateway_reference,
        card_label=result.card_label[:60],
        next_check_at=None,
        needs_review="" if matches else ReviewReason.AMOUNT,
    )
    audit.record("payment.approved", payment, amount=str(result.amount), currency=result.currency)
    if not matches:
        audit.record("payment.needs_review", payment, due=str(payment.amount), received=str(result.amount))
    elif order.status == OrderStatus.PAID:
        owe_refund(payment=payment, amount=payment.amount, reason=RefundReason.PAID_TWICE)
    else:
        capture_lines(order, payment)
    return True


@transaction.atomic
def settle_free_order(*, order: Order) -> None:
    """An order of nothing is paid at once, without a gateway."""
    order = lock_row(Order.objects.filter(pk=order.pk), "order")
    if order.status == OrderStatus.OPEN and order.due == 0:
        capture_lines(order, None)


def capture_lines(order: Order, payment: Payment | None) -> None:
    """Mark the locked order paid, and each line settled, or owed back when another order was first."""
    for line in order.lines.order_by("kind", "object_id"):
        try:
            with transaction.atomic():
                advance(line, LineStatus.SETTLED, table=LINE_MOVES, settled=True)
        except IntegrityError:
            line.refresh_from_db()
            owe_line(line, payment, RefundReason.PAID_ELSEWHERE)
    advance(order, OrderStatus.PAID, table=ORDER_MOVES, paid_at=timezone.now())
    # Money that was promised has come in another way: by now, a promise that was kept is no longer waiting.
    for promise in Promise.objects.filter(order=order, status=PromiseStatus.PROMISED):
        advance(promise, PromiseStatus.PAID_OTHERWISE, table=PROMISE_MOVES, closed_at=timezone.now())
        audit.record("promise.paid_otherwise", promise)
    after_commit(_announce, order.pk)


def owe_line(line: OrderLine, payment: Payment | None, reason: RefundReason) -> None:
    """This line's money goes back; without money (a free order) it is simply over."""
    advance(line, LineStatus.REFUND_DUE, table=LINE_MOVES, settled=False, next_try_at=None)
    if payment is None or line.kept == 0:
        advance(line, LineStatus.REFUNDED, table=LINE_MOVES)
    else:
        owe_refund(payment=payment, amount=line.kept, reason=reason, line=line, frees=True)


def _announce(order_id: int) -> None:
    from payments.tasks import finish_order as task  # noqa: PLC0415 - tasks import services

    task.delay(order_id)


def finish_order(order_id: int) -> None:
    """Deliver what is paid, line by line, each in a transaction of its own, then write the receipt. Twice is once."""
    order = Order.objects.get(pk=order_id)
    if order.status != OrderStatus.PAID or order.finished_at:
        return
    for line in order.lines.filter(_is_due(timezone.now())).order_by("kind", "object_id"):
        _deliver(line)
    _finish(order_id)


def orders_to_finish() -> list[int]:
    """Return paid orders with a delivery that is due now, or with none left and no receipt: their task was lost.

    Deliveries that failed a moment ago are left out: however many there are, they stand before nobody else.
    """
    unfinished = Order.objects.filter(status=OrderStatus.PAID, finished_at__isnull=True)
    lines = OrderLine.objects.filter(order=OuterRef("pk"))
    waits = unfinished.filter(Exists(lines.filter(_is_due(timezone.now()))) | ~Exists(lines.filter(UNDELIVERED)))
    return list(waits.order_by("paid_at").values_list("pk", flat=True)[:200])


def _is_due(now: datetime) -> Q:
    return UNDELIVERED & (Q(next_try_at__isnull=True) | Q(next_try_at__lte=now))


def _deliver(line: OrderLine) -> None:
    try:
        deliver_line(line_id=line.pk)
    except (Busy, Stale, OperationalError) as error:
        _postpone(line, error, review=False)
    except Exception as error:
        # The money is in and our own code failed: keep the money, tell the office, try again.
        log.exception("order line %s could not be delivered", line.pk)
        _postpone(line, error, review=True)


@transaction.atomic(durable=True)
def deliver_line(*, line_id: int) -> None:
    """Deliver one settled line: fulfilled, or owed back when its product refuses; anything else is raised."""
    order = lock_row(Order.objects.filter(lines=line_id), "order")
    line = OrderLine.objects.get(pk=line_id)
    if line.status not in (LineStatus.SETTLED, LineStatus.NEEDS_REVIEW):
        return
    with override(order.language):
        outcome = get_purchasable(line.kind).fulfil(line.object_id, order=order)
    if isinstance(outcome, Refused):
        owe_line(line, order.paying_payment, RefundReason.NOT_AVAILABLE)
        audit.record("order_line.refused", line, reason=str(outcome.reason))
    elif isinstance(outcome, Done):
        advance(line, LineStatus.FULFILLED, table=LINE_MOVES, next_try_at=None, last_error="")
    else:
        raise TypeError(f"{line.kind} answered {outcome!r} instead of Done or Refused.")


@transaction.atomic
def _postpone(line: OrderLine, error: Exception, *, review: bool) -> None:
    facts = {
        "next_try_at": timezone.now() + RETRY_AFTER * 2 ** min(line.attempts, 8),
        "attempts": line.attempts + 1,
        "last_error": repr(error)[:2000],
    }
    fresh = OrderLine.objects.get(pk=line.pk)
    if (review or fresh.attempts >= QUIET_TRIES) and fresh.status == LineStatus.SETTLED:
        try:
            advance(fresh, LineStatus.NEEDS_REVIEW, table=LINE_MOVES, **facts)
        except Stale:
            return  # Another worker delivered it meanwhile.
        audit.record("order_line.needs_review", fresh, error=facts["last_error"])
    else:
        OrderLine.objects.filter(UNDELIVERED, pk=line.pk).update(**facts)


@transaction.atomic
def _finish(order_id: int) -> None:
    order = lock_row(Order.objects.filter(pk=order_id), "order")
    emails.receipt(order)
    if not order.lines.filter(UNDELIVERED).exists() and order.finished_at is None:
        Order.objects.filter(pk=order.pk).update(finished_at=timezone.now())


def explain_review() -> str:
    """Return the one sentence that a payer reads while the office looks at their money."""
    return _(
        "We have received your payment and are checking it. The office will write to you; please do not pay again."
    )
