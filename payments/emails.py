"""One function for each message about money. Sums are written out here, in the receiver's language, for every template."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from opscom.core.money import ZERO, format_money
from opscom.messaging.models import Lane
from opscom.messaging.services import queue_email
from payments.guests import order_path
from payments.models import Debt, DebtReason, LineStatus, Order, Payment, Refund
from payments.selectors import tax_sums


def receipt(order: Order) -> None:
    """The receipt of a paid order, once."""
    if not order.email:
        return
    with override(order.language):
        queue_email(
            template="payments/receipt",
            to=order.email,
            language=order.language,
            dedupe_key=f"receipt:{order.pk}",
            context={
                **_about(order),
                "net": format_money(order.net),
                "total": format_money(order.total, order.currency),
                "adjusted": format_money(order.adjusted, order.currency) if order.adjusted else "",
                "due": format_money(order.due, order.currency),
                "paid_at": order.paid_at,
                "lines": [_describe(line) for line in order.lines.all()],
                "taxes": _taxes(order),
                "card": _card(order),
                "company": _company(order.paying_payment),
            },
            lane=Lane.URGENT,
        )


def refunded(order: Order, refund: Refund) -> None:
    """Money has gone back, how much and why."""
    if not order.email:
        return
    with override(order.language):
        queue_email(
            template="payments/refunded",
            to=order.email,
            language=order.language,
            dedupe_key=f"refunded:{refund.pk}",
            context={
                **_about(order),
                "amount": format_money(refund.amount, order.currency),
                "reason": str(refund.get_reason_display()),
                "label": refund.line.label if refund.line else "",
                "card": refund.payment.card_label,
                "company": _company(refund.payment),
                "is_by_hand": refund.payment.is_by_hand,
                "is_not_taken": refund.is_not_taken,
            },
            lane=Lane.URGENT,
        )


def owed_again(debt: Debt) -> None:
    """The office made a price higher, or the payer's bank took the money back: what is owed, and where it is paid."""
    order = debt.order
    if not order.email:
        return
    with override(order.language):
        queue_email(
            template="payments/owed_again",
            to=order.email,
            language=order.language,
            dedupe_key=f"owed-again:{debt.pk}",
            context={
                **_about(order),
                "amount": format_money(debt.amount, order.currency),
                "reason": str(debt.get_reason_display()),
                "note": debt.note if debt.reason in (DebtReason.ADJUSTED, DebtReason.DEDUCTION_REFUSED) else "",
                "label": debt.label,
                "payments_link": settings.SITE_URL + reverse("payments:due"),
            },
        )


def _about(order: Order) -> dict[str, str]:
    link = settings.SITE_URL + order_path(order)
    return {"order_code": order.code, "payer_name": order.payer_name, "receipt_link": link}


def _describe(line: Any) -> dict[str, str]:
    note = ""
    if line.status in (LineStatus.REFUND_DUE, LineStatus.REFUNDED):
        note = _("Not delivered; the money goes back.")
    elif line.status == LineStatus.NEEDS_REVIEW:
        note = _("Paid. The office is completing it; you need not do anything.")
    return {"label": line.label, "detail": line.detail, "amount": format_money(line.amount), "note": note}


def _taxes(order: Order) -> list[dict[str, str]]:
    return [
        {"name": tax.name, "number": tax.number, "amount": format_money(tax.amount)}
        for tax in tax_sums(order)
        if tax.amount != ZERO
    ]


def _card(order: Order) -> str:
    paid = order.paying_payment
    return paid.card_label if paid and not paid.billing_account_id else ""


def _company(payment: Payment | None) -> str:
    """Return the company whose account pays, or has paid; empty: the payer pays."""
    return str(payment.billing_account.company) if payment and payment.billing_account else ""
