"""A process dies before any one of its writes; the beat tasks alone then bring everything right.

The deeds of `test_crashes_of_promises_and_cards.py` are killed in the same way.
"""

from collections.abc import Callable

import pytest
from django.utils import timezone

from demo.bank.models import BankRefund
from opscom.messaging.models import Message
from payments import tasks as payment_tasks
from payments.models import GatewayEvent, LineStatus, OrderLine, Payment, PaymentStatus, Refund, RefundStatus
from payments.services.attempts import start_payment
from payments.services.confirming import check_payment, confirm_payment, handle_event
from payments.services.refunding import refund_line
from permits import tasks as permit_tasks
from permits.models import Permit, PermitStatus, Slot, SlotState
from permits.services.holding import give_back_reservation
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import lapse_hold, make_buyer, make_sale, offer_demo_bank, reserve
from tests.races.crashes import at_each_write

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_demo_bank()


def test_counting_and_delivering_money():
    permit = None

    def make() -> Callable[[], object]:
        nonlocal permit
        permit = reserve(make_sale())
        payment = go_to_bank(order_permit(permit))
        pay_at_bank(payment)
        Payment.objects.filter(pk=payment.pk).update(next_check_at=timezone.now())
        return lambda: check_payment(payment.pk)

    def check() -> None:
        assert Permit.objects.get(pk=permit.pk).status == PermitStatus.ACTIVE
        order = permit_order(permit)
        assert order.finished_at
        assert Message.objects.filter(dedupe_key=f"receipt:{order.pk}").count() == 1

    at_each_write(make, check)


def permit_order(permit: Permit):
    return OrderLine.objects.get(kind="permit", object_id=permit.pk).order


def test_a_report_long_after_the_last_question():
    permit = None

    def make() -> Callable[[], object]:
        nonlocal permit
        permit = reserve(make_sale())
        payment = go_to_bank(order_permit(permit))
        pay_at_bank(payment)
        Payment.objects.filter(pk=payment.pk).update(next_check_at=None, status=PaymentStatus.EXPIRED)
        event = GatewayEvent.objects.create(gateway="demo-bank", event_id=str(payment.pk), reference=payment.reference)
        return lambda: handle_event(event.pk)

    at_each_write(make, lambda: assert_active(permit))


def assert_active(permit: Permit) -> None:
    assert Permit.objects.get(pk=permit.pk).status == PermitStatus.ACTIVE


def test_money_that_came_too_late_goes_back_once():
    late = None

    def make() -> Callable[[], object]:
        nonlocal late
        sale = make_sale(numbers=1)
        permit = reserve(sale)
        late = go_to_bank(order_permit(permit))
        pay_at_bank(late)
        lapse_hold(permit)
        other = go_to_bank(order_permit(reserve(sale)))
        pay_at_bank(other)
        confirm_payment(other)

        def deed() -> None:
            confirm_payment(late)
            payment_tasks.send_refunds()

        return deed

    def check() -> None:
        refund = Refund.objects.get(payment=late)
        assert refund.status == RefundStatus.SUCCEEDED
        assert BankRefund.objects.filter(key=refund.reference).count() == 1
        assert late.order.lines.get().status == LineStatus.REFUNDED

    at_each_write(make, check)


def test_the_office_gives_money_back():
    line = None

    def make() -> Callable[[], object]:
        nonlocal line
        permit = reserve(make_sale(numbers=1))
        payment = go_to_bank(order_permit(permit))
        pay_at_bank(payment)
        confirm_payment(payment)
        line = payment.order.lines.get()
        return lambda: refund_line(line=line, actor=permit.holder)

    def check() -> None:
        """All of it or nothing."""
        permit = Permit.objects.get(pk=line.object_id)
        status = OrderLine.objects.get(pk=line.pk).status
        assert (permit.status, status) in [("active", LineStatus.FULFILLED), ("cancelled", LineStatus.REFUNDED)]
        assert permit.sale.slots.get().state == ("taken" if permit.status == "active" else "free")

    at_each_write(make, check)


def test_starting_at_the_bank():
    """Whatever was written, the payer can begin again, and nothing is charged twice."""
    permit = None

    def make() -> Callable[[], object]:
        nonlocal permit
        permit = reserve(make_sale(numbers=1))
        order = order_permit(permit)
        return lambda: start_payment(order=order, method_code="demo-bank")

    def check() -> None:
        payment = go_to_bank(order_permit(permit))
        pay_at_bank(payment)
        confirm_payment(payment)
        assert_active(permit)
        assert Payment.objects.filter(next_check_at=None, status__in=["created", "started"]).count() == 0

    at_each_write(make, check)


@pytest.mark.parametrize("deed", ["reserve", "order", "lapse", "give back"])
def test_holding_and_letting_go(deed):
    """In the end the number is free again, or held by the one who has it."""
    sale = None

    def make() -> Callable[[], object]:
        nonlocal sale
        sale = make_sale(numbers=1)
        buyer, _ownership = make_buyer()
        if deed == "reserve":
            return lambda: reserve(sale, buyer)
        permit = reserve(sale, buyer)
        if deed == "order":
            return lambda: order_permit(permit)
        if deed == "give back":
            return lambda: give_back_reservation(permit=permit, actor=buyer)
        Permit.objects.filter(pk=permit.pk).update(held_until=timezone.now())
        return permit_tasks.release_lapsed_holds

    def check() -> None:
        slot = Slot.objects.get(sale=sale)
        assert slot.state == (SlotState.HELD if Permit.objects.live().filter(sale=sale).exists() else SlotState.FREE)

    at_each_write(make, check)
