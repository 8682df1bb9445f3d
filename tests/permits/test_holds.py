"""Holds, kept numbers and late money, one thing at a time; tests/races does the same from many threads."""

import datetime as dt

import pytest
from django.utils import timezone

from opscom.core.errors import Busy, NotAllowed
from payments.models import LineStatus, Order, OrderLine, Refund
from payments.purchasables import Done
from payments.services.confirming import confirm_payment
from payments.services.orders import place_order
from payments.services.settling import finish_order
from permits import purchasable, tasks
from permits.models import Permit, PermitStatus, Slot, SlotState
from permits.services import holding, promoting
from permits.services.delivering import activate_permit
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import lapse_hold, make_sale, offer_demo_bank, reserve
from tests.races.together import assert_books_and_numbers_are_right

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_demo_bank()


def lapse_without_promoting(permit: Permit) -> None:
    """The hold ran out, and the process died before the number was promoted."""
    Permit.objects.filter(pk=permit.pk).update(held_until=timezone.now())
    assert holding.lapse_next()
    permit.refresh_from_db()
    assert (permit.status, permit.sale.slots.get(number=permit.number).state) == ("lapsed", SlotState.FOR_LIST)


def test_late_money_waits_for_a_number_that_is_between_two_states():
    """Refunding it as sold out would be wrong: the list has not decided about the number yet."""
    permit = reserve(make_sale(numbers=1))
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    lapse_without_promoting(permit)
    confirm_payment(payment)
    assert OrderLine.objects.get().status == LineStatus.SETTLED
    promoting.promote_everywhere()
    OrderLine.objects.update(next_try_at=timezone.now())
    finish_order(payment.order_id)
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE
    assert Refund.objects.count() == 0
    assert_books_and_numbers_are_right()


def test_who_paid_in_time_keeps_the_number_while_our_code_fails(monkeypatch):
    permit = reserve(make_sale(numbers=1))
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    with monkeypatch.context() as patch:
        patch.setattr(purchasable, "activate_permit", lambda **_facts: 1 / 0)
        confirm_payment(payment)
    assert OrderLine.objects.get().status == LineStatus.NEEDS_REVIEW
    lapse_hold(permit)
    assert permit.status == PermitStatus.RESERVED
    OrderLine.objects.update(next_try_at=timezone.now())
    finish_order(payment.order_id)
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE


@pytest.mark.parametrize(
    ("task", "status"), [(tasks.release_lapsed_holds, PermitStatus.RESERVED), (tasks.end_permits, PermitStatus.ACTIVE)]
)
def test_one_broken_row_stops_nobody_else(task, status):
    sale = make_sale(numbers=3)
    permits = [reserve(sale) for _number in range(3)]
    now = timezone.now()
    if status == PermitStatus.ACTIVE:
        for permit in permits:
            activate_permit(permit_id=permit.pk, order=Order(code="x"))
        Permit.objects.update(valid_from=now - dt.timedelta(days=9), valid_until=now)
    else:
        Permit.objects.update(held_until=now)
    # The one that comes first has lost its number.
    due = "valid_until" if status == PermitStatus.ACTIVE else "held_until"
    Permit.objects.filter(pk=permits[0].pk).update(**{due: now - dt.timedelta(days=1)})
    Slot.objects.filter(permit=permits[0]).update(permit=None, state=SlotState.RETIRED)
    task()
    assert [permit.pk for permit in Permit.objects.live()] == [permits[0].pk]


def test_one_sale_that_cannot_be_promoted_stops_no_other(monkeypatch):
    sales = [make_sale(numbers=1) for _number in range(3)]
    Slot.objects.update(state=SlotState.FOR_LIST)
    real = promoting.hand_out
    monkeypatch.setattr(promoting, "hand_out", lambda listed: 1 / 0 if listed.lot == sales[0].lot else real(listed))
    promoting.promote_everywhere()
    assert Slot.objects.filter(state=SlotState.FREE).count() == 2


@pytest.mark.parametrize("step", ["ordered", "at the bank", "paid"])
def test_a_hold_that_runs_out_at_any_step_ends_well(step):
    sale = make_sale(numbers=1)
    permit = reserve(sale)
    order = order_permit(permit)
    if step == "ordered":
        lapse_hold(permit)
        with pytest.raises(Exception, match="no longer be paid"):
            go_to_bank(order)
        assert reserve(sale).number == permit.number
        return
    payment = go_to_bank(order)
    if step == "at the bank":
        lapse_hold(permit)
    pay_at_bank(payment)
    if step == "paid":
        lapse_hold(permit)
    confirm_payment(payment)
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE
    assert_books_and_numbers_are_right()


def test_given_back_while_at_the_bank_is_refunded():
    permit = reserve(make_sale())
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    holding.give_back_reservation(permit=permit, actor=permit.holder)
    confirm_payment(payment)
    assert Refund.objects.get().reason == "not_available"
    assert_books_and_numbers_are_right()


def test_late_money_of_somebody_who_has_another_one_now_is_refunded():
    sale = make_sale(numbers=3)
    permit = reserve(sale)
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    lapse_hold(permit)
    reserve(sale, permit.holder)
    confirm_payment(payment)
    assert Refund.objects.get().reason == "not_available"
    assert_books_and_numbers_are_right()


def test_money_after_the_last_day_is_refunded():
    permit = reserve(make_sale())
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    now = timezone.now()
    Permit.objects.update(valid_from=now - dt.timedelta(days=2), valid_until=now - dt.timedelta(seconds=1))
    confirm_payment(payment)
    assert Refund.objects.get().reason == "not_available"
    lapse_hold(permit)
    assert_books_and_numbers_are_right()


def test_activating_twice_is_done_twice_and_changes_nothing():
    permit = reserve(make_sale())
    order = order_permit(permit)
    for _time in range(2):
        assert activate_permit(permit_id=permit.pk, order=order) == Done()
    assert Slot.objects.filter(state=SlotState.TAKEN).count() == 1


def test_a_hold_is_extended_once_and_never_after_its_end():
    permit = reserve(make_sale())
    holding.extend_hold(permit=permit, actor=permit.holder)
    with pytest.raises(NotAllowed):
        holding.extend_hold(permit=permit, actor=permit.holder)
    other = reserve(make_sale())
    Permit.objects.filter(pk=other.pk).update(held_until=timezone.now())
    with pytest.raises(NotAllowed):
        holding.extend_hold(permit=other, actor=other.holder)


def test_a_settled_permit_cannot_be_ordered_again(monkeypatch):
    permit = reserve(make_sale())
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    with monkeypatch.context() as patch:
        patch.setattr(purchasable, "activate_permit", lambda **_facts: (_ for _ in ()).throw(Busy()))
        confirm_payment(payment)
    with pytest.raises(Exception, match="no longer be paid"):
        place_order(payer=permit.holder, selection={"permit": [permit.pk]}, email="", language="en")


def test_the_bank_s_clock_never_shortens_a_hold():
    permit = reserve(make_sale())
    before = permit.held_until
    holding.hold_for_gateway(permit_ids=[permit.pk], until=timezone.now())
    permit.refresh_from_db()
    assert permit.held_until == before
