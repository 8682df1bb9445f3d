"""Money goes back once, whatever the gateway answers and whenever a worker dies."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from opscom.core.errors import NotAllowed, Refused
from opscom.messaging.models import Message
from payments.gateways.base import GatewayError, Result
from payments.models import LineStatus, OrderLine, Payment, PaymentStatus, Refund, RefundReason, RefundStatus
from payments.services.attempts import start_payment
from payments.services.refunding import refund_line, refund_unmatched_payment
from payments.services.refunds import MOST_ATTEMPTS, owe_refund, retry_refund, send_refund
from payments.services.settling import finish_order, settle
from payments.tasks import send_refunds
from tests.factories.payments import place_thing
from tests.factories.peers import approved
from tests.factories.vehicles import make_owner
from tests.races.together import assert_books_and_numbers_are_right

pytestmark = pytest.mark.django_db


def pay_thing(result: Result | None = None) -> Payment:
    """Return the settled payment of an order for one thing."""
    order = place_thing()
    start_payment(order=order, method_code="scripted")
    payment = order.payments.get()
    settle(payment_id=payment.pk, result=result or approved())
    finish_order(order.pk)
    payment.refresh_from_db()
    return payment


@pytest.fixture
def refund(gateway, product) -> Refund:
    payment = pay_thing()
    return refund_line(line=payment.order.lines.get(), actor=make_owner())


def let_time_pass() -> None:
    Refund.objects.filter(next_try_at__isnull=False).update(next_try_at=timezone.now())
    Refund.objects.filter(leased_until__isnull=False).update(leased_until=timezone.now() - dt.timedelta(seconds=1))


@pytest.mark.parametrize("failure", [GatewayError("away"), Result(status="unknown")])
def test_unknown_many_times_then_approved_is_one_refund(refund, gateway, failure):
    gateway.refunds = [failure] * (MOST_ATTEMPTS - 1) + [Result(status="approved", gateway_reference="r-1")]
    for _time in range(MOST_ATTEMPTS):
        let_time_pass()
        send_refunds()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    assert set(gateway.refund_keys) == {refund.reference}
    assert OrderLine.objects.get().status == LineStatus.REFUNDED
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("failure", [ValueError("garbage"), GatewayError("away")])
def test_a_refund_that_never_works_waits_longer_each_time_and_comes_to_the_office(refund, gateway, failure):
    gateway.refunds = [failure]
    for time in range(MOST_ATTEMPTS):
        send_refunds()
        send_refunds()
        assert len(gateway.refund_keys) == time + 1
        let_time_pass()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.FAILED
    gateway.refunds = [Result(status="approved", gateway_reference="r-1")]
    retry_refund(refund=refund, actor=None)
    send_refunds()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED


def test_a_gateway_that_left_the_settings_keeps_the_refund(refund, settings):
    from payments.gateways.registry import installed_gateways

    settings.PAYMENT_GATEWAYS = []
    installed_gateways.cache_clear()
    send_refunds()
    refund.refresh_from_db()
    assert (refund.status, refund.next_try_at is None) == (RefundStatus.DUE, False)


def test_a_worker_that_dies_around_the_call_costs_nothing(refund, gateway):
    """Whether the gateway had acted or not: the next worker asks with the same key."""
    gateway.refunds = [SystemExit(), Result(status="approved", gateway_reference="r-1")]
    with pytest.raises(SystemExit):
        send_refund(refund.pk)
    send_refunds()
    assert len(gateway.refund_keys) == 1
    let_time_pass()
    send_refunds()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    assert set(gateway.refund_keys) == {refund.reference}


def test_not_yet_due_is_not_sent(refund, gateway):
    """A second worker with an old list in its hand must not ask again at once."""
    gateway.refunds = [GatewayError("away")]
    send_refund(refund.pk)
    send_refund(refund.pk)
    assert len(gateway.refund_keys) == 1


@pytest.mark.parametrize("early", [Result(status="unknown"), Result(status="declined")])
def test_a_slow_no_does_not_hide_a_later_yes(refund, gateway, early):
    """The first worker's lease ran out in its call; the second one's answer is the one that counts."""

    def answer_late() -> Result:
        let_time_pass()
        gateway.refunds = [answer_again]
        send_refund(refund.pk)
        return early

    def answer_again() -> Result:
        return Result(status="approved", gateway_reference="r-1")

    gateway.refunds = [answer_late]
    send_refund(refund.pk)
    refund.refresh_from_db()
    assert (refund.status, refund.gateway_reference) == (RefundStatus.SUCCEEDED, "r-1")


@pytest.mark.parametrize("meanwhile", [Result(status="unknown"), Result(status="declined")])
def test_a_slow_yes_counts_although_another_worker_heard_no(refund, gateway, meanwhile):
    """Money that has gone back has gone back."""

    def answer_late() -> Result:
        let_time_pass()
        gateway.refunds = [meanwhile]
        send_refund(refund.pk)
        return Result(status="approved", gateway_reference="r-1")

    gateway.refunds = [answer_late]
    send_refund(refund.pk)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    assert OrderLine.objects.get().status == LineStatus.REFUNDED


def test_money_gone_back_is_told_once(refund, gateway):
    for _time in range(3):
        send_refund(refund.pk)
    assert Message.objects.filter(template="payments/refunded").count() == 1
    assert len(gateway.refund_keys) == 1


@pytest.mark.parametrize("amount", ["100.01", "0.00", "-1.00"])
def test_never_more_than_was_received_and_never_nothing(gateway, product, amount):
    payment = pay_thing()
    with pytest.raises(NotAllowed):
        owe_refund(payment=payment, amount=Decimal(amount), reason=RefundReason.OFFICE)


def test_parts_are_counted_together(gateway, product):
    payment = pay_thing()
    owe_refund(payment=payment, amount=Decimal("60.00"), reason=RefundReason.OFFICE)
    with pytest.raises(NotAllowed):
        owe_refund(payment=payment, amount=Decimal("40.01"), reason=RefundReason.OFFICE)


# The wrong money


@pytest.mark.parametrize(
    "result", [approved("99.99"), approved("100.01"), approved(currency="USD"), approved("0.01"), approved("250.00")]
)
def test_wrong_money_is_kept_for_the_office_and_goes_back_once(gateway, product, result):
    payment = pay_thing(result)
    assert (payment.status, payment.needs_review) == (PaymentStatus.APPROVED, "amount")
    assert product.delivered == []
    assert_books_and_numbers_are_right()
    refund = refund_unmatched_payment(payment=payment, actor=make_owner())
    with pytest.raises(NotAllowed):
        refund_unmatched_payment(payment=payment, actor=make_owner())
    assert refund.amount == result.amount
    send_refunds()
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("amount", [None, "0.00"])
def test_nothing_received_cannot_be_sent_back(gateway, product, amount):
    payment = pay_thing(approved(amount))
    assert (payment.status, payment.needs_review) == (PaymentStatus.APPROVED, "amount")
    with pytest.raises(NotAllowed):
        refund_unmatched_payment(payment=payment, actor=make_owner())


def test_the_right_money_after_the_wrong_one_pays(gateway, product):
    wrong = pay_thing(approved("1.00"))
    start_payment(order=wrong.order, method_code="scripted")
    right = wrong.order.payments.exclude(pk=wrong.pk).get()
    settle(payment_id=right.pk, result=approved())
    finish_order(wrong.order_id)
    assert product.delivered == [1]
    assert Refund.objects.count() == 0
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("way", ["office", "refused"])
def test_a_line_goes_back_from_the_payment_that_paid_it_whatever_the_clocks_say(gateway, product, way):
    """Two workers, one of them with its clock behind: the second payment looks earlier than the first."""
    order = place_thing()
    for _time in range(2):
        start_payment(order=order, method_code="scripted")
    first, second = order.payments.order_by("pk")
    settle(payment_id=first.pk, result=approved())
    if way == "office":
        finish_order(order.pk)
    settle(payment_id=second.pk, result=approved())
    Payment.objects.filter(pk=second.pk).update(approved_at=timezone.now() - dt.timedelta(minutes=1))
    assert_books_and_numbers_are_right()
    if way == "office":
        refund_line(line=order.lines.get(), actor=make_owner())
    else:
        product.outcomes = [Refused("gone", "It is gone.")]
        finish_order(order.pk)
    assert {(r.payment_id, r.reason) for r in Refund.objects.all()} == {
        (second.pk, RefundReason.PAID_TWICE),
        (first.pk, RefundReason.OFFICE if way == "office" else RefundReason.NOT_AVAILABLE),
    }
    send_refunds()
    assert_books_and_numbers_are_right()


def test_office_refund_takes_back_and_pays_back_once(refund, product):
    assert product.released == [1]
    with pytest.raises(NotAllowed):
        refund_line(line=OrderLine.objects.get(), actor=make_owner())
    assert Refund.objects.get().amount == Decimal("100.00")
    assert_books_and_numbers_are_right()


def test_a_line_of_nothing_is_refunded_without_a_gateway(gateway, product):
    product.prices = {1: Decimal("100.00"), 2: Decimal("0.00")}
    order = place_thing(1, 2)
    start_payment(order=order, method_code="scripted")
    settle(payment_id=order.payments.get().pk, result=approved())
    finish_order(order.pk)
    assert refund_line(line=order.lines.get(object_id=2), actor=make_owner()) is None
    assert_books_and_numbers_are_right()
