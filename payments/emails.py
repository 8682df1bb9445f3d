"""One function for each message about money."""

from opscom.messaging.models import Lane
from opscom.messaging.services import queue_email
from payments.models import Order, Refund


def receipt(order: Order) -> None:
    """The receipt of a paid order, once."""
    if not order.email:
        return
    queue_email(
        template="payments/receipt",
        to=order.email,
        language=order.language,
        dedupe_key=f"receipt:{order.pk}",
        context={"order_code": order.code, "total": str(order.total), "paid_at": order.paid_at, "lines": _lines(order)},
        lane=Lane.URGENT,
    )


def refunded(order: Order, refund: Refund) -> None:
    """Money has gone back, how much and why."""
    if not order.email:
        return
    queue_email(
        template="payments/refunded",
        to=order.email,
        language=order.language,
        dedupe_key=f"refunded:{refund.pk}",
        context={
            "order_code": order.code,
            "amount": str(refund.amount),
            "reason": refund.reason,
            "label": refund.line.label if refund.line else "",
            "card": refund.payment.card_label,
        },
        lane=Lane.URGENT,
    )


def _lines(order: Order) -> list[dict[str, str]]:
    return [
        {"label": line.label, "detail": line.detail, "amount": str(line.amount), "status": line.status}
        for line in order.lines.all()
    ]
