"""Charge a stored card, with nobody at the gateway's page. The row stands before the call; the call in no transaction."""

import logging

from django.utils.translation import gettext as _

from opscom.core.errors import NotAllowed
from payments.company_accounts import OfferedAccount
from payments.gateways.base import ChargeReason, GatewayError
from payments.gateways.registry import configured_gateways
from payments.models import MethodKind, Order, Payment, StoredMethod
from payments.services.attempts import describe_attempt, describe_card, write_attempt
from payments.services.confirming import take_answer

log = logging.getLogger(__name__)


def charge_stored(
    *, order: Order, stored_method: StoredMethod, reason: ChargeReason, offered: OfferedAccount | None = None
) -> Payment:
    """Charge what is due for the order to the stored card, once, and return the payment as it stands then.

    Approved: everything is delivered. Declined: nothing was charged; `needs_customer` says that the card's bank wants to
    ask its holder, who can pay on the gateway's page. Still under way: the answer is not known, the reconciler asks for
    it, and until then no other payment of the order begins. Raises NotAllowed when the order cannot be paid, the card was
    removed or has expired, or (ChargeUnderWay, with the payment) when it is being charged for this order already.

    Whose card may pay for whose order is decided by who calls: see `stored.offered_stored`, and, for a company's account,
    `offered`, which is asked again under the locks.
    """
    gateway = configured_gateways().get(stored_method.gateway)
    if stored_method.kind != MethodKind.CARD or gateway is None:
        raise NotAllowed(_("This payment method is not offered. Please choose another."))
    payment = write_attempt(order=order, method=stored_method.method, stored_method=stored_method, offered=offered)
    try:
        result = gateway.charge_card(describe_card(stored_method), describe_attempt(payment), reason=reason)
    except GatewayError as error:
        log.warning("payment %s: the gateway does not answer: %s", payment.reference, error)
    else:
        take_answer(payment, result)
    payment.refresh_from_db()
    return payment
