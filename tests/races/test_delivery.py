"""Deliveries from many threads: the product is asked once, and a payer waits for no beat."""

import time
from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.utils import timezone

from opscom.celery import app
from opscom.messaging.models import Message
from payments.gateways.base import Result
from payments.models import LineStatus, OrderLine, Refund, RefundStatus
from payments.purchasables import Done
from payments.services.attempts import start_payment
from payments.services.confirming import check_payment
from payments.services.refunding import refund_line
from payments.services.refunds import send_refund
from payments.services.settling import finish_order, settle, settle_free_order
from tests.factories.payments import place_thing
from tests.factories.peers import approved
from tests.factories.vehicles import make_owner
from tests.payments.conftest import gateway, product  # noqa: F401 - fixtures for every test here
from tests.races.together import assert_books_and_numbers_are_right, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("gateway")]


def test_six_workers_ask_the_product_once(product):  # noqa: F811
    order = place_thing(1, 2)
    start_payment(order=order, method_code="scripted")
    settle(payment_id=order.payments.get().pk, result=approved("200.00"))

    def slowly() -> Done:
        time.sleep(0.2)  # The other workers arrive meanwhile.
        return Done()

    product.outcomes = [slowly]
    together([lambda: finish_order(order.pk)] * 6)
    assert product.delivered == [1, 2]
    assert Message.objects.filter(template="payments/receipt").count() == 1
    assert {line.attempts for line in OrderLine.objects.all()} == {0}


def test_six_clicks_on_a_free_order_pay_it_once(product):  # noqa: F811
    product.prices = {1: 0}
    order = place_thing()
    together([lambda: (settle_free_order(order=order), finish_order(order.pk))] * 6)
    assert product.delivered == [1]
    assert_books_and_numbers_are_right()


def test_six_refunds_of_one_line_are_one(product):  # noqa: F811
    order = place_thing()
    start_payment(order=order, method_code="scripted")
    settle(payment_id=order.payments.get().pk, result=approved())
    finish_order(order.pk)
    actor = make_owner()
    together([lambda: refund_line(line=OrderLine.objects.get(), actor=actor)] * 6)
    assert product.released == [1]
    assert OrderLine.objects.get().status == LineStatus.REFUND_DUE
    assert_books_and_numbers_are_right()


def test_six_reconcilers_ask_the_gateway_once(product, gateway):  # noqa: F811
    order = place_thing()
    start_payment(order=order, method_code="scripted")
    payment = order.payments.get()
    type(payment).objects.update(next_check_at=timezone.now())
    together([lambda: check_payment(payment.pk)] * 6)
    assert len(gateway.asked) == 1


def test_six_workers_ask_for_a_refund_once(product, gateway):  # noqa: F811
    order = place_thing()
    start_payment(order=order, method_code="scripted")
    settle(payment_id=order.payments.get().pk, result=approved())
    finish_order(order.pk)
    refund = refund_line(line=OrderLine.objects.get(), actor=make_owner())
    assert refund

    def slowly() -> Result:
        time.sleep(0.2)
        return Result(status="approved", gateway_reference="r-1")

    gateway.refunds = [slowly]
    together([lambda: send_refund(refund.pk)] * 6)
    assert gateway.refund_keys == [refund.reference]


@pytest.mark.parametrize("_round", range(3))
def test_six_workers_take_over_a_lapsed_refund_once(product, gateway, _round):  # noqa: F811
    order = place_thing()
    start_payment(order=order, method_code="scripted")
    settle(payment_id=order.payments.get().pk, result=approved())
    finish_order(order.pk)
    refund = refund_line(line=OrderLine.objects.get(), actor=make_owner())
    assert refund
    long_ago = timezone.now() - timedelta(hours=1)
    Refund.objects.update(status=RefundStatus.SENDING, leased_until=long_ago, attempts=1)

    def slowly() -> Result:
        time.sleep(0.3)
        return Result(status="approved", gateway_reference="r-1")

    gateway.refunds = [slowly]
    together([lambda: send_refund(refund.pk)] * 6)
    assert gateway.refund_keys == [refund.reference]


def test_a_no_from_a_try_that_was_given_up_does_not_end_the_next_one(product, gateway):  # noqa: F811
    order = place_thing()
    start_payment(order=order, method_code="scripted")
    settle(payment_id=order.payments.get().pk, result=approved())
    finish_order(order.pk)
    refund = refund_line(line=OrderLine.objects.get(), actor=make_owner())
    assert refund
    second_is_asking, first_is_done = Event(), Event()

    def first() -> Result:
        Refund.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        other.start()
        second_is_asking.wait(5)
        return Result(status="declined")

    def second() -> Result:
        second_is_asking.set()
        first_is_done.wait(5)
        return Result(status="approved", gateway_reference="r-1")

    gateway.refunds = [first, second]
    other = Thread(target=lambda: together([lambda: send_refund(refund.pk)]))
    send_refund(refund.pk)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SENDING
    first_is_done.set()
    other.join(5)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED


@pytest.fixture
def eager_worker() -> Iterator[None]:
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.mark.usefixtures("eager_worker")
def test_delivery_follows_the_money_at_once(product):  # noqa: F811
    order = place_thing()
    start_payment(order=order, method_code="scripted")
    settle(payment_id=order.payments.get().pk, result=approved())
    assert product.delivered == [1]
