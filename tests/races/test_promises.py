"""A promise at one moment received, called off, over, and paid by card: one of them counts, and nothing is lost."""

import pytest
from django.utils import timezone

from payments.models import MethodKind, Order, OrderStatus, Payment, PaymentStatus, Promise, PromiseStatus, Refund
from payments.services.confirming import confirm_payment
from payments.services.promising import cancel_promise, close_due_promise, promise_order, receive_promise
from payments.services.settling import finish_order
from permits.models import Permit, PermitStatus, Slot
from tests.factories.accounts import make_user
from tests.factories.payments import go_to_bank, offer_method, order_permit, pay_at_bank
from tests.factories.permits import make_buyer, make_permit_type, make_sale, offer_demo_bank, reserve
from tests.races.together import assert_books_and_numbers_are_right, let_hours_pass, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def methods() -> None:
    offer_demo_bank()
    offer_method(kind=MethodKind.PROMISE, code="cash")


def make_promise(**kind) -> Promise:
    order = order_permit(reserve(make_sale(permit_type=make_permit_type(**kind))))
    return promise_order(order=order, method_code="cash", actor=order.payer)


def receive(promise: Promise, clerk) -> None:
    receive_promise(promise=promise, actor=clerk, amount=promise.order.due, tender="cash")
    finish_order(promise.order_id)


def test_two_clicks_are_one_promise():
    order = order_permit(reserve(make_sale()))
    results = together([lambda: promise_order(order=order, method_code="cash", actor=order.payer)] * 4)
    assert {result.pk for result in results} == {Promise.objects.get().pk}
    assert_books_and_numbers_are_right()


def test_two_clerks_receive_one_payment():
    promise, clerk = make_promise(), make_user()
    together([lambda: receive(promise, clerk)] * 3)
    assert Payment.objects.count() == 1
    assert Promise.objects.get().status == PromiseStatus.RECEIVED
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("valid_at_once", [False, True])
@pytest.mark.parametrize("_round", range(3))
def test_received_called_off_over_and_paid_by_card_at_once(valid_at_once, _round):
    promise, clerk = make_promise(is_valid_when_promised=valid_at_once), make_user()
    payment = go_to_bank(promise.order)
    pay_at_bank(payment)
    Promise.objects.update(pay_by=timezone.now())
    together(
        [
            lambda: receive(promise, clerk),
            lambda: cancel_promise(promise=promise, actor=promise.order.payer),
            lambda: close_due_promise(promise.pk),
            lambda: confirm_payment(Payment.objects.get(pk=payment.pk)),
        ]
    )
    let_hours_pass()
    assert not Promise.objects.filter(status=PromiseStatus.PROMISED).exists()
    assert Order.objects.get().status == OrderStatus.PAID, "the card's money came, whatever else happened"
    kept = Payment.objects.filter(status=PaymentStatus.APPROVED, returned=0).count()
    is_active = Permit.objects.get().status == PermitStatus.ACTIVE
    assert (kept == 1) == is_active, "one payment for a permit, or all of it on its way back"
    assert Refund.objects.count() == Payment.objects.filter(status=PaymentStatus.APPROVED).count() - kept
    assert_books_and_numbers_are_right()


def test_the_last_number_is_promised_to_one():
    sale = make_sale(numbers=1)
    buyers = [make_buyer()[0] for _one in range(4)]

    def buy(buyer) -> Promise:
        order = order_permit(reserve(sale, buyer))
        return promise_order(order=order, method_code="cash", actor=buyer)

    results = together([lambda buyer=buyer: buy(buyer) for buyer in buyers])
    assert sum(isinstance(result, Promise) for result in results) == 1
    assert Slot.objects.get().permit is not None
    assert_books_and_numbers_are_right()
