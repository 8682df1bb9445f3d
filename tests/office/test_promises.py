"""The office's queue of promises: received, bounced, called off, each with the password of who does it."""

import pytest
from django.urls import reverse

from payments.models import Debt, MethodKind, Payment, Promise, PromiseStatus
from payments.services.promising import promise_order, receive_promise
from permits.models import Permit
from tests.factories.accounts import PASSWORD
from tests.factories.payments import offer_method, order_permit
from tests.factories.permits import make_sale, reserve

pytestmark = pytest.mark.django_db
CASH = {"password": PASSWORD, "amount": "100.00", "tender": "cash", "reference": "R-7"}


@pytest.fixture
def promise() -> Promise:
    offer_method(kind=MethodKind.PROMISE, code="cash")
    order = order_permit(reserve(make_sale()))
    return promise_order(order=order, method_code="cash", actor=order.payer)


def page(promise: Promise, name: str = "change") -> str:
    return reverse(f"admin:payments_promise_{name}", args=[promise.pk])


def status_of(promise: Promise) -> str:
    promise.refresh_from_db()
    return promise.status


def test_the_money_is_received_at_the_counter(client_of, cashier, promise):
    client = client_of(cashier)
    asked = client.get(page(promise, "receive")).content.decode()
    assert promise.order.code in asked
    assert "$100.00" in asked
    assert client.post(page(promise, "receive"), CASH).status_code == 302
    assert status_of(promise) == PromiseStatus.RECEIVED
    assert promise.received_by == cashier
    assert Permit.objects.get().status == "active"


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "wrong"},
        {"amount": "99.99"},
        {"amount": "-100.00"},
        {"amount": "NaN"},
        {"amount": "1e30"},
        {"amount": ""},
        {"tender": "shells"},
        {"tender": "cheque", "reference": ""},
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_received(client_of, cashier, promise, wrong):
    assert client_of(cashier).post(page(promise, "receive"), CASH | wrong).status_code == 422
    assert status_of(promise) == PromiseStatus.PROMISED
    assert not Payment.objects.exists()


def test_received_twice_is_refused(client_of, cashier, promise):
    client = client_of(cashier)
    client.post(page(promise, "receive"), CASH)
    answer = client.post(page(promise, "receive"), CASH)
    assert answer.status_code == 422
    assert "already paid" in answer.content.decode()
    assert Payment.objects.count() == 1


def test_a_bounced_cheque_is_owed_again(client_of, cashier, promise):
    client = client_of(cashier)
    client.post(page(promise, "receive"), CASH | {"tender": "cheque"})
    assert "Cheque bounced" in client.get(page(promise)).content.decode()
    deed = {"password": PASSWORD, "outcome": "owed", "note": "No funds"}
    assert client.post(page(promise, "bounce"), deed).status_code == 302
    assert status_of(promise) == PromiseStatus.BOUNCED
    assert Debt.objects.get().created_by == cashier


def test_a_bounced_cheque_takes_the_permit_back(client_of, cashier, promise):
    client = client_of(cashier)
    client.post(page(promise, "receive"), CASH | {"tender": "cheque"})
    client.post(page(promise, "bounce"), {"password": PASSWORD, "outcome": "taken_back", "note": "No funds"})
    assert Permit.objects.get().status == "cancelled"


def test_cancelled_with_a_reason(client_of, cashier, promise):
    client = client_of(cashier)
    assert client.post(page(promise, "cancel"), {"password": PASSWORD, "note": ""}).status_code == 422
    assert client.post(page(promise, "cancel"), {"password": PASSWORD, "note": "Asked by phone"}).status_code == 302
    assert status_of(promise) == PromiseStatus.CANCELLED
    assert (promise.note, promise.closed_by) == ("Asked by phone", cashier)


def test_an_over_promise_offers_nothing(client_of, cashier, promise):
    client = client_of(cashier)
    client.post(page(promise, "receive"), CASH)
    text = client.get(page(promise)).content.decode()
    assert page(promise, "receive") not in text
    assert page(promise, "bounce") not in text
    assert page(promise, "cancel") not in text


@pytest.mark.parametrize("name", ["receive", "bounce", "cancel"])
def test_who_is_not_of_the_till_decides_nothing(client_of, officer, resident, promise, name):
    for person in (officer, resident):
        client_of(person).post(page(promise, name), CASH | {"note": "x", "outcome": "owed"})
        assert status_of(promise) == PromiseStatus.PROMISED


@pytest.mark.parametrize("rows", [1, 3])
def test_the_queue_costs_the_same_for_one_and_three(client_of, cashier, django_assert_num_queries, rows):
    offer_method(kind=MethodKind.PROMISE, code="cash")
    for _row in range(rows):
        order = order_permit(reserve(make_sale()))
        given = promise_order(order=order, method_code="cash", actor=order.payer)
        receive_promise(promise=given, actor=cashier, amount=order.due, tender="cash")
    client = client_of(cashier)
    client.get(reverse("admin:payments_promise_changelist"))
    with django_assert_num_queries(7):
        client.get(reverse("admin:payments_promise_changelist"))
