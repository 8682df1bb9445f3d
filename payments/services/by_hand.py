"""Money that no gateway brings: over the counter, on an account, from wages. Its row is written when it counts."""

from typing import Any

from django.utils import timezone

from opscom.core import audit
from opscom.core.transitions import advance
from payments.models import (
    BY_HAND,
    PAYMENT_MOVES,
    BillingAccount,
    Order,
    Payment,
    PaymentMethod,
    PaymentStatus,
    StoredMethod,
)


def take_by_hand(
    *,
    order: Order,
    gateway: str,
    method: PaymentMethod,
    actor: Any,
    reference: str = "",
    stored_method: StoredMethod | None = None,
    billing_account: BillingAccount | None = None,
) -> Payment:
    """Write the approved payment of all that is due of an order whose lock the caller holds, and return it.

    `gateway` is one of BY_HAND, `reference` what the office knows it by. The caller then captures the order's lines.
    """
    if gateway not in BY_HAND:
        raise ValueError(f"{gateway} brings its own money in.")
    payment = Payment.objects.create(
        order=order,
        gateway=gateway,
        method=method,
        stored_method=stored_method,
        billing_account=billing_account,
        recorded_by=actor,
        amount=order.due,
        currency=order.currency,
    )
    advance(
        payment,
        PaymentStatus.APPROVED,
        table=PAYMENT_MOVES,
        approved_at=timezone.now(),
        received_amount=payment.amount,
        received_currency=payment.currency,
        gateway_reference=reference,
    )
    audit.record("payment.approved", payment, actor=actor, amount=str(payment.amount), currency=payment.currency)
    return payment
