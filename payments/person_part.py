"""What `payments` tells of a person."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.person_parts import Feed, Happening, HistoryKind
from payments.models import Order, OrderStatus, Refund

PAYMENTS = HistoryKind("payments", gettext_lazy("Payments"), "receipt")
REFUNDS = HistoryKind("refunds", gettext_lazy("Refunds"), "undo-2")


class PaymentsPart:
    """Whose orders and payments."""

    name = "payments"

    def feeds(self, person: User, ids: Sequence[int]) -> list[Feed]:
        """What the person paid, by confirmation code, and what went back."""
        orders = Order.objects.filter(payer=person, status=OrderStatus.PAID).prefetch_related("lines")
        refunds = Refund.objects.filter(payment__order__payer=person).select_related("line", "payment__order")
        return [
            Feed(PAYMENTS, orders, "paid_at", describe_orders),
            Feed(REFUNDS, refunds, "created_at", describe_refunds),
        ]


def describe_orders(orders: Sequence[Order]) -> list[Happening]:
    """Return what was bought, for how much, with the confirmation code that leads to the receipt."""
    return [
        Happening(
            what=_("Payment"),
            detail="; ".join(line.label for line in order.lines.all()),
            amount=order.total,
            url=_receipt(order),
            link_label=_("Confirmation code"),
            link=order.code,
        )
        for order in orders
    ]


def describe_refunds(refunds: Sequence[Refund]) -> list[Happening]:
    """Return what goes or went back; while its order is not paid there is no receipt to lead to."""
    return [
        Happening(
            what=_("Refund: %(status)s") % {"status": refund.get_status_display()},
            detail=refund.line.label if refund.line else refund.get_reason_display(),
            amount=refund.amount,
            url=_receipt(refund.payment.order) if refund.payment.order.status == OrderStatus.PAID else "",
            link_label=_("Confirmation code"),
            link=refund.payment.order.code,
        )
        for refund in refunds
    ]


def _receipt(order: Order) -> str:
    return reverse("payments:receipt", args=[order.code])
