"""What must always be true of the books. Each function yields one sentence for each thing that is not."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from opscom.core.money import ZERO
from payments.models import (
    COUNTER,
    EFT,
    LIVE_REFUNDS,
    NOT_TAKEN,
    PAYROLL,
    CardSave,
    CardSaveStatus,
    Debt,
    DebtStatus,
    Deduction,
    DeductionStatus,
    GatewayEvent,
    LineStatus,
    MethodKind,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentStatus,
    Promise,
    PromiseStatus,
    Refund,
    RefundStatus,
    Statement,
    StoredMethod,
    Subscription,
)

# A month, the days until it is closed, and a few more.
STATEMENT_BY = dt.timedelta(days=62)
STUCK_AFTER = dt.timedelta(hours=3)
UNANSWERED_AFTER = dt.timedelta(days=3)
# Banks take ten business days for a refund.
REFUND_TAKES_AT_MOST = dt.timedelta(days=21)


def check_books() -> Iterator[str]:
    """Yield every broken rule of money."""
    yield from _orders_add_up()
    yield from _payments_match_orders()
    yield from _paid_orders_have_money()
    yield from _payments_are_accounted_for()
    yield from _lines_are_accounted_for()
    yield from _refunds_fit()
    yield from _debts_are_true()
    yield from _promises_match_orders()
    yield from _nothing_waits_forever()
    yield from _stored_cards_are_looked_after()
    yield from _deductions_match_payments()
    yield from _statements_add_up()


def _orders_add_up() -> Iterator[str]:
    sums = Order.objects.annotate(
        lines_sum=Coalesce(Sum("lines__amount"), ZERO), lines_tax=Coalesce(Sum("lines__tax"), ZERO)
    )
    for order in sums.exclude(total=F("lines_sum"), tax=F("lines_tax")).iterator():
        yield f"Order {order.code}: total {order.total}, lines {order.lines_sum}."


def _payments_match_orders() -> Iterator[str]:
    """What was asked for is what the order costs, and what came in is that, or the office is told."""
    living = [PaymentStatus.CREATED, PaymentStatus.STARTED, PaymentStatus.APPROVED]
    asked = Payment.objects.filter(status__in=living, needs_review="").exclude(order__status=OrderStatus.CLOSED)
    other = asked.exclude(amount=F("order__total") + F("order__adjusted"), currency=F("order__currency"))
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
    """What is counted as given back is the sum of the refunds; a payment keeps just what its order's lines keep."""
    approved = Payment.objects.filter(status=PaymentStatus.APPROVED).select_related("order")
    for payment in approved.prefetch_related("refunds", "order__lines").iterator(chunk_size=500):
        refunds = [refund for refund in payment.refunds.all() if refund.status in LIVE_REFUNDS]
        back = sum((refund.amount for refund in refunds), ZERO)
        if payment.returned != back:
            yield f"Payment {payment.reference}: {payment.returned} counted as given back, refunds of {back}."
        if payment.needs_review:
            continue
        lines = [] if payment.is_second else list(payment.order.lines.all())
        failed = sum((r.amount for r in payment.refunds.all() if r.status == RefundStatus.FAILED), ZERO)
        kept = sum((line.kept for line in lines), ZERO) if lines else failed
        if payment.received_amount != kept + back:
            yield f"Payment {payment.reference}: {payment.received_amount} in, {kept} kept, {back} back."


def _lines_are_accounted_for() -> Iterator[str]:
    live = Q(refunds__status__in=LIVE_REFUNDS)
    sums = OrderLine.objects.annotate(back=Coalesce(Sum("refunds__amount", filter=live), ZERO))
    for line in sums.exclude(returned=F("back")).iterator():
        yield f"Line {line.pk}: {line.returned} counted as given back, refunds of {line.back}."
    orders = Order.objects.annotate(sum_of_lines=Coalesce(Sum("lines__adjusted"), ZERO))
    for order in orders.exclude(adjusted=F("sum_of_lines")).iterator():
        yield f"Order {order.code}: adjusted by {order.adjusted}, its lines by {order.sum_of_lines}."
    before = Q(adjustments__refund__isnull=True, adjustments__debt__isnull=True)
    adjusted = OrderLine.objects.annotate(rows=Coalesce(Sum("adjustments__amount", filter=before), ZERO))
    for wrong in adjusted.exclude(adjusted=F("rows")).iterator():
        yield f"Line {wrong.pk}: adjusted by {wrong.adjusted}, adjustments of {wrong.rows}."


def _refunds_fit() -> Iterator[str]:
    for refund in Refund.objects.exclude(line=None).exclude(line__order=F("payment__order")).iterator():
        yield f"Refund {refund.reference} gives the money of one order back for another."
    done = Refund.objects.filter(status=RefundStatus.SUCCEEDED, frees=True).exclude(line__status=LineStatus.REFUNDED)
    for refund in done.iterator():
        yield f"Refund {refund.reference} succeeded, and its line is not called refunded."
    freeing = [RefundStatus.DUE, RefundStatus.SENDING, RefundStatus.PENDING]
    for refund in Refund.objects.filter(frees=True, status__in=freeing, line__settled=True).iterator():
        yield f"Refund {refund.reference} takes its line back, and the line is still held."
    for line in OrderLine.objects.filter(status=LineStatus.REFUND_DUE, refunds__isnull=True).iterator():
        yield f"Line {line.pk} is owed back and has no refund."
    freed = OrderLine.objects.filter(status=LineStatus.REFUNDED).annotate(price=F("amount") + F("adjusted"))
    # A refund that succeeded may have come back later: then the office sees that it failed.
    sent = [RefundStatus.SUCCEEDED, RefundStatus.FAILED]
    for line in freed.filter(price__gt=0).exclude(refunds__status__in=sent).iterator():
        yield f"Line {line.pk} is called refunded, and no refund succeeded."


def _debts_are_true() -> Iterator[str]:
    """A debt is paid by one settled line, and by none while it is due."""
    paid = OrderLine.objects.filter(kind="debt", object_id=OuterRef("pk"), settled=True)
    delivered = paid.filter(status=LineStatus.FULFILLED)
    for debt in Debt.objects.filter(~Exists(paid), status=DebtStatus.PAID).iterator():
        yield f"Debt {debt.code} is called paid, and no line paid it."
    for debt in Debt.objects.filter(Exists(delivered)).exclude(status=DebtStatus.PAID).iterator():
        yield f"Debt {debt.code} was paid, and is called {debt.status}."


def _promises_match_orders() -> Iterator[str]:
    """An order waits for promised money as long as its promise runs; what was received is a payment of that sum."""
    running = Promise.objects.filter(status=PromiseStatus.PROMISED)
    for promise in running.exclude(order__status=OrderStatus.PROMISED).select_related("order").iterator():
        yield f"The promise for order {promise.order.code} runs, and the order does not wait for it."
    for order in Order.objects.filter(status=OrderStatus.PROMISED).exclude(promise__in=running).iterator():
        yield f"Order {order.code} waits for a promise that is over."
    received = Promise.objects.filter(payment__isnull=False).select_related("order")
    right = Q(payment__order=F("order"), payment__gateway=COUNTER, payment__received_amount=F("received_amount"))
    for promise in received.exclude(right).iterator():
        yield f"The money for the promise of order {promise.order.code} is not what its payment says."
    for promise in running.filter(pay_by__lt=timezone.now() - STUCK_AFTER).select_related("order").iterator():
        yield f"The promise for order {promise.order.code} should have lapsed hours ago."


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
    pending = Refund.objects.filter(status=RefundStatus.PENDING, created_at__lt=now - REFUND_TAKES_AT_MOST)
    for refund in pending.iterator():
        yield f"Refund {refund.reference} was taken by its gateway weeks ago, and is not done."
    for line in OrderLine.objects.filter(status=LineStatus.SETTLED, order__paid_at__lt=old).iterator():
        yield f"Line {line.pk} was paid hours ago, is not delivered, and the office is not told."
    for event in GatewayEvent.objects.filter(handled_at=None, received_at__lt=old).iterator():
        yield f"Event {event} has waited for hours."


def _stored_cards_are_looked_after() -> Iterator[str]:
    """What was removed pays for nothing and goes at the gateway, too; whoever was at a gateway's page is asked about."""
    now = timezone.now()
    old = now - STUCK_AFTER
    for use in Subscription.objects.filter(stored_method__removed_at__isnull=False).iterator():
        yield f"Subscription {use.pk} is paid by a method that was removed."
    for use in Subscription.objects.exclude(person=F("stored_method__person")).iterator():
        yield f"Subscription {use.pk} is paid by somebody else's method."
    removed = StoredMethod.objects.filter(kind=MethodKind.CARD, removed_at__isnull=False, forgotten_at=None)
    for stored in removed.filter(Q(next_try_at=None) | Q(next_try_at__lt=old)).iterator():
        yield f"Stored card {stored.code} was removed, and its gateway should have been told hours ago."
    waiting = CardSave.objects.filter(status__in=[CardSaveStatus.CREATED, CardSaveStatus.STARTED])
    for save in waiting.filter(Q(next_check_at=None) | Q(next_check_at__lt=old)).iterator():
        yield f"Card save {save.reference} should have been asked about hours ago."


def _deductions_match_payments() -> Iterator[str]:
    """What a file takes is what was paid so, less what was given back before it was taken."""
    asked = Payment.objects.filter(gateway__in=[PAYROLL, EFT], status=PaymentStatus.APPROVED, deduction__isnull=True)
    for payment in asked.iterator():
        yield f"Payment {payment.reference} counts, and no file will take it."
    spared = Coalesce(Sum("payment__refunds__amount", filter=Q(payment__refunds__gateway_reference=NOT_TAKEN)), ZERO)
    rows = Deduction.objects.exclude(status=DeductionStatus.REFUSED).select_related("payment").annotate(spared=spared)
    for deduction in rows.iterator():
        taken = ZERO if deduction.status == DeductionStatus.CANCELLED else deduction.amount
        if taken + deduction.spared != deduction.payment.received_amount:
            yield f"Deduction of payment {deduction.payment.reference}: {taken} taken, {deduction.spared} spared."
    refused = Payment.objects.filter(deduction__status=DeductionStatus.REFUSED, returned__lt=F("received_amount"))
    for payment in refused.iterator():
        yield f"The deduction of payment {payment.reference} was refused, and a part still counts as paid."


def _statements_add_up() -> Iterator[str]:
    """A statement's total is what points at it, all of one company; what a company was charged stands on one soon."""
    for statement in Statement.objects.prefetch_related(
        "payments__billing_account", "refunds__payment__billing_account"
    ):
        payments, refunds = statement.payments.all(), statement.refunds.all()
        charged = sum((payment.received_amount or ZERO for payment in payments), ZERO)
        if charged - sum((refund.amount for refund in refunds), ZERO) != statement.total:
            yield f"Statement {statement.code}: total {statement.total} is not what stands on it."
        paying = [*payments, *(refund.payment for refund in refunds)]
        if any(one.billing_account is None or one.billing_account.company_id != statement.company_id for one in paying):
            yield f"Statement {statement.code} lists what another company pays."
    late = timezone.now() - STATEMENT_BY
    waiting = Payment.objects.filter(billing_account__isnull=False, statement__isnull=True, approved_at__lt=late)
    for payment in waiting.filter(needs_review="").iterator():
        yield f"Payment {payment.reference} of a company has stood on no statement for two months."
