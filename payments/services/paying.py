"""From `Submit Payment` to the gateway's page, or straight to the receipt when there is nothing to pay."""

from typing import Any

from django.utils.translation import gettext as _

from opscom.core.errors import NotAllowed
from payments.company_accounts import offered_account
from payments.gateways.base import Embedded, Redirect
from payments.models import MethodKind, Order, Payment
from payments.services.attempts import ChargeUnderWay, find_method, start_payment
from payments.services.charging import charge_stored
from payments.services.deducting import deduct_order
from payments.services.on_account import pay_on_account
from payments.services.orders import Selection, order_selection, place_order
from payments.services.promising import promise_order
from payments.services.settling import finish_order, settle_free_order
from payments.stored import offered_deductions, offered_stored

# What stands before the code of a stored method where the payer chooses.
STORED = "stored:"


def pay_order(*, order: Order, method_code: str, actor: Any) -> Redirect | Embedded | Payment | None:
    """Begin to pay the order and return where the payer goes; None when that is done: it was free, or is promised now.

    With a stored card ("stored:" and its code), or a company's account, the payment, whose end may be known already. Raises
    what `start_payment`, `charge_stored`, `pay_on_account` and `promise_order` raise.
    """
    if order.due == 0:
        settle_free_order(order=order)
        finish_order(order.pk)
        return None
    if method_code.startswith(STORED):
        return pay_with_stored(order=order, code=method_code.removeprefix(STORED))
    account = offered_account(payer=order.payer, kinds={line.kind for line in order.lines.all()})
    if account and method_code == account.method.code:
        return pay_on_account(order=order, offered=account)
    if find_method(order, method_code, None).kind == MethodKind.PROMISE:
        promise_order(order=order, method_code=method_code, actor=actor)
        return None
    return start_payment(order=order, method_code=method_code)


def pay_with_stored(*, order: Order, code: str) -> Payment:
    """Charge the payer's own stored card, or their wages or bank account, as they chose just now; twice is once.

    Raises NotAllowed when it is not offered for the order.
    """
    kinds = {line.kind for line in order.lines.all()}
    offered = [*offered_stored(payer=order.payer, kinds=kinds), *offered_deductions(payer=order.payer, kinds=kinds)]
    stored = next((one for one in offered if one.code == code), None)
    if stored is None:
        raise NotAllowed(_("This payment method is not offered. Please choose another."))
    if stored.kind != MethodKind.CARD:
        payment = deduct_order(order=order, stored_method=stored, actor=order.payer)
        finish_order(order.pk)
        return payment
    try:
        return charge_stored(order=order, stored_method=stored, reason="customer_present")
    except ChargeUnderWay as under_way:
        return under_way.payment


def name_receipt_address(*, order: Order, email: str) -> Order:
    """Return the order, or the one that takes its place because it had no address: an order never changes.

    Raises what `place_order` raises.
    """
    if order.email or not email:
        return order
    selection = order_selection(order)
    return place_order(payer=order.payer, selection=selection, email=email, language=order.language)


def pay_as_guest(*, selection: Selection, method_code: str, email: str, language: str) -> Redirect | Embedded | Order:
    """Place an order of nobody's account and open the gateway's page for it; the order itself when nothing is due for it.

    Whoever calls it has made sure that this guest may pay for these things. Raises what `place_order` and `start_payment`
    raise: NotAllowed for a method that guests are not offered, too.
    """
    order = place_order(payer=None, selection=selection, email=email, language=language)
    if order.due == 0:
        settle_free_order(order=order)
        finish_order(order.pk)
        return order
    return start_payment(order=order, method_code=method_code)
