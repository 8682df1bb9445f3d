"""Payroll deductions and transfers, and the periods that collect them, by the real services."""

import datetime as dt
from typing import Any

from accounts.models import User
from opscom.provider.selectors import local_date
from payments.collection_files import ResultLine, read_file
from payments.models import CollectionPeriod, Deduction, MethodKind, Order, StoredMethod
from payments.services.collecting import make_file
from payments.services.paying import pay_order
from payments.services.subscribing import set_up_by_office
from tests.factories.payments import offer_method, place_thing


def set_up(person: User, kind: str = MethodKind.PAYROLL, number: str = "E-1001", **fields: Any) -> StoredMethod:
    """Set a deduction up as the office does; nobody in particular is the clerk."""
    method = offer_method(kind=kind, code=kind, name="Payroll Deduction" if kind == "payroll" else "EFT", **fields)
    return set_up_by_office(person=person, method=method, account_number=number, consent="Signed.", actor=None)


def deduct(person: User, *things: int, stored: StoredMethod | None = None, order: Order | None = None) -> Deduction:
    """Let the person pay an order for things of the scripted product from their wages."""
    stored = stored or person.stored_methods.get()
    order = order or place_thing(*things, payer=person, email=person.email or "")
    payment = pay_order(order=order, method_code=f"stored:{stored.code}", actor=person)
    return Deduction.objects.get(payment=payment)


def open_period(kind: str = MethodKind.PAYROLL, days: int = 14) -> CollectionPeriod:
    """Open a period that ends tomorrow."""
    end = local_date() + dt.timedelta(days=1)
    return CollectionPeriod.objects.create(kind=kind, starts_on=end - dt.timedelta(days=days), ends_on=end)


def send_file(kind: str = MethodKind.PAYROLL) -> CollectionPeriod:
    """Make the file of a new period of all that waits."""
    period = open_period(kind)
    make_file(period=period, actor=None)
    period.refresh_from_db()
    return period


def results(*rows: tuple[Deduction | str, str], reason: str = "") -> list[ResultLine]:
    """Return the lines of a file that says these words of these deductions."""
    text = "reference,result,reason\n"
    for deduction, word in rows:
        reference = deduction if isinstance(deduction, str) else deduction.payment.reference
        text += f"{reference},{word},{reason}\n"
    return read_file(text.encode())
