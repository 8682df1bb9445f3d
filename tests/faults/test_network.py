"""The line to Stripe loses, delays and repeats what goes over it: nothing is charged, stored or given back twice.

Each fault hits both tries of the vendor's library, so that its own repeat does not hide it. By the fact sheet: the strict
server keeps to the vendor's word, and here it also forgets its idempotency keys when a day has passed.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from django.test import Client
from django.utils import timezone

from opscom.core.errors import DomainError
from payments.models import (
    CardSave,
    CardSaveStatus,
    LineStatus,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    StoredMethod,
    Subscription,
)
from payments.services.refunding import refund_line
from payments.services.refunds import send_refund
from payments.services.storing import confirm_card_save
from permits.models import Permit, PermitStatus
from tests.factories.payments import order_permit
from tests.factories.permits import make_sale, reserve
from tests.factories.stored import PARKING, begin_save, offer_storing
from tests.faults.proxy import Fault, FaultyProxy, faulty_proxy
from tests.gateways import fact_sheet as sheet
from tests.gateways.fact_sheet_server import FactSheet
from tests.races.together import assert_books_and_numbers_are_right, let_hours_pass

# Longer than the adapter waits in these tests.
LATE = 0.7
# Past this the gateway's word is final: nothing of ours can still be on its way.
AGE = dt.timedelta(minutes=20)
HARMLESS: Fault = "send twice"
# After these, the server never heard of it.
UNHEARD = ("lose the request", "answer 502")
every_fault = pytest.mark.parametrize("fault", [one for one in get_args(Fault) if one != "pass"])


@pytest.fixture
def line(stripe_only: None, fact_sheet: FactSheet, settings: Any) -> Iterator[FaultyProxy]:
    """Everything goes through it."""
    offer_storing("stripe")
    with faulty_proxy(fact_sheet.url, late_by=LATE) as proxy:
        settings.STRIPE_API_BASE = proxy.url
        yield proxy
        assert proxy.faults == [], "what should have been hit never went over the line"


@pytest.fixture
def order(line: FaultyProxy) -> Order:
    return order_permit(reserve(make_sale(numbers=1)))


@pytest.fixture
def browser(order: Order, client_of: Callable[..., Client]) -> Client:
    return client_of(order.payer)


def hit(line: FaultyProxy, only: str, fault: Fault) -> None:
    """Let the fault happen to the next request of this kind, and to the library's repeat of it."""
    line.only = only
    # A repeat follows only what was not answered.
    line.faults = [fault] * (1 if fault == HARMLESS else 2)


def let_a_day_pass(server: FactSheet) -> None:
    """The beat runs; then the attempts are old, Stripe's open pages have closed and its keys are forgotten; it runs again."""
    let_hours_pass()
    old = timezone.now() - AGE
    for model in (Payment, CardSave):
        model.objects.filter(created_at__gt=old).update(created_at=old)
    with server.books.lock:
        server.books.kept.clear()
        for session in server.books.all("checkout.session", status="open"):
            session.update(status="expired", url=None)
    let_hours_pass()


def pay(browser: Client, order: Order, server: FactSheet) -> str:
    """Go to the page, pay there, come back; returns what the payer reads."""
    response = go_to_page(browser, order)
    assert response.url.startswith("https://checkout.stripe.com/")
    payment = order.payments.latest("pk")
    server.pay(payment.gateway_reference, sheet.GOOD)
    return come_back(browser, payment)


def go_to_page(browser: Client, order: Order, method: str = "stripe") -> Any:
    return browser.post(f"/payments/checkout/{order.code}/", {"method": method})


def come_back(browser: Client, payment: Payment) -> str:
    return browser.get(f"/payments/return/{payment.reference}/", follow=True).content.decode()


def assert_paid_once_and_delivered(order: Order, server: FactSheet) -> None:
    """Stripe and the portal have the same charges and refunds, one each; what is paid is delivered."""
    charges = [charge["metadata"]["reference"] for charge in server.books.all("charge")]
    counted = Payment.objects.filter(status=PaymentStatus.APPROVED).values_list("reference", flat=True)
    assert charges == list(counted), "one charge, and we know of it"
    assert len(charges) == 1
    refunds = [refund["metadata"]["key"] for refund in server.books.all("refund")]
    returned = Refund.objects.filter(status=RefundStatus.SUCCEEDED).values_list("reference", flat=True)
    assert refunds == list(returned)
    order.refresh_from_db()
    bought = order.lines.get()
    assert order.status == OrderStatus.PAID
    assert order.finished_at
    delivered = (Permit.objects.get(pk=bought.object_id).status, bought.status)
    kept, given_back = (PermitStatus.ACTIVE, LineStatus.FULFILLED), (PermitStatus.CANCELLED, LineStatus.REFUNDED)
    assert delivered == (given_back if refunds else kept)
    assert not Payment.objects.filter(status__in=[PaymentStatus.CREATED, PaymentStatus.STARTED]).exists()
    assert_books_and_numbers_are_right()


@every_fault
def test_on_the_way_to_the_page_by_the_fact_sheet(order, browser, line, fact_sheet, fault) -> None:
    hit(line, "POST /v1/checkout/sessions", fault)
    response = go_to_page(browser, order)
    if fault == HARMLESS:
        assert response.url.startswith("https://checkout.stripe.com/")
    else:
        assert "Nothing was charged" in browser.get(response.url).content.decode()
    pages = fact_sheet.books.all("checkout.session")
    assert len(pages) == (0 if fault in UNHEARD else 1), "however often it was asked for"
    let_a_day_pass(fact_sheet)
    first = order.payments.get()
    assert first.status == (PaymentStatus.FAILED if fault in UNHEARD else PaymentStatus.EXPIRED)
    assert "Thank you" in pay(browser, order, fact_sheet)
    let_a_day_pass(fact_sheet)
    assert_paid_once_and_delivered(order, fact_sheet)


@every_fault
def test_back_from_the_page_by_the_fact_sheet(order, browser, line, fact_sheet, fault) -> None:
    hit(line, "GET /v1/checkout/sessions", fault)
    seen = pay(browser, order, fact_sheet)
    assert ("Thank you" if fault == HARMLESS else "Waiting for the bank") in seen
    let_a_day_pass(fact_sheet)
    assert_paid_once_and_delivered(order, fact_sheet)
    assert "Thank you" in come_back(browser, order.payments.get())


@every_fault
def test_a_stored_card_is_charged_by_the_fact_sheet(order, browser, line, fact_sheet, fault) -> None:
    card = store_card(order, fact_sheet)
    hit(line, "POST /v1/payment_intents", fault)
    go_to_page(browser, order, f"stored:{card.code}")
    payment = order.payments.get()
    assert payment.status == (PaymentStatus.APPROVED if fault == HARMLESS else PaymentStatus.CREATED)
    # An impatient payer, by the card and by the page: neither begins while the first charge is not known.
    for method in (f"stored:{card.code}", "stripe"):
        go_to_page(browser, order, method)
    assert order.payments.get() == payment
    if fault in UNHEARD:
        assert "Waiting for the bank" in come_back(browser, payment), "it may still be on its way"
    let_a_day_pass(fact_sheet)
    payment.refresh_from_db()
    assert payment.status == (PaymentStatus.FAILED if fault in UNHEARD else PaymentStatus.APPROVED)
    if fault in UNHEARD:
        assert "nothing was charged" in come_back(browser, payment)
        go_to_page(browser, order, f"stored:{card.code}")
    assert "Thank you" in come_back(browser, order.payments.latest("pk"))
    assert_paid_once_and_delivered(order, fact_sheet)


def test_a_charge_that_arrives_after_it_was_asked_about_by_the_fact_sheet(order, browser, line, fact_sheet) -> None:
    """Both tries, minutes late, when the reconciler has been told that there is no such charge."""
    card = store_card(order, fact_sheet)
    hit(line, "POST /v1/payment_intents", "lose the request")
    go_to_page(browser, order, f"stored:{card.code}")
    minutes_ago = timezone.now() - dt.timedelta(minutes=5)
    Payment.objects.update(created_at=minutes_ago)
    let_hours_pass()
    assert "Waiting for the bank" in come_back(browser, order.payments.get())
    line.deliver_lost()
    let_a_day_pass(fact_sheet)
    assert "Thank you" in come_back(browser, order.payments.get())
    assert_paid_once_and_delivered(order, fact_sheet)


def store_card(order: Order, server: FactSheet) -> StoredMethod:
    save = begin_save(order.payer, PARKING, gateway="stripe")
    server.store(save.gateway_reference, sheet.GOOD)
    confirm_card_save(save)
    return StoredMethod.objects.get()


@every_fault
def test_money_goes_back_by_the_fact_sheet(order, browser, line, fact_sheet, fault) -> None:
    pay(browser, order, fact_sheet)
    refund = refund_line(line=order.lines.get(), actor=order.payer)
    hit(line, "POST /v1/refunds", fault)
    send_refund(refund.pk)
    refund.refresh_from_db()
    assert refund.status == (RefundStatus.SUCCEEDED if fault == HARMLESS else RefundStatus.DUE)
    # Nothing that was remembered there of the first try may be needed for the second.
    fact_sheet.books.kept.clear()
    let_a_day_pass(fact_sheet)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    assert_paid_once_and_delivered(order, fact_sheet)


@every_fault
def test_a_card_is_stored_by_the_fact_sheet(order, browser, line, fact_sheet, fault) -> None:
    """On the way there and on the way back."""
    hit(line, "POST /v1/checkout/sessions", fault)
    if fault == HARMLESS:
        save = first = begin_save(order.payer, PARKING, gateway="stripe")
    else:
        with pytest.raises(DomainError, match="No card was stored"):
            begin_save(order.payer, PARKING, gateway="stripe")
        first = CardSave.objects.get()
        save = begin_save(order.payer, PARKING, gateway="stripe")
    fact_sheet.store(save.gateway_reference, sheet.GOOD)
    hit(line, "GET /v1/checkout/sessions", fault)
    seen = browser.get(f"/payments/cards/return/{save.reference}/", follow=True).content.decode()
    assert ("Credit Card successfully stored" if fault == HARMLESS else "Waiting for the bank") in seen
    let_a_day_pass(fact_sheet)
    save.refresh_from_db()
    assert save.status == CardSaveStatus.STORED
    if save != first:
        first.refresh_from_db()
        assert first.status == (CardSaveStatus.FAILED if fault in UNHEARD else CardSaveStatus.DECLINED)
    stored = StoredMethod.objects.get()
    assert fact_sheet.books.things[stored.token]["customer"] == stored.customer_reference
    assert Subscription.objects.get().stored_method == stored
    assert fact_sheet.books.all("charge") == []
    assert_books_and_numbers_are_right()
