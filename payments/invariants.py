"""What must always be true of the books. Each function yields one sentence for each thing that is not."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import F, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from opscom.core.money import ZERO
from payments.models import LineStatus, Order, OrderLine, OrderStatus, Payment, PaymentStatus, Refund, RefundStatus

STUCK_AFTER = dt.timedelta(hours=3)


def check_books() -> Iterator[str]:
    """Yield every broken rule of money."""
    yield from _orders_add_up()
    yield from _paid_orders_have_money()
    yield from _payments_are_accounted_for()
    yield from _refunds_fit()
    yield from _nothing_waits_forever()


def _orders_add_up() -> Iterator[str]:
    sums = Order.objects.annotate(lines_sum=Coalesce(Sum("lines__amount"), ZERO)).exclude(total=F("lines_sum"))
    for order in sums.iterator():
        yield f"Order {order.code}: total {order.total}, lines {order.lines_sum}."


def _paid_orders_have_money() -> Iterator[str]:
    paid = Order.objects.filter(status=OrderStatus.PAID, total__gt=0)
    good = Payment.objects.filter(status=PaymentStatus.APPROVED, needs_review="")
    for order in paid.exclude(pk__in=good.values("order")).iterator():
        yield f"Order {order.code} is paid without a payment."
    for line in OrderLine.objects.filter(order__status=OrderStatus.PAID, status=LineStatus.OPEN).iterator():
        yield f"Line {line.pk} of a paid order is still open."
    for line in OrderLine.objects.exclude(status=LineStatus.OPEN).exclude(order__status=OrderStatus.PAID).iterator():
        yield f"Line {line.pk} was handled, and its order is not paid."


def _payments_are_accounted_for() -> Iterator[str]:
    """Received = kept on lines + given back or owed back, for each approved payment that is not under review."""
    approved = Payment.objects.filter(status=PaymentStatus.APPROVED, needs_review="").select_related("order")
    for payment in approved.prefetch_related("refunds", "order__lines").iterator(chunk_size=500):
        refunds = sum((refund.amount for refund in payment.refunds.all()), ZERO)
        first = payment.order.payments.filter(status=PaymentStatus.APPROVED, needs_review="").order_by("approved_at")[0]
        lines = payment.order.lines.all() if first == payment else []
        kept = sum((line.amount for line in lines if line.settled), ZERO)
        if payment.received_amount != kept + refunds:
            yield f"Payment {payment.reference}: {payment.received_amount} in, {kept} kept, {refunds} back."


def _refunds_fit() -> Iterator[str]:
    refunds = Refund.objects.filter(line__isnull=False).exclude(amount=F("line__amount"))
    for refund in refunds.iterator():
        yield f"Refund {refund.reference} differs from its line."
    for line in OrderLine.objects.filter(status=LineStatus.REFUND_DUE, refunds__isnull=True).iterator():
        yield f"Line {line.pk} is owed back and has no refund."
    done = OrderLine.objects.filter(status=LineStatus.REFUNDED, amount__gt=0)
    for line in done.exclude(refunds__status=RefundStatus.SUCCEEDED).iterator():
        yield f"Line {line.pk} is called refunded, and no refund succeeded."


def _nothing_waits_forever() -> Iterator[str]:
    waiting = Payment.objects.filter(status__in=[PaymentStatus.CREATED, PaymentStatus.STARTED], next_check_at=None)
    for payment in waiting.iterator():
        yield f"Payment {payment.reference} is under way and nobody will ask about it."
    stuck = Refund.objects.filter(status=RefundStatus.SENDING, leased_until__lt=timezone.now() - STUCK_AFTER)
    for refund in stuck.iterator():
        yield f"Refund {refund.reference} has been sending for hours."
