"""Paid permits for the office's tests, bought through the real services and the demo bank."""

from django.db import transaction

from payments.models import Order, OrderLine, Payment, Refund
from payments.services.confirming import confirm_payment
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import make_sale, offer_demo_bank, reserve


def pay_for_permit(**sale: object) -> Order:
    """Return the paid order of one active permit."""
    offer_demo_bank()
    order = order_permit(reserve(make_sale(**sale)))
    payment = go_to_bank(order)
    pay_at_bank(payment)
    confirm_payment(payment)
    order.refresh_from_db()
    return order


def line_of(order: Order) -> OrderLine:
    """Return the order's only line."""
    return order.lines.get()


def mismatched_payment() -> Payment:
    """Return a payment whose amount the office must look at."""
    payment = pay_for_permit().payments.get()
    Payment.objects.filter(pk=payment.pk).update(needs_review="amount")
    payment.refresh_from_db()
    return payment


def failed_refund(order: Order, actor: object) -> Refund:
    """Return a refund that the gateway declined."""
    from payments.services.refunding import refund_line
    from payments.services.refunds import count_returned

    refund = refund_line(line=line_of(order), actor=actor)
    assert refund is not None
    with transaction.atomic():
        count_returned(refund.payment, refund.line, -refund.amount)
        Refund.objects.filter(pk=refund.pk).update(status="failed", last_error="The card is closed.")
    refund.refresh_from_db()
    return refund
