"""Send a payer to a gateway. The row stands before the gateway is called; the call stands outside any transaction."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from opscom.core.errors import DomainError, NotAllowed
from opscom.core.locks import lock_row
from opscom.core.transitions import advance
from opscom.provider.selectors import local_date
from payments.company_accounts import OfferedAccount
from payments.gateways.base import Attempt, Card, Embedded, GatewayError, Redirect
from payments.gateways.registry import installed_gateways
from payments.guests import guest_path
from payments.models import (
    PAYMENT_MOVES,
    MethodKind,
    Order,
    OrderStatus,
    Payment,
    PaymentMethod,
    PaymentStatus,
    StoredMethod,
)
from payments.offers import offered_methods
from payments.purchasables import get_purchasable
from payments.services.asking import FIRST_CHECK
from payments.services.company_accounts import lock_offered
from payments.services.orders import order_selection, quote_order

# A payer who is back from the gateway's page at its last second still finds the thing held.
HOLD_AFTER_EXPIRY = timedelta(minutes=5)


def start_payment(*, order: Order, method_code: str) -> Redirect | Embedded:
    """Open the gateway's page for the order and keep its things held while the payer is there.

    Raises NotAllowed when the order or one of its things can no longer be paid, DomainError when the gateway does not
    answer: then nothing is lost, and the reconciler looks the attempt up.
    """
    method = find_method(order, method_code)
    gateway = installed_gateways()[method.gateway]
    payment = write_attempt(order=order, method=method)
    try:
        answer = gateway.start(describe_attempt(payment))
    except GatewayError as error:
        raise DomainError(
            _("The payment service does not answer. Nothing was charged; please try again in a few minutes.")
        ) from error
    _note_started(payment, answer)
    return answer


def find_method(order: Order, code: str, kind: MethodKind | None = MethodKind.CARD) -> PaymentMethod:
    """Return the offered method with this code; NotAllowed when it is of another kind or not offered for the order.

    `kind` None takes any.
    """
    methods = offered_methods(payer=order.payer, kinds={line.kind for line in order.lines.all()})
    found = next((one for one in methods if one.code == code and kind in (None, one.kind)), None)
    if found is None:
        raise NotAllowed(_("This payment method is not offered. Please choose another."))
    return found


@transaction.atomic(durable=True)
def write_attempt(
    *,
    order: Order,
    method: PaymentMethod,
    stored_method: StoredMethod | None = None,
    offered: OfferedAccount | None = None,
) -> Payment:
    """Write the row of one try, before its gateway is asked; `stored_method`: the stored card that it charges.

    `offered`: the card is the one of a company's account. Raises NotAllowed when the order or one of its things cannot be
    paid now, when that account is not offered any more, or while a stored card is being charged.
    """
    if offered:
        order, offered = lock_offered(order, offered)
    else:
        order = lock_row(Order.objects.filter(pk=order.pk), "order")
    require_payable(order)
    if stored_method:
        lock_chargeable(stored_method)
    quote_order(order)
    return Payment.objects.create(
        order=order,
        gateway=method.gateway,
        method=method,
        stored_method=stored_method,
        billing_account=offered.account if offered else None,
        amount=order.due,
        currency=order.currency,
        next_check_at=timezone.now() + FIRST_CHECK,
    )


def require_payable(order: Order) -> None:
    """Raise NotAllowed when the locked order is over, owes nothing, or has a stored card being charged for it."""
    # A promised order may be paid otherwise after all: see `Promise`.
    if order.status not in (OrderStatus.OPEN, OrderStatus.PROMISED):
        raise NotAllowed(_("This order is no longer open. Please start again from your payments."))
    if order.due == 0:
        raise NotAllowed(_("There is nothing to pay for this order."))
    refuse_while_charging(order)


def refuse_while_charging(order: Order) -> None:
    """Raise ChargeUnderWay while the end of a stored card's charge is not known: a second payment could be one too many."""
    charge = stored_charge_under_way(order)
    if charge:
        raise ChargeUnderWay(charge)


def stored_charge_under_way(order: Order) -> Payment | None:
    """Return the order's charge of a stored card whose end is not known yet."""
    waiting = [PaymentStatus.CREATED, PaymentStatus.STARTED]
    return order.payments.filter(stored_method__isnull=False, status__in=waiting).first()


class ChargeUnderWay(NotAllowed):
    """A stored card is being charged for this very order."""

    def __init__(self, payment: Payment) -> None:
        super().__init__(_("Your stored card is being charged for this order. Please wait for the bank's answer."))
        self.payment = payment


def lock_chargeable(stored_method: StoredMethod) -> None:
    """Keep the stored card until the transaction ends; NotAllowed when it was removed, or is no longer valid.

    A removal waits for this lock, and the gateway is not told of it while a charge is under way.
    """
    row = lock_row(StoredMethod.objects.filter(pk=stored_method.pk), "payment", "stored_method")
    if row.removed_at:
        raise NotAllowed(_("This card is no longer stored. Please choose another way to pay."))
    if row.expires_on and row.expires_on <= local_date():
        raise NotAllowed(_("This card has expired. Please choose another way to pay."))


@transaction.atomic(durable=True)
def _note_started(payment: Payment, answer: Redirect | Embedded) -> None:
    # An early report may have settled the payment while we waited for the answer: then there is nothing to note.
    payment = lock_row(Payment.objects.filter(pk=payment.pk), "payment")
    if payment.status not in (PaymentStatus.CREATED, PaymentStatus.FAILED):
        return
    advance(
        payment,
        PaymentStatus.STARTED,
        table=PAYMENT_MOVES,
        gateway_reference=answer.gateway_reference,
        expires_at=answer.expires_at,
    )
    for kind, ids in sorted(order_selection(payment.order).items()):
        get_purchasable(kind).hold(sorted(ids), until=answer.expires_at + HOLD_AFTER_EXPIRY)


def describe_attempt(payment: Payment) -> Attempt:
    """Return the payment as gateways see it."""
    order = payment.order
    return Attempt(
        reference=payment.reference,
        amount=payment.amount,
        currency=payment.currency,
        label=", ".join(line.label for line in order.lines.all())[:200],
        email=order.email,
        language=order.language,
        return_url=settings.SITE_URL + return_path(payment),
        begun_at=payment.created_at,
        gateway_reference=payment.gateway_reference,
        card=describe_card(payment.stored_method) if payment.stored_method else None,
    )


def return_path(payment: Payment) -> str:
    """Return where the gateway leads the payer back to; a guest has no account to come back to."""
    if payment.order.payer_id is None:
        return guest_path(payment.order)
    return reverse("payments:return", args=[payment.reference])


def describe_card(stored: StoredMethod) -> Card:
    """Return the stored card as its gateway knows it."""
    return Card(
        customer_reference=stored.customer_reference,
        token=stored.token,
        brand=stored.brand,
        last_four=stored.last_four,
        expires_on=stored.expires_on,
    )
