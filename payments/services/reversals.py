"""Money that counted and has not come after all: a cheque bounced, wages could not be docked, a payer's bank took it back."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.locks import lock_row
from opscom.core.transitions import advance
from payments.models import (
    LINE_MOVES,
    Debt,
    DebtReason,
    LineStatus,
    Order,
    OrderLine,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
)
from payments.purchasables import get_purchasable
from payments.services.debts import owe_again
from payments.services.refunds import count_returned

# Why a payment is reversed, and what its payer then reads beside the amount that is owed again.
REASONS = {
    RefundReason.BOUNCED: DebtReason.BOUNCED,
    RefundReason.DEDUCTION_REFUSED: DebtReason.DEDUCTION_REFUSED,
    RefundReason.DISPUTED: DebtReason.DISPUTED,
}


@transaction.atomic
def reverse_payment(
    *, payment: Payment, reason: RefundReason, actor: Any, takes_back: bool, note: str = ""
) -> list[Refund]:
    """Write that the payment's money is gone: one refund for each line, done at once, which no gateway is asked to send.

    What was bought is taken back, or kept and owed again as a debt. Returns the refunds. Raises NotAllowed when the payment
    did not pay its order, when all of it has gone back already, or when a guest would have to owe it.
    """
    order = lock_row(Order.objects.filter(pk=payment.order_id), "order")
    payment = lock_row(Payment.objects.filter(pk=payment.pk), "payment")
    lines = [line for line in order.lines.order_by("kind", "object_id") if line.settled and line.kept > 0]
    if payment.status != PaymentStatus.APPROVED or order.paying_payment != payment or not lines:
        raise NotAllowed(_("There is no money of this payment left to reverse."))
    refunds = [_reverse_line(line, payment, reason, actor, takes_back, note) for line in lines]
    audit.record("payment.reversed", payment, actor=actor, reason=reason, takes_back=takes_back, note=note)
    return refunds


def _reverse_line(
    line: OrderLine, payment: Payment, reason: RefundReason, actor: Any, takes_back: bool, note: str
) -> Refund:
    amount = line.kept
    count_returned(payment, line, amount)
    refund = Refund.objects.create(
        payment=payment,
        line=line,
        amount=amount,
        reason=reason,
        note=note,
        status=RefundStatus.SUCCEEDED,
        succeeded_at=timezone.now(),
        frees=takes_back,
        requested_by=actor,
    )
    if takes_back:
        get_purchasable(line.kind).release(line.object_id, order=line.order)
        advance(line, LineStatus.REFUND_DUE, table=LINE_MOVES, settled=False, next_try_at=None)
        advance(line, LineStatus.REFUNDED, table=LINE_MOVES)
    else:
        owe_again(line=line, amount=amount, reason=REASONS[reason], actor=actor, note=note)
    return refund


def debts_of(payment: Payment) -> list[Debt]:
    """Return what is owed again since the payment was reversed."""
    return list(Debt.objects.filter(order=payment.order_id, reason__in=REASONS.values()).order_by("pk"))
