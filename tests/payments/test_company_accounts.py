"""A company's account pays for its people while their manager acts for them, and at no other time."""

import pytest
from django.urls import reverse

from accounts.models import CompanyManager
from opscom.core.context import acting_for
from opscom.core.errors import NotAllowed
from opscom.messaging.models import Message
from payments.choices import checkout_choices
from payments.company_accounts import offered_account
from payments.gateways.base import GatewayError, Result
from payments.invariants import check_books
from payments.models import OrderStatus, Payment, PaymentStatus, Refund, RefundStatus
from payments.services.confirming import confirm_payment
from payments.services.on_account import pay_on_account
from payments.services.paying import pay_order
from payments.services.refunding import refund_line
from payments.services.refunds import due_refunds, send_refund
from tests.factories.billing import offer_accounts, open_account, pay_for
from tests.factories.companies import give_company, log_in_as, make_company
from tests.factories.payments import offer_method, place_thing
from tests.factories.peers import approved
from tests.factories.stored import make_stored, offer_storing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("product", "gateway")]


@pytest.fixture
def method():
    return offer_accounts()


@pytest.fixture
def company(resident):
    return make_company(resident, name="Northbuild")


@pytest.fixture
def boss(company, method):
    return give_company(company)


@pytest.fixture
def account(company, boss):
    return open_account(company)


@pytest.fixture
def order(resident):
    return place_thing(payer=resident, email=resident.email)


def offered(order, boss):
    with acting_for(actor=boss, person=order.payer):
        return offered_account(payer=order.payer, kinds={"thing"})


def test_invoice_pays_at_once_without_money(order, boss, account, product):
    payment = pay_for(order.payer, manager=boss, order=order)
    order.refresh_from_db()
    assert (order.status, product.delivered) == (OrderStatus.PAID, [1])
    assert (payment.gateway, payment.billing_account, payment.recorded_by) == ("account", account, boss)
    assert payment.amount == payment.received_amount == order.due
    assert payment.gateway_reference == account.company.account_number
    assert not list(check_books())


def test_journal_names_its_code(order, boss, company):
    open_account(company, "journal", journal_code="4410-22")
    assert pay_for(order.payer, manager=boss, order=order).gateway_reference == "4410-22"


def test_the_choice_stands_at_the_checkout_while_the_manager_acts(order, boss, account):
    with acting_for(actor=boss, person=order.payer):
        choices = {choice.code: choice for choice in checkout_choices(order)}
    assert choices["company"].label == "Company Account: Northbuild"
    assert "next monthly statement" in choices["company"].hint
    assert "company" not in {choice.code for choice in checkout_choices(order)}


def refuse(change, order, boss):
    """Make the change; then neither the choice nor a code that was posted earlier pays."""
    before = offered(order, boss)
    assert before is not None
    change()
    order.payer.refresh_from_db()
    assert offered(order, boss) is None
    with acting_for(actor=boss, person=order.payer):
        with pytest.raises(NotAllowed):
            pay_order(order=order, method_code="company", actor=order.payer)
        with pytest.raises(NotAllowed):
            pay_on_account(order=order, offered=before)
    assert not Payment.objects.exists()


CHANGES = {
    "account closed": lambda order, boss, account: type(account).objects.update(is_active=False),
    "company closed": lambda order, boss, account: type(account.company).objects.update(is_active=False),
    "not their manager": lambda order, boss, account: CompanyManager.objects.all().delete(),
    "manager disabled": lambda order, boss, account: type(boss).objects.filter(pk=boss.pk).update(is_active=False),
    "person left": lambda order, boss, account: type(boss).objects.filter(pk=order.payer.pk).update(company=None),
    "method off": lambda order, boss, account: offer_accounts(is_on=False),
    "other kinds of item": lambda order, boss, account: offer_accounts(product_kinds=["permit"]),
    "no account": lambda order, boss, account: account.delete(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_ends_while_the_page_is_open_is_asked_again(name, order, boss, account):
    def change() -> None:
        CHANGES[name](order, boss, account)
        boss.refresh_from_db()

    if name == "no account":
        change()
        assert offered(order, boss) is None
    else:
        refuse(change, order, boss)


def test_without_a_manager_it_is_no_way_to_pay(order, boss, account):
    with pytest.raises(NotAllowed):
        pay_order(order=order, method_code="company", actor=order.payer)
    before = offered(order, boss)
    with pytest.raises(NotAllowed):
        pay_on_account(order=order, offered=before)
    with acting_for(actor=boss, person=boss), pytest.raises(NotAllowed):
        pay_on_account(order=order, offered=before)
    assert not Payment.objects.exists()


def test_not_for_somebody_of_another_company(other_resident, boss, account):
    make_company(other_resident)
    theirs = place_thing(2, payer=other_resident, email=other_resident.email)
    assert offered(theirs, boss) is None


def test_not_in_a_clerk_s_hands(order, account, clerk):
    assert offered(order, clerk) is None


def test_the_same_click_twice_is_one_payment(order, boss, account):
    before = offered(order, boss)
    with acting_for(actor=boss, person=order.payer):
        first, second = [pay_on_account(order=order, offered=before) for _click in range(2)]
    assert first == second
    assert Payment.objects.count() == 1


def test_a_paid_order_is_not_paid_again(gateway, order, boss, account):
    offer_method("scripted")
    before = offered(order, boss)
    gateway.answers = [approved()]
    pay_order(order=order, method_code="scripted", actor=order.payer)
    confirm_payment(Payment.objects.get())
    with acting_for(actor=boss, person=order.payer), pytest.raises(NotAllowed):
        pay_on_account(order=order, offered=before)
    assert Payment.objects.count() == 1


def company_card(company, **fields):
    offer_storing("scripted")
    card = make_stored(None, company=company, **fields)
    open_account(company, "card", stored_method=card)
    return card


def test_the_company_s_card_is_charged(gateway, order, boss, company, product):
    card = company_card(company)
    gateway.charges = [approved()]
    payment = pay_for(order.payer, manager=boss, order=order)
    assert (payment.status, payment.stored_method, payment.billing_account.company) == ("approved", card, company)
    assert gateway.charged[0][2] == "unscheduled"
    assert product.delivered == [1]


def test_a_declined_company_card_leaves_the_order_open(gateway, order, boss, company):
    company_card(company)
    gateway.charges = [Result(status="declined", message="No funds")]
    assert pay_for(order.payer, manager=boss, order=order).status == PaymentStatus.DECLINED
    order.refresh_from_db()
    assert order.status == OrderStatus.OPEN


def test_a_silent_gateway_lets_no_second_charge_begin(gateway, order, boss, company):
    company_card(company)
    gateway.charges = [GatewayError("silence"), approved()]
    first = pay_for(order.payer, manager=boss, order=order)
    assert pay_for(order.payer, manager=boss, order=order) == first
    assert len(gateway.charged) == 1


def test_another_card_is_not_charged_than_the_page_showed(gateway, order, boss, company):
    company_card(company)
    before = offered(order, boss)
    other = make_stored(None, company=company)
    company.billing_account.__class__.objects.update(stored_method=other)
    with acting_for(actor=boss, person=order.payer), pytest.raises(NotAllowed):
        pay_on_account(order=order, offered=before)
    assert not gateway.charged


@pytest.mark.parametrize("fields", [{"removed_at": "2026-01-01T00:00Z"}, {"expires_on": "2020-01-01"}])
def test_a_card_that_is_gone_is_not_offered(order, boss, company, fields):
    company_card(company, **fields)
    assert offered(order, boss) is None


def test_a_refund_is_a_credit_that_nobody_hands_over(order, boss, account, clerk):
    payment = pay_for(order.payer, manager=boss, order=order)
    refund_line(line=order.lines.get(), actor=clerk)
    refund = Refund.objects.get()
    assert due_refunds() == [refund.pk]
    send_refund(refund.pk)
    refund.refresh_from_db()
    payment.refresh_from_db()
    assert (refund.status, payment.returned) == (RefundStatus.SUCCEEDED, order.due)
    words = Message.objects.get(template="payments/refunded").context
    assert (words["company"], words["is_by_hand"]) == ("Northbuild", True)
    assert not list(check_books())


def test_a_manager_pays_in_the_browser_and_the_receipt_names_the_company(client_of, resident, boss, account, order):
    browser = client_of(boss)
    log_in_as(browser, resident)
    page = browser.get(reverse("payments:checkout", args=[order.code]))
    assert "Company Account: Northbuild" in page.content.decode()
    browser.post(reverse("payments:checkout", args=[order.code]), {"method": "company"})
    order.refresh_from_db()
    assert order.status == OrderStatus.PAID
    receipt = browser.get(reverse("payments:receipt", args=[order.code])).content.decode()
    assert "<dd>Northbuild</dd>" in receipt
    assert Payment.objects.get().recorded_by == boss


def test_the_person_alone_cannot_post_it(client_of, resident, account, order):
    response = client_of(resident).post(reverse("payments:checkout", args=[order.code]), {"method": "company"})
    assert response.status_code == 422
    assert not Payment.objects.exists()
