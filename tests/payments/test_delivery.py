"""What is paid is delivered, or its money goes back: nothing in between lasts, and nothing is delivered twice."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import OperationalError
from django.utils import timezone

from opscom.core.errors import Busy, DomainError, NotAllowed, Refused, Stale
from opscom.messaging.models import Message
from payments.gateways.base import GatewayError
from payments.models import LineStatus, Order, OrderLine, OrderStatus, Payment, PaymentStatus, Refund
from payments.purchasables import Done
from payments.services.attempts import start_payment
from payments.services.confirming import confirm_payment
from payments.services.settling import finish_order, settle, settle_free_order
from payments.tasks import finish_paid_orders, reconcile_payments
from tests.factories.payments import place_thing
from tests.factories.peers import approved
from tests.factories.vehicles import make_owner
from tests.races.together import assert_books_and_numbers_are_right

pytestmark = pytest.mark.django_db


def pay(order: Order) -> Payment:
    """Settle the order, and deliver nothing yet."""
    start_payment(order=order, method_code="scripted")
    payment = order.payments.latest("pk")
    settle(payment_id=payment.pk, result=approved(str(order.total)))
    return payment


def let_time_pass() -> None:
    OrderLine.objects.filter(next_try_at__isnull=False).update(next_try_at=timezone.now())


@pytest.mark.parametrize("error", [Busy(), Stale("moved"), OperationalError("lock timeout")])
def test_a_passing_obstacle_is_tried_again_and_not_the_office_s(gateway, product, error):
    order = place_thing()
    pay(order)
    product.outcomes = [error, error, Done()]
    for _time in range(2):
        finish_order(order.pk)
        assert order.lines.get().status == LineStatus.SETTLED
        let_time_pass()
    finish_order(order.pk)
    line = order.lines.get()
    assert (line.status, line.attempts) == (LineStatus.FULFILLED, 2)
    assert Order.objects.get().finished_at
    assert_books_and_numbers_are_right()


def test_a_fault_of_ours_keeps_the_money_and_is_tried_again(gateway, product):
    order = place_thing()
    pay(order)
    product.outcomes = [ZeroDivisionError(), Done()]
    finish_order(order.pk)
    assert order.lines.get().status == LineStatus.NEEDS_REVIEW
    assert Order.objects.get().finished_at is None
    let_time_pass()
    finish_paid_orders()
    assert order.lines.get().status == LineStatus.FULFILLED
    assert Refund.objects.count() == 0
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("error", [Busy(), ZeroDivisionError()])
def test_one_line_that_fails_stops_no_other(gateway, product, error):
    order = place_thing(1, 2, 3)
    pay(order)
    product.outcomes = [error, Done()]
    finish_order(order.pk)
    assert product.delivered == [2, 3]


def test_a_process_that_dies_anywhere_leaves_nothing_behind(gateway, product):
    """After the money is counted; between two lines; and before the receipt."""
    order = place_thing(1, 2)
    start_payment(order=order, method_code="scripted")
    gateway.answers = [approved("200.00")]
    product.outcomes = [SystemExit(), Done(), SystemExit(), Done()]
    for _death in range(2):
        with pytest.raises(SystemExit):
            confirm_payment(Payment.objects.get())
    finish_paid_orders()
    assert sorted(product.delivered) == [1, 2]
    assert Message.objects.filter(template="payments/receipt").count() == 1
    assert Order.objects.get().finished_at
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("error", [Busy(), ZeroDivisionError()])
def test_what_is_paid_and_not_yet_delivered_is_not_sold_to_its_payer_again(gateway, product, error):
    payer = make_owner()
    pay(place_thing(payer=payer))
    product.outcomes = [error]
    finish_order(Order.objects.get().pk)
    with pytest.raises(DomainError):
        place_thing(payer=payer, email="other@example.org")
    assert Order.objects.filter(status=OrderStatus.OPEN).count() == 0


def test_a_second_order_at_the_bank_is_stopped_once_the_first_is_paid(gateway, product):
    one, other = make_owner(), make_owner()
    first, second = place_thing(payer=one), place_thing(payer=other)
    pay(first)
    with pytest.raises(DomainError):
        start_payment(order=second, method_code="scripted")


def test_undeliverable_orders_do_not_starve_the_next_one(gateway, product):
    """Two hundred deliveries that fail all day, and one whose task was lost."""
    payer = make_owner()
    product.outcomes = [ZeroDivisionError()]
    now = timezone.now()
    orders = Order.objects.bulk_create(
        Order(
            payer=payer,
            language="en",
            currency="CAD",
            net=0,
            tax=0,
            total=0,
            status="paid",
            paid_at=now - dt.timedelta(hours=1),
        )
        for _number in range(200)
    )
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            kind="thing",
            object_id=100 + n,
            label="x",
            net=0,
            tax=0,
            amount=0,
            settled=True,
            status=LineStatus.SETTLED,
        )
        for n, order in enumerate(orders)
    )
    last = place_thing()
    pay(last)
    finish_paid_orders()
    product.outcomes = [Done()]
    finish_paid_orders()
    assert last.lines.get().status == LineStatus.FULFILLED


# Repeats and order


def test_every_repeat_changes_nothing(gateway, product):
    order = place_thing()
    payment = pay(order)
    for _time in range(3):
        assert settle(payment_id=payment.pk, result=approved()) is False
        finish_order(order.pk)
        finish_paid_orders()
        reconcile_payments()
    assert product.delivered == [1]
    assert Message.objects.filter(template="payments/receipt").count() == 1
    assert Refund.objects.count() == 0


def test_money_for_an_order_that_was_replaced_still_pays_it(gateway, product):
    payer = make_owner()
    old = place_thing(payer=payer)
    start_payment(order=old, method_code="scripted")
    place_thing(2, payer=payer)
    old.refresh_from_db()
    assert old.status == OrderStatus.CLOSED
    gateway.answers = [approved()]
    confirm_payment(old.payments.get())
    old.refresh_from_db()
    assert (old.status, product.delivered) == (OrderStatus.PAID, [1])
    assert_books_and_numbers_are_right()


def test_half_of_an_order_paid_elsewhere_goes_back_and_the_rest_is_delivered(gateway, product):
    first = place_thing(1)
    second = place_thing(1, 2)
    for order in (first, second):
        start_payment(order=order, method_code="scripted")
    for order in (first, second):
        settle(payment_id=order.payments.get().pk, result=approved(str(order.total)))
        finish_order(order.pk)
    assert product.delivered == [1, 2]
    assert Refund.objects.get().amount == Decimal("100.00")
    assert_books_and_numbers_are_right()


def test_guests_do_not_close_each_other_s_orders(gateway, product):
    """Nobody's orders have no payer in common."""
    first = place_thing(1, payer=None)
    second = place_thing(2, payer=None)
    first.refresh_from_db()
    assert (first.status, second.status) == (OrderStatus.OPEN, OrderStatus.OPEN)


# Nothing to pay


def test_an_order_of_nothing_is_paid_once_without_a_gateway(gateway, product):
    product.prices = {1: Decimal("0.00")}
    order = place_thing()
    for _time in range(2):
        settle_free_order(order=order)
        finish_order(order.pk)
    assert product.delivered == [1]
    assert Payment.objects.count() == 0
    assert_books_and_numbers_are_right()


def test_an_order_of_nothing_that_is_refused_is_simply_over(gateway, product):
    product.prices = {1: Decimal("0.00")}
    product.outcomes = [Refused("gone", "It is gone.")]
    order = place_thing()
    settle_free_order(order=order)
    finish_order(order.pk)
    assert order.lines.get().status == LineStatus.REFUNDED
    assert_books_and_numbers_are_right()


def test_an_order_of_nothing_is_not_sent_to_a_gateway(gateway, product):
    product.prices = {1: Decimal("0.00")}
    with pytest.raises(NotAllowed):
        start_payment(order=place_thing(), method_code="scripted")


def test_a_gateway_that_cannot_be_reached_leaves_an_attempt_to_look_up(gateway, product):
    gateway.starts = [GatewayError("away")]
    with pytest.raises(DomainError):
        start_payment(order=place_thing(), method_code="scripted")
    payment = Payment.objects.get()
    assert (payment.status, payment.next_check_at is None) == (PaymentStatus.CREATED, False)


@pytest.mark.parametrize("status", [OrderStatus.CLOSED, OrderStatus.PAID])
def test_an_order_that_is_not_open_starts_no_payment(gateway, product, status):
    order = place_thing()
    paid_at = timezone.now() if status == OrderStatus.PAID else None
    Order.objects.filter(pk=order.pk).update(status=status, paid_at=paid_at)
    with pytest.raises(NotAllowed):
        start_payment(order=order, method_code="scripted")
    assert Payment.objects.count() == 0


def test_a_price_that_has_changed_starts_no_payment(gateway, product):
    order = place_thing()
    product.prices = {1: Decimal("120.00")}
    with pytest.raises(NotAllowed):
        start_payment(order=order, method_code="scripted")
    assert Payment.objects.count() == 0


def test_an_order_that_costs_something_is_not_free(gateway, product):
    order = place_thing()
    settle_free_order(order=order)
    order.refresh_from_db()
    assert (order.status, product.delivered) == (OrderStatus.OPEN, [])


def test_an_obstacle_that_does_not_pass_comes_to_the_office(gateway, product):
    order = place_thing()
    pay(order)
    product.outcomes = [Busy()]
    for _time in range(8):
        finish_order(order.pk)
        let_time_pass()
    assert order.lines.get().status == LineStatus.NEEDS_REVIEW
