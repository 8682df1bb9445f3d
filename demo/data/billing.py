"""Who else pays in the demo: a company by its monthly statement, and wages by the pay period."""

import datetime as dt
from decimal import Decimal

from accounts.models import Company, User
from opscom.core.context import acting_for
from opscom.provider.selectors import local_date, start_of_day
from payments.company_accounts import offered_account
from payments.models import (
    BillingAccount,
    BillingKind,
    CollectionKind,
    CollectionPeriod,
    DepositKind,
    MethodKind,
    Order,
    PaymentMethod,
    StoredMethod,
)
from payments.services.collecting import make_file
from payments.services.deposits import ask_deposit
from payments.services.on_account import pay_on_account
from payments.services.orders import place_order
from payments.services.paying import STORED, pay_order
from payments.services.statements import ended_month, issue_statements
from payments.services.subscribing import set_up_by_office

DEPOSIT = Decimal("25.00")
CONSENT = "Signed on paper; the form is kept at the parking office."


def make_company_account(company: Company, manager: User, office: User) -> None:
    """Let the company pay by its statement; last month it paid for gate cards of its people, and one more since."""
    offer(MethodKind.ACCOUNT, "company-account", {"en": "Company Account", "fr-ca": "Compte de l’entreprise"}, 3)
    account = BillingAccount.objects.create(company=company, kind=BillingKind.INVOICE)
    people = list(User.objects.filter(company=company).exclude(pk=manager.pk).order_by("pk"))
    for number, person in enumerate(people):
        pay_for(person, manager, order_gate_card(person, f"Gate card {140 + number}", office))
    account.payments.update(approved_at=start_of_day(ended_month(start_of_day(local_date()))[0] + dt.timedelta(days=9)))
    issue_statements(account.pk)
    pay_for(people[0], manager, order_gate_card(people[0], "Gate card 150", office))


def pay_for(person: User, manager: User, order: Order) -> None:
    """Let the manager, who acts for the person, choose the company's account."""
    with acting_for(actor=manager, person=person):
        offered = offered_account(payer=person, kinds={line.kind for line in order.lines.all()})
        assert offered is not None
        pay_on_account(order=order, offered=offered)


def make_payroll(people: list[User], office: User, cashier: User) -> None:
    """Set wages up for two people: one pays in the period whose file is out, one waits for the next."""
    offer(MethodKind.PAYROLL, "payroll", {"en": "Payroll Deduction", "fr-ca": "Retenue sur la paie"}, 4)
    today = local_date()
    first = CollectionPeriod.objects.create(
        kind=CollectionKind.PAYROLL, starts_on=today - dt.timedelta(days=13), ends_on=today + dt.timedelta(days=1)
    )
    for number, person in enumerate(people):
        stored = set_up_wages(person, office)
        order = order_gate_card(person, f"Gate card {160 + number}", office)
        pay_order(order=order, method_code=f"{STORED}{stored.code}", actor=person)
        if number == 0:
            make_file(period=first, actor=cashier)
    CollectionPeriod.objects.create(
        kind=CollectionKind.PAYROLL, starts_on=first.ends_on, ends_on=first.ends_on + dt.timedelta(days=14)
    )


def set_up_wages(person: User, office: User) -> StoredMethod:
    """Write down that the person agreed at the office to have their wages docked."""
    method = PaymentMethod.objects.get(code="payroll")
    number = person.employee_number or f"E-{40200 + person.pk}"
    return set_up_by_office(person=person, method=method, account_number=number, consent=CONSENT, actor=office)


def offer(kind: MethodKind, code: str, name: dict[str, str], position: int) -> PaymentMethod:
    """Offer a way to pay that needs no gateway."""
    method, _made = PaymentMethod.objects.update_or_create(
        code=code, defaults={"kind": kind, "name": name, "is_on": True, "position": position}
    )
    return method


def order_gate_card(person: User, label: str, office: User) -> Order:
    """Ask the deposit for a gate card, and place the order that pays it."""
    deposit = ask_deposit(person=person, kind=DepositKind.CARD, amount=DEPOSIT, label=label, actor=office)
    selection = {"deposit": [deposit.pk]}
    return place_order(payer=person, selection=selection, email=person.email or "", language=person.language)
