"""Pay a person's order with the account of their company: by its card, on its monthly statement, or into its journal."""

from django.db import transaction

from opscom.core.context import acting
from payments.company_accounts import OfferedAccount
from payments.models import ACCOUNT, BillingKind, Order, OrderStatus, Payment
from payments.services.attempts import ChargeUnderWay, require_payable
from payments.services.by_hand import take_by_hand
from payments.services.charging import charge_stored
from payments.services.company_accounts import lock_offered, not_offered
from payments.services.orders import quote_order
from payments.services.settling import capture_lines, finish_order


def pay_on_account(*, order: Order, offered: OfferedAccount) -> Payment:
    """Pay the order with the account, and return the payment: done, or the charge of the company's card as it stands.

    The same click twice is one payment. Raises NotAllowed when the account is not offered any more, or the order cannot be
    paid.
    """
    if offered.account.kind == BillingKind.CARD:
        return _charge_company(order, offered)
    payment = take_on_account(order=order, offered=offered)
    finish_order(order.pk)
    return payment


def _charge_company(order: Order, offered: OfferedAccount) -> Payment:
    card = offered.account.stored_method
    if card is None:
        raise not_offered()
    try:
        # The card's holder is not at the page; what the company agreed to when it was stored stands.
        return charge_stored(order=order, stored_method=card, reason="unscheduled", offered=offered)
    except ChargeUnderWay as under_way:
        return under_way.payment


@transaction.atomic(durable=True)
def take_on_account(*, order: Order, offered: OfferedAccount) -> Payment:
    """Count the order as paid by the company, whose statement lists it. Twice finds the first payment.

    Deliver with `finish_order` afterwards. Raises NotAllowed as `pay_on_account`.
    """
    order, offered = lock_offered(order, offered)
    paid: Payment | None = order.paying_payment
    if order.status == OrderStatus.PAID and paid and paid.billing_account_id == offered.account.pk:
        return paid
    require_payable(order)
    quote_order(order)
    who = acting.get()
    payment = take_by_hand(
        order=order,
        gateway=ACCOUNT,
        method=offered.method,
        actor=who.actor if who else None,
        reference=offered.account.journal_code or offered.account.company.account_number or "",
        billing_account=offered.account,
    )
    capture_lines(order, payment)
    return payment
