"""Money that no gateway brings: over the counter, on an account, from wages. Its row is written when it counts."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language

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
from payments.services.orders import Selection, place_outside_order
from payments.services.settling import capture_lines


def take_by_hand(
    *,
    order: Order,
    gateway: str,
    method: PaymentMethod | None,
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


@transaction.atomic
def take_outside(*, selection: Selection, payer_name: str, gateway: str, actor: Any, reference: str) -> Order:
    """Write what somebody paid elsewhere as an order of nobody's account that is paid; deliver with `finish_order`.

    Raises what `place_order` raises: paid meanwhile, promised, gone.
    """
    order = place_outside_order(selection=selection, payer_name=payer_name, language=get_language() or "en")
    payment = take_by_hand(order=order, gateway=gateway, method=None, actor=actor, reference=reference)
    capture_lines(order, payment)
    return order
