"""The same money counts once, whoever reports it and however often; nothing is paid for twice; late money finds its place."""

import datetime as dt

import pytest
from django.utils import timezone

from payments.gateways.base import Event
from payments.models import (
    GatewayEvent,
    LineStatus,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
)
from payments.services.attempts import start_payment
from payments.services.confirming import check_payment, confirm_payment, handle_event, keep_event
from payments.services.refunds import send_refund
from payments.services.settling import finish_order
from payments.tasks import send_refunds
from permits.models import Permit, PermitStatus
from permits.services.holding import lapse_next
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import lapse_hold, make_sale, offer_demo_bank, reserve
from tests.races.together import assert_books_and_numbers_are_right, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_demo_bank()


def status_of(permit: Permit) -> str:
    return Permit.objects.get(pk=permit.pk).status


def test_one_event_from_six_threads_counts_once() -> None:
    permit = reserve(make_sale())
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)

    def report() -> None:
        event = keep_event(gateway_code="demo-bank", event=Event("evt-1", payment.reference), body=b"{}")
        handle_event(event.pk)

    together([report] * 6)
    assert GatewayEvent.objects.count() == 1
    assert Payment.objects.filter(status=PaymentStatus.APPROVED).count() == 1
    assert Refund.objects.count() == 0
    assert status_of(permit) == PermitStatus.ACTIVE
    assert Order.objects.get().finished_at
    assert_books_and_numbers_are_right()


def test_return_page_webhook_and_reconciler_at_once_count_once() -> None:
    permit = reserve(make_sale())
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    Payment.objects.filter(pk=payment.pk).update(next_check_at=timezone.now())
    event = keep_event(gateway_code="demo-bank", event=Event("evt-1", payment.reference), body=b"{}")
    together(
        [
            lambda: confirm_payment(Payment.objects.get(pk=payment.pk)),
            lambda: confirm_payment(Payment.objects.get(pk=payment.pk)),
            lambda: handle_event(event.pk),
            lambda: check_payment(payment.pk),
            lambda: finish_order(payment.order_id),
        ]
    )
    assert status_of(permit) == PermitStatus.ACTIVE
    assert Refund.objects.count() == 0
    assert_books_and_numbers_are_right()


def test_one_order_paid_twice_gives_the_second_back() -> None:
    permit = reserve(make_sale())
    order = order_permit(permit)
    payments = [go_to_bank(order), go_to_bank(order)]
    for payment in payments:
        pay_at_bank(payment)
    together([lambda payment=payment: confirm_payment(payment) for payment in payments])
    refund = Refund.objects.get()
    assert (refund.reason, refund.amount) == (RefundReason.PAID_TWICE, order.total)
    send_refunds()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    assert_books_and_numbers_are_right()


def test_two_orders_for_one_thing_first_wins_second_goes_back() -> None:
    permit = reserve(make_sale())
    first = go_to_bank(order_permit(permit))
    # A change of the receipt's address replaces the open order while its payer is still at the bank.
    permit.holder.email = "another@example.org"
    second = go_to_bank(order_permit(permit))
    assert first.order_id != second.order_id
    for payment in (first, second):
        pay_at_bank(payment)
    together([lambda payment=payment: confirm_payment(payment) for payment in (first, second)])
    assert Order.objects.filter(status=OrderStatus.PAID).count() == 2
    assert Refund.objects.get().reason == RefundReason.PAID_ELSEWHERE
    assert status_of(permit) == PermitStatus.ACTIVE
    send_refunds()
    assert_books_and_numbers_are_right()


def test_payment_in_the_second_in_which_the_hold_lapses() -> None:
    """Whoever is first, the payer has a permit or the money back, and the books agree."""
    for _round in range(4):
        sale = make_sale(numbers=1)
        permit = reserve(sale)
        payment = go_to_bank(order_permit(permit))
        pay_at_bank(payment)
        Permit.objects.filter(pk=permit.pk).update(held_until=timezone.now())
        together([lambda payment=payment: confirm_payment(payment), lapse_next, lapse_next])
        # Until the list has decided about the lapsed number, the delivery waits; then it comes again.
        OrderLine.objects.filter(next_try_at__isnull=False).update(next_try_at=timezone.now())
        finish_order(payment.order_id)
        assert status_of(permit) == PermitStatus.ACTIVE
    assert_books_and_numbers_are_right()


def test_late_money_gets_the_same_number_back() -> None:
    permit = reserve(make_sale(numbers=3))
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    number = permit.number
    lapse_hold(permit)
    confirm_payment(payment)
    permit.refresh_from_db()
    assert (permit.status, permit.number) == (PermitStatus.ACTIVE, number)
    assert_books_and_numbers_are_right()


def test_late_money_gets_another_number_when_its_own_is_gone() -> None:
    sale = make_sale(numbers=1)
    permit = reserve(sale)
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    lapse_hold(permit)
    other = reserve(sale)
    assert other.number == permit.number
    from permits.services.allotting import NumberRange, allot_numbers

    allot_numbers(sale=sale, numbers=NumberRange("X", 1, 1), actor=permit.holder)
    confirm_payment(payment)
    permit.refresh_from_db()
    assert (permit.status, permit.number) == (PermitStatus.ACTIVE, "X001")
    assert_books_and_numbers_are_right()


def test_late_money_for_a_sold_out_lot_goes_back_whole() -> None:
    sale = make_sale(numbers=1)
    permit = reserve(sale)
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    lapse_hold(permit)
    reserve(sale)
    confirm_payment(payment)
    line = payment.order.lines.get()
    assert line.status == LineStatus.REFUND_DUE
    send_refunds()
    line.refresh_from_db()
    assert line.status == LineStatus.REFUNDED
    assert Refund.objects.get().amount == payment.amount
    assert_books_and_numbers_are_right()


def test_two_workers_send_one_refund_once() -> None:
    permit = reserve(make_sale())
    order = order_permit(permit)
    for payment in (go_to_bank(order), go_to_bank(order)):
        pay_at_bank(payment)
        confirm_payment(payment)
    refund = Refund.objects.get()
    together([lambda: send_refund(refund.pk)] * 5)
    refund.refresh_from_db()
    assert (refund.status, refund.attempts) == (RefundStatus.SUCCEEDED, 1)


def test_one_payer_placing_the_same_order_five_times_has_one_open() -> None:
    permit = reserve(make_sale())
    together([lambda: order_permit(permit)] * 5)
    assert Order.objects.filter(status=OrderStatus.OPEN).count() == 1


def test_starting_at_the_bank_keeps_the_number_for_at_most_two_visits() -> None:
    permit = reserve(make_sale())
    order = order_permit(permit)
    ends = []
    for _visit in range(3):
        Permit.objects.filter(pk=permit.pk).update(held_until=timezone.now() + dt.timedelta(seconds=30))
        start_payment(order=order, method_code="demo-bank")
        ends.append(Permit.objects.get(pk=permit.pk).held_until - timezone.now() > dt.timedelta(minutes=10))
    assert ends == [True, True, False]
