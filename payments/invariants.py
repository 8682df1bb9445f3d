"""What must always be true of the books. Each function yields one sentence for each thing that is not."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from opscom.core.money import ZERO
from payments.models import (
    GatewayEvent,
    LineStatus,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)

STUCK_AFTER = dt.timedelta(hours=3)
UNANSWERED_AFTER = dt.timedelta(days=3)


def check_books() -> Iterator[str]:
    """Yield every broken rule of money."""
    yield from _orders_add_up()
    yield from _payments_match_orders()
    yield from _paid_orders_have_money()
    yield from _payments_are_accounted_for()
    yield from _refunds_fit()
    yield from _nothing_waits_forever()


def _orders_add_up() -> Iterator[str]:
    sums = Order.objects.annotate(
        lines_sum=Coalesce(Sum("lines__amount"), ZERO), lines_tax=Coalesce(Sum("lines__tax"), ZERO)
    )
    for order in sums.exclude(total=F("lines_sum"), tax=F("lines_tax")).iterator():
        yield f"Order {order.code}: total {order.total}, lines {order.lines_sum}."


def _payments_match_orders() -> Iterator[str]:
    """What was asked for is what the order costs, and what came in is that, or the office is told."""
    approved = Payment.objects.filter(status=PaymentStatus.APPROVED, needs_review="")
    other = approved.exclude(amount=F("order__total") + F("order__adjusted"), currency=F("order__currency"))
    for payment in other.select_related("order").iterator():
        yield f"Payment {payment.reference} is not for the sum of order {payment.order.code}."
    received = Payment.objects.filter(status=PaymentStatus.APPROVED, needs_review="")
    for payment in received.exclude(received_amount=F("amount"), received_currency=F("currency")).iterator():
        yield f"Payment {payment.reference} received another sum than was due, and the office is not told."


def _paid_orders_have_money() -> Iterator[str]:
    paid = Order.objects.filter(status=OrderStatus.PAID, total__gt=0)
    good = Payment.objects.filter(status=PaymentStatus.APPROVED, needs_review="")
    for order in paid.exclude(pk__in=good.values("order")).iterator():
        yield f"Order {order.code} is paid without a payment."
    for line in OrderLine.objects.filter(order__status=OrderStatus.PAID, status=LineStatus.OPEN).iterator():
        yield f"Line {line.pk} of a paid order is still open."
    for line in OrderLine.objects.exclude(status=LineStatus.OPEN).exclude(order__status=OrderStatus.PAID).iterator():
        yield f"Line {line.pk} was handled, and its order is not paid."
    undelivered = OrderLine.objects.filter(status__in=[LineStatus.SETTLED, LineStatus.NEEDS_REVIEW])
    for line in undelivered.filter(order__finished_at__isnull=False).iterator():
        yield f"Line {line.pk} is not delivered, and its order is called finished."


def _payments_are_accounted_for() -> Iterator[str]:
    """Received = kept on lines + given back or owed back, for each approved payment that is not under review."""
    approved = Payment.objects.filter(status=PaymentStatus.APPROVED, needs_review="").select_related("order")
    for payment in approved.prefetch_related("refunds", "order__lines").iterator(chunk_size=500):
        refunds = sum((refund.amount for refund in payment.refunds.all()), ZERO)
        lines = payment.order.lines.all() if payment.order.paying_payment == payment else []
        kept = sum((line.amount for line in lines if line.settled), ZERO)
        if payment.received_amount != kept + refunds:
            yield f"Payment {payment.reference}: {payment.received_amount} in, {kept} kept, {refunds} back."


def _refunds_fit() -> Iterator[str]:
    live = Q(refunds__status__in=[RefundStatus.DUE, RefundStatus.SENDING, RefundStatus.SUCCEEDED])
    given = Payment.objects.annotate(given=Coalesce(Sum("refunds__amount", filter=live), ZERO)).filter(given__gt=0)
    for payment in given.exclude(received_amount__gte=F("given")).iterator():
        yield f"Payment {payment.reference}: {payment.received_amount} in, {payment.given} back."
    for refund in Refund.objects.exclude(line=None).exclude(line__order=F("payment__order")).iterator():
        yield f"Refund {refund.reference} gives the money of one order back for another."
    for refund in (
        Refund.objects.filter(status=RefundStatus.SUCCEEDED).exclude(line=None).exclude(line__status="refunded")
    ):
        yield f"Refund {refund.reference} succeeded, and its line is not called refunded."
    refunds = Refund.objects.filter(line__isnull=False).exclude(amount=F("line__amount"))
    for refund in refunds.iterator():
        yield f"Refund {refund.reference} differs from its line."
    for line in OrderLine.objects.filter(status=LineStatus.REFUND_DUE, refunds__isnull=True).iterator():
        yield f"Line {line.pk} is owed back and has no refund."
    done = OrderLine.objects.filter(status=LineStatus.REFUNDED, amount__gt=0)
    for line in done.exclude(refunds__status=RefundStatus.SUCCEEDED).iterator():
        yield f"Line {line.pk} is called refunded, and no refund succeeded."


def _nothing_waits_forever() -> Iterator[str]:
    """A worker or a beat that stopped, and a gateway that has not answered for days, show here."""
    now = timezone.now()
    old = now - STUCK_AFTER
    waiting = Payment.objects.filter(status__in=[PaymentStatus.CREATED, PaymentStatus.STARTED])
    for payment in waiting.filter(next_check_at=None).iterator():
        yield f"Payment {payment.reference} is under way and nobody will ask about it."
    for payment in waiting.filter(created_at__lt=now - UNANSWERED_AFTER).iterator():
        yield f"Payment {payment.reference} has been under way for days: its gateway does not answer."
    for payment in Payment.objects.exclude(status=PaymentStatus.APPROVED).filter(next_check_at__lt=old).iterator():
        yield f"Payment {payment.reference} should have been asked about hours ago."
    sending = Refund.objects.filter(status=RefundStatus.SENDING, leased_until__lt=old)
    due = Refund.objects.filter(status=RefundStatus.DUE).annotate(since=Coalesce("next_try_at", "created_at"))
    for refund in [*sending, *due.filter(since__lt=old)]:
        yield f"Refund {refund.reference} should have been sent hours ago."
    for line in OrderLine.objects.filter(status=LineStatus.SETTLED, order__paid_at__lt=old).iterator():
        yield f"Line {line.pk} was paid hours ago, is not delivered, and the office is not told."
    for event in GatewayEvent.objects.filter(handled_at=None, received_at__lt=old).iterator():
        yield f"Event {event} has waited for hours."
