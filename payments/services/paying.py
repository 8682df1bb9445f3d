"""From `Submit Payment` to the gateway's page, or straight to the receipt when there is nothing to pay."""

from payments.gateways.base import Embedded, Redirect
from payments.models import Order
from payments.services.attempts import start_payment
from payments.services.orders import order_selection, place_order
from payments.services.settling import finish_order, settle_free_order


def pay_order(*, order: Order, method_code: str) -> Redirect | Embedded | None:
    """Begin to pay the order and return where the payer goes; None when it was free and is paid now.

    Raises what `start_payment` raises.
    """
    if order.due == 0:
        settle_free_order(order=order)
        finish_order(order.pk)
        return None
    return start_payment(order=order, method_code=method_code)


def name_receipt_address(*, order: Order, email: str) -> Order:
    """Return the order, or the one that takes its place because it had no address: an order never changes.

    Raises what `place_order` raises.
    """
    if order.email or not email:
        return order
    selection = order_selection(order)
    return place_order(payer=order.payer, selection=selection, email=email, language=order.language)
