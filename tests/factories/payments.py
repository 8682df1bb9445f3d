"""Orders and payments for tests, taken through the real services and the demo bank."""

from typing import Any

from accounts.models import User
from demo.bank import services as bank
from demo.bank.models import BankSession
from payments.models import MethodKind, Order, Payment, PaymentMethod
from payments.services.attempts import start_payment
from payments.services.orders import place_order
from payments.stored import forget_offer
from permits.models import Permit
from tests.factories.vehicles import make_owner

APPROVED, DECLINED = "4242424242424242", "4000000000000002"


def order_permit(permit: Permit, payer: User | None = None) -> Order:
    """Place the order for one reserved permit."""
    payer = payer or permit.holder
    return place_order(payer=payer, selection={"permit": [permit.pk]}, email=payer.email or "", language="en")


def go_to_bank(order: Order) -> Payment:
    """Start a payment at the demo bank and return its row."""
    start_payment(order=order, method_code="demo-bank")
    return order.payments.order_by("-pk")[0]


def pay_at_bank(payment: Payment, card: str = APPROVED) -> BankSession:
    """Use a test card on the bank's page; nothing is told to the portal yet."""
    session = BankSession.objects.get(reference=payment.reference)
    test_card = bank.find_card(card)
    assert test_card is not None
    bank.pay(session, test_card)
    session.refresh_from_db()
    return session


def place_thing(*things: int, payer: User | str | None = "new", email: str = "payer@example.org") -> Order:
    """Place an order for things of the scripted product (tests/payments/conftest.py), by somebody new or a guest (None)."""
    payer = make_owner() if payer == "new" else payer
    return place_order(payer=payer, selection={"thing": things or (1,)}, email=email, language="en")


def offer_method(gateway: str = "", *, kind: str = MethodKind.CARD, code: str = "", **fields: Any) -> PaymentMethod:
    """Offer a way to pay; a card's method has its gateway's code unless told otherwise."""
    code = code or gateway or kind
    names = {
        "en": fields.pop("name", {MethodKind.CARD: "Credit Card", MethodKind.PROMISE: "Cash or Cheque"}.get(kind, code))
    }
    values = {"kind": kind, "gateway": gateway, "name": names, "is_on": True, **fields}
    method, _made = PaymentMethod.objects.update_or_create(code=code, defaults=values)
    forget_offer()
    return method


def withdraw_methods() -> None:
    """Offer no way to pay at all."""
    PaymentMethod.objects.update(is_on=False)
    forget_offer()
