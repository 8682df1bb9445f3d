"""Companies' accounts, and orders paid with them, by the real services."""

from typing import Any

from accounts.models import Company, User
from opscom.core.context import acting_for
from payments.company_accounts import offered_account
from payments.models import BillingAccount, MethodKind, Order, Payment, PaymentMethod
from payments.services.on_account import pay_on_account
from tests.factories.payments import offer_method, place_thing


def offer_accounts(**fields: Any) -> PaymentMethod:
    """Offer companies' accounts as a way to pay, as the office does."""
    return offer_method(kind=MethodKind.ACCOUNT, code="company", name="Company Account", **fields)


def open_account(company: Company, kind: str = "invoice", **fields: Any) -> BillingAccount:
    """Open the company's account; a journal has a code unless told otherwise."""
    fields = {"journal_code": "J-100"} | fields if kind == "journal" else fields
    return BillingAccount.objects.create(company=company, kind=kind, **fields)


def pay_for(person: User, *things: int, manager: User, order: Order | None = None) -> Payment:
    """Let the manager, acting for the person, pay an order for things of the scripted product with the account."""
    order = order or place_thing(*things, payer=person, email=person.email or "")
    with acting_for(actor=manager, person=person):
        offered = offered_account(payer=person, kinds={line.kind for line in order.lines.all()})
        assert offered is not None
        return pay_on_account(order=order, offered=offered)
