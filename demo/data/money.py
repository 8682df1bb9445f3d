"""How the demo's people may pay, and what became of some payments: so that every screen about money has something to show."""

import datetime as dt
from decimal import Decimal

from django.utils.translation import override

from accounts.models import User, UserType
from demo.bank import cards
from demo.bank import services as bank
from demo.bank.models import BankCardPage, BankSession
from opscom.provider.models import Provider
from opscom.provider.selectors import forget_cached, local_date
from payments.models import CardSave, Deposit, DepositKind, MethodKind, Order, OrderLine, PaymentMethod, SubscriptionUse
from payments.services.adjusting import adjust_line
from payments.services.attempts import start_payment
from payments.services.confirming import confirm_payment
from payments.services.deposits import ask_deposit, decide_deposit
from payments.services.orders import place_order
from payments.services.paying import pay_order
from payments.services.refunding import refund_line
from payments.services.storing import confirm_card_save, start_card_save
from payments.tasks import send_refunds

GOOD_CARD = "4242424242424242"
# Above this the office's refunds wait for a second person.
SECOND_PERSON_ABOVE = Decimal("500.00")
# Person's place in the list of people -> months until the stored card expires: one is told that theirs ends soon.
STORED_CARDS = {0: 40, 3: 1, 12: 25}


def make_payment_methods() -> None:
    """Offer cards at the demo bank to everybody, for everything, and cash or cheque to those who work here."""
    PaymentMethod.objects.update_or_create(
        code="demo-bank",
        defaults={
            "kind": MethodKind.CARD,
            "gateway": "demo-bank",
            "name": {"en": "Credit Card", "fr-ca": "Carte de crédit"},
            "is_on": True,
            "is_for_guests": True,
            "uses": SubscriptionUse.values,
            "position": 1,
        },
    )
    cash, _made = PaymentMethod.objects.update_or_create(
        code="cash-or-cheque",
        defaults={
            "kind": MethodKind.PROMISE,
            "name": {"en": "Cash or Cheque", "fr-ca": "Comptant ou chèque"},
            "is_on": True,
            "days_to_pay": 7,
            "position": 2,
        },
    )
    cash.user_types.set(UserType.objects.filter(code__in=["staff", "faculty"]))


def pay_at_bank(order: Order) -> None:
    """Pay an order with the demo bank's good card; one of which nothing is due, as parking at night, needs no bank."""
    if order.due == 0:
        pay_order(order=order, method_code="", actor=order.payer)
        return
    start_payment(order=order, method_code="demo-bank")
    payment = order.payments.get()
    card = bank.find_card(GOOD_CARD)
    assert card is not None
    bank.pay(BankSession.objects.get(reference=payment.reference), card)
    confirm_payment(payment)


def make_money(people: list[User], office: User, cashier: User) -> None:
    """Store cards, adjust prices, give back, and hold deposits, all by the services that people use."""
    Provider.objects.update(refund_second_person_above=SECOND_PERSON_ABOVE)
    forget_cached()
    for number, months in STORED_CARDS.items():
        store_card(people[number], months)
    # One more to pay, one cheaper, one given back in part, and one that a second person has to look at.
    adjust_line(line=line_of(people[0]), amount=Decimal("5.65"), reason="Second plate on the permit", actor=cashier)
    adjust_line(line=line_of(people[3]), amount=Decimal("-11.30"), reason="Lot closed for two days", actor=cashier)
    refund_line(line=line_of(people[5]), amount=Decimal("50.00"), note="Started in February", actor=cashier)
    refund_line(line=line_of(people[27]), note="Leaves the university", actor=cashier)
    make_deposits(people, office)
    send_refunds()


def line_of(person: User) -> OrderLine:
    """Return the paid line of the person's permit."""
    return OrderLine.objects.get(order__payer=person, kind="permit", settled=True)


def store_card(person: User, months: int) -> None:
    """Let the person store a card at the demo bank that expires in so many months, for what they are asked."""
    method = PaymentMethod.objects.get(code="demo-bank")
    uses = [SubscriptionUse.PERMIT_ROLLOVER, SubscriptionUse.TEMPORARY_PARKING]
    with override(person.language):
        start_card_save(actor=person, method=method, uses=uses)
    save = CardSave.objects.get(person=person)
    card = cards.find_storable(GOOD_CARD)
    assert card is not None
    first = local_date().replace(day=1)
    expires_on = (first + dt.timedelta(days=31 * months)).replace(day=1)
    cards.store_card(BankCardPage.objects.get(reference=save.reference), card, expires_on=expires_on)
    confirm_card_save(save)


def make_deposits(people: list[User], office: User) -> None:
    """Ask for a deposit, hold one, give one back, and keep a part of one."""

    def ask(number: int, kind: DepositKind, amount: str, label: str) -> Deposit:
        return ask_deposit(person=people[number], kind=kind, amount=Decimal(amount), label=label, actor=office)

    ask(0, DepositKind.TAG, "20.00", "Windshield tag 3127")
    held, whole, part = (
        ask(number, kind, amount, label)
        for number, kind, amount, label in [
            (9, DepositKind.CARD, "25.00", "Gate card 118"),
            (11, DepositKind.CARD, "25.00", "Gate card 121"),
            (6, DepositKind.LOCKER, "40.00", "Locker R-17"),
        ]
    )
    for deposit in (held, whole, part):
        pay_deposit(deposit)
    decide_deposit(deposit=whole, returned=whole.amount, actor=office, reason="")
    decide_deposit(deposit=part, returned=Decimal("15.00"), actor=office, reason="The lock had to be replaced")


def pay_deposit(deposit: Deposit) -> None:
    """Let its person pay it, alone."""
    person = deposit.person
    assert person is not None
    with override(person.language):
        order = place_order(
            payer=person, selection={"deposit": [deposit.pk]}, email=person.email or "", language=person.language
        )
    pay_at_bank(order)
    deposit.refresh_from_db()
