"""A payer disputes a payment at their bank. The office answers at the gateway; we keep that it runs, and how it ended."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from opscom.core import audit
from opscom.core.locks import lock_row
from opscom.core.money import ZERO
from opscom.core.transitions import advance
from payments import emails
from payments.models import (
    DISPUTE_MOVES,
    DebtReason,
    Dispute,
    DisputeStatus,
    Order,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
)
from payments.services.reversals import debts_of, reverse_payment


def open_dispute(payment: Payment) -> Dispute | None:
    """Write down that a payment is disputed, once however often it is reported; None for one that never counted."""
    if payment.status != PaymentStatus.APPROVED:
        return None
    with transaction.atomic():
        dispute, is_new = Dispute.objects.get_or_create(payment=payment)
        if is_new:
            audit.record("dispute.opened", dispute, amount=str(payment.received_amount))
    return dispute


@transaction.atomic
def close_dispute(*, dispute: Dispute, end: DisputeStatus, actor: Any, note: str) -> None:
    """Write the end down. Lost: the bank has taken all the money of the payment back, and it is owed again.

    What had gone back to the payer already is owed by nobody. Raises IllegalMove or Stale when it is closed already.
    """
    lock_row(Order.objects.filter(payments__dispute=dispute.pk), "order")
    dispute = Dispute.objects.select_related("payment__order").get(pk=dispute.pk)
    refund: Refund | None = None
    has_money = dispute.payment.returned < (dispute.payment.received_amount or ZERO)
    if end == DisputeStatus.LOST and dispute.status == DisputeStatus.OPEN and has_money:
        is_guest = dispute.payment.order.payer_id is None
        refund = reverse_payment(
            payment=dispute.payment, reason=RefundReason.DISPUTED, actor=actor, takes_back=is_guest, note=note
        )[0]
        for debt in debts_of(dispute.payment):
            if debt.reason == DebtReason.DISPUTED:
                emails.owed_again(debt)
    advance(
        dispute,
        end,
        table=DISPUTE_MOVES,
        refund=refund,
        closed_at=timezone.now(),
        closed_by=actor,
        note=note,
    )
    words = "dispute.lost" if end == DisputeStatus.LOST else "dispute.won"
    audit.record(words, dispute, actor=actor, note=note)
