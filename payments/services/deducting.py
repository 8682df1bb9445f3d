"""Wages and transfers: chosen by the payer at the checkout, taken later by a file that the office hands over."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.locks import lock_row
from opscom.core.money import ZERO
from opscom.core.transitions import advance
from payments.models import (
    DEDUCTION_MOVES,
    NOT_TAKEN,
    Deduction,
    DeductionStatus,
    Order,
    OrderStatus,
    Payment,
    Refund,
    RefundStatus,
    StoredMethod,
)
from payments.services.attempts import require_payable
from payments.services.by_hand import take_by_hand
from payments.services.orders import quote_order
from payments.services.refunds import note_success
from payments.services.settling import capture_lines
from payments.stored import offered_deductions

# Nothing of these has been taken: what goes back of them is never taken.
UNTAKEN = (DeductionStatus.WAITING, DeductionStatus.REFUSED)


@transaction.atomic(durable=True)
def deduct_order(*, order: Order, stored_method: StoredMethod, actor: Any) -> Payment:
    """Count the order as paid, and write what the next file takes for it. Twice finds the first payment.

    Deliver with `finish_order` afterwards. Raises NotAllowed when the order cannot be paid, or when the deduction was removed
    or is no longer offered for it.
    """
    order = lock_row(Order.objects.filter(pk=order.pk), "order")
    paid: Payment | None = order.paying_payment
    if order.status == OrderStatus.PAID and paid and paid.stored_method_id == stored_method.pk:
        return paid
    require_payable(order)
    stored = lock_row(StoredMethod.objects.filter(pk=stored_method.pk), "payment", "stored_method")
    kinds = set(order.lines.values_list("kind", flat=True))
    if stored not in offered_deductions(payer=order.payer, kinds=kinds):
        raise NotAllowed(_("This payment method is not offered. Please choose another."))
    quote_order(order)
    payment = take_by_hand(
        order=order, gateway=stored.kind, method=stored.method, actor=actor, stored_method=stored, reference=stored.code
    )
    deduction = Deduction.objects.create(payment=payment, stored_method=stored, amount=payment.amount)
    audit.record("deduction.asked", deduction, actor=actor, amount=str(deduction.amount))
    capture_lines(order, payment)
    return payment


def refunds_never_taken() -> list[int]:
    """Return the refunds that are due of what no file has taken, or what a result refused."""
    due = Refund.objects.filter(status=RefundStatus.DUE, payment__deduction__status__in=UNTAKEN)
    return list(due.order_by("pk").values_list("pk", flat=True)[:500])


@transaction.atomic(durable=True)
def end_untaken_refund(refund_id: int) -> None:
    """Let a refund of money that was never taken be done: less is deducted, or nothing. Twice, or late: once."""
    order = lock_row(Order.objects.filter(payments__refunds=refund_id), "order")
    refund = Refund.objects.select_related("payment", "line").get(pk=refund_id)
    deduction = lock_row(Deduction.objects.filter(payment=refund.payment), "payment", "deduction")
    if refund.status != RefundStatus.DUE or deduction.status not in UNTAKEN:
        return
    note_success(order, refund, gateway_reference=NOT_TAKEN)
    if deduction.status == DeductionStatus.WAITING:
        _deduct_less(deduction, refund)


def _deduct_less(deduction: Deduction, refund: Refund) -> None:
    rest = deduction.amount - refund.amount
    if rest > ZERO:
        Deduction.objects.filter(pk=deduction.pk).update(amount=rest)
        audit.record("deduction.reduced", deduction, amount=str(rest))
    else:
        advance(deduction, DeductionStatus.CANCELLED, table=DEDUCTION_MOVES, decided_at=timezone.now())
        audit.record("deduction.cancelled", deduction, amount=str(deduction.amount))


def require_taken(refund: Refund) -> None:
    """Raise NotAllowed unless the money of this refund has been taken: only then can it be given back by hand."""
    deduction = Deduction.objects.filter(payment=refund.payment_id).first()
    if deduction is None or deduction.status == DeductionStatus.TAKEN:
        return
    if deduction.status == DeductionStatus.SENT:
        raise NotAllowed(_("The file that takes this money was handed over, and its result is not read yet."))
    raise NotAllowed(_("Nothing was taken for this, so nothing is handed back: it ends by itself in a moment."))


def refuse_untaken(refund: Refund) -> None:
    """Raise NotAllowed when the refund is all that is left of a deduction that was refused: not made, nobody would owe it."""
    if Deduction.objects.filter(payment=refund.payment_id, status=DeductionStatus.REFUSED).exists():
        raise NotAllowed(
            _("The deduction was refused: please approve this. Nothing is sent, and nothing is owed for it.")
        )
