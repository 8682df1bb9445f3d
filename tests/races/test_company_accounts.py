"""A company's account under several hands at once: one payment, and none once the right to it has ended."""

from collections.abc import Callable
from functools import partial
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from accounts.models import Company, CompanyManager, User
from accounts.services.companies import remove_manager
from opscom.core.context import acting_for
from opscom.core.errors import DomainError, NotAllowed
from payments.company_accounts import offered_account
from payments.models import (
    BillingAccount,
    CardSave,
    Order,
    OrderStatus,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Refund,
    StoredMethod,
)
from payments.services.forgetting import remove_stored
from payments.services.on_account import pay_on_account
from payments.services.paying import pay_order
from payments.services.refunding import refund_line
from payments.services.refunds import due_refunds, send_refund
from payments.services.storing import confirm_card_save, start_card_save
from tests.factories.bank_cards import store_at_bank
from tests.factories.billing import offer_accounts, open_account
from tests.factories.companies import give_company, make_company
from tests.factories.payments import order_permit
from tests.factories.permits import make_sale, reserve
from tests.factories.stored import offer_storing
from tests.races.together import assert_books_and_numbers_are_right, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def order() -> Order:
    offer_accounts()
    offer_storing()
    return order_permit(reserve(make_sale()))


@pytest.fixture
def company(order: Order) -> Company:
    return make_company(order.payer)


@pytest.fixture
def boss(company: Company) -> User:
    return give_company(company)


def pay(order: Order, boss: User, code: str = "company") -> Payment:
    """Press `Submit Payment` in the person's cart, as the manager."""
    order = Order.objects.get(pk=order.pk)
    with acting_for(actor=boss, person=order.payer):
        return pay_order(order=order, method_code=code, actor=order.payer)


def while_held(rows: object, change: Callable[[], object], deed: Callable[[], object]) -> object:
    """Begin `deed` in another thread while this one holds the rows; make the change, commit, return what came of it."""
    found: list[object] = []
    begun = Event()

    def run() -> None:
        begun.set()
        try:
            found.append(deed())
        except DomainError as error:
            found.append(error)
        finally:
            connection.close()

    thread = Thread(target=run)
    with transaction.atomic():
        list(rows.select_for_update())
        thread.start()
        begun.wait(10)
        thread.join(0.6)
        change()
    thread.join(20)
    return found[0]


def test_four_clicks_are_one_payment(order, company, boss) -> None:
    open_account(company)
    payments = together([partial(pay, order, boss)] * 4)
    order.refresh_from_db()
    assert order.status == OrderStatus.PAID
    assert Payment.objects.count() == 1
    assert {payment.pk for payment in payments if isinstance(payment, Payment)} == {Payment.objects.get().pk}
    assert_books_and_numbers_are_right()


def test_the_account_and_the_gateway_s_page_in_one_moment(order, company, boss) -> None:
    open_account(company)
    together([partial(pay, order, boss), partial(pay, order, boss, "demo-bank")])
    order.refresh_from_db()
    assert order.status == OrderStatus.PAID
    assert Payment.objects.filter(status=PaymentStatus.APPROVED).count() == 1
    assert_books_and_numbers_are_right()


ENDS = {
    "account closed": lambda o, c, b: (
        BillingAccount.objects.filter(company=c),
        lambda: BillingAccount.objects.update(is_active=False),
    ),
    "account changed": lambda o, c, b: (
        BillingAccount.objects.filter(company=c),
        lambda: BillingAccount.objects.update(kind="journal", journal_code="J-1"),
    ),
    "person left": lambda o, c, b: (
        User.objects.filter(pk=o.payer.pk),
        lambda: User.objects.filter(pk=o.payer.pk).update(company=None),
    ),
    "manager removed": lambda o, c, b: (
        User.objects.filter(pk=b.pk),
        lambda: remove_manager(grant=CompanyManager.objects.get(), actor=b),
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_right_that_ends_while_the_click_is_on_its_way_pays_nothing(name, order, company, boss) -> None:
    open_account(company)
    rows, change = ENDS[name](order, company, boss)
    # The page has been read: the click is past every look before the locks.
    with acting_for(actor=boss, person=order.payer):
        offered = offered_account(payer=order.payer, kinds={"permit"})

    def click() -> object:
        with acting_for(actor=boss, person=order.payer):
            return pay_on_account(order=order, offered=offered)

    assert isinstance(while_held(rows, change, click), NotAllowed)
    assert not Payment.objects.exists()


def store_company_card(company: Company, boss: User) -> StoredMethod:
    start_card_save(actor=boss, method=PaymentMethod.objects.get(gateway="demo-bank"), uses=[], company=company)
    save = CardSave.objects.get()
    store_at_bank(save.reference, "4242424242424242")
    confirm_card_save(save)
    return StoredMethod.objects.get()


def test_two_clicks_charge_the_company_s_card_once(order, company, boss) -> None:
    open_account(company, "card")
    card = store_company_card(company, boss)
    BillingAccount.objects.update(stored_method=card)
    together([partial(pay, order, boss)] * 4)
    order.refresh_from_db()
    assert order.status == OrderStatus.PAID
    assert Payment.objects.filter(status=PaymentStatus.APPROVED, billing_account__company=company).count() == 1
    assert Refund.objects.count() == 0
    assert_books_and_numbers_are_right()


def test_the_card_is_removed_while_it_is_chosen(order, company, boss) -> None:
    """Either the charge was first, or the removal: then nothing is charged."""
    open_account(company, "card")
    card = store_company_card(company, boss)
    BillingAccount.objects.update(stored_method=card)
    together([partial(pay, order, boss), lambda: remove_stored(stored_method=card, actor=boss)])
    order.refresh_from_db()
    assert (order.status == OrderStatus.PAID) == Payment.objects.filter(status=PaymentStatus.APPROVED).exists()
    assert_books_and_numbers_are_right()


def test_two_workers_and_two_refunds_are_one_credit(order, company, boss) -> None:
    open_account(company)
    pay(order, boss)
    line = order.lines.get()
    together([partial(refund_line, line=line, actor=boss)] * 3)
    refund = Refund.objects.get()
    together([lambda: [send_refund(pk) for pk in due_refunds()]] * 3)
    refund.refresh_from_db()
    assert (refund.status, Payment.objects.get().returned) == ("succeeded", order.due)
    assert_books_and_numbers_are_right()
