"""Renewals under several hands at once, and with a process that dies before any of its writes: one charge for one period."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.models import User
from demo.bank.models import BankSession
from opscom.messaging.models import Message
from opscom.provider.selectors import local_date
from payments.models import OrderLine, OrderStatus, Payment, PaymentStatus, Refund, RefundStatus
from payments.services.attempts import start_payment
from payments.services.confirming import confirm_payment
from permits.models import LIVE, Permit, PermitStatus, Rollover, Slot, SlotState
from permits.services.holding import end_next, lapse_next
from permits.services.renewing import take_next_step
from permits.services.rollover import switch_off
from permits.services.suspending import revoke_permit
from tests.factories.accounts import make_user
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.rollover import (
    DECLINED,
    SILENT,
    let_it_end,
    make_monthly_sale,
    make_renewing,
    renewal_of,
    shift,
    take_steps,
    this_morning,
)
from tests.races.crashes import at_each_write
from tests.races.together import assert_books_and_numbers_are_right, let_hours_pass, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
Deed = Callable[[], object]


def announce(**options) -> tuple[Permit, Permit]:
    """Return a permit and its announced renewal, on the day after the one on which it was to be charged."""
    permit = make_renewing(make_monthly_sale(numbers=1), days_left=6, **options)
    take_steps()
    shift(permit, 2)
    return Permit.objects.get(pk=permit.pk), renewal_of(permit)


def charges(renewal: Permit) -> int:
    """Return how often the bank took money for the renewal."""
    lines = OrderLine.objects.filter(kind="permit", object_id=renewal.pk)
    references = Payment.objects.filter(order__lines__in=lines).values("reference")
    return BankSession.objects.filter(reference__in=references, status="approved").count()


def step() -> object:
    return take_next_step(this_morning())


# Several at once


def test_four_workers_make_one_renewal() -> None:
    permit = make_renewing(days_left=6)
    together([step] * 4)
    assert permit.renewals.count() == 1
    assert Message.objects.filter(template="permits/rollover_announced").count() == 1
    assert_books_and_numbers_are_right()


def test_four_workers_charge_once() -> None:
    _permit, renewal = announce()
    together([step] * 4)
    Rollover.objects.update(next_try_at=this_morning())
    together([step] * 4)
    renewal.refresh_from_db()
    assert (renewal.status, charges(renewal)) == (PermitStatus.ACTIVE, 1)
    assert_books_and_numbers_are_right()


def test_workers_that_all_believe_to_have_the_step_charge_once() -> None:
    """Even without the claim: a worker that was thought dead comes back while another one is charging."""
    from permits.services.renewing import take_step

    permit, renewal = announce()
    together([lambda: take_step(permit.pk, this_morning())] * 4)
    assert charges(renewal) == 1
    let_hours_pass()
    assert charges(renewal) == 1
    assert_books_and_numbers_are_right()


def test_switched_off_in_the_moment_of_the_charge() -> None:
    """Charged and kept for its one period, or called off and not charged."""
    permit, renewal = announce()
    together([step, lambda: switch_off(permit=permit, actor=permit.holder)])
    let_hours_pass()
    renewal.refresh_from_db()
    assert renewal.status in (PermitStatus.ACTIVE, PermitStatus.CANCELLED)
    assert charges(renewal) == int(renewal.status == PermitStatus.ACTIVE)
    assert not Rollover.objects.get(permit=permit).is_on
    assert_books_and_numbers_are_right()


def test_paid_by_hand_in_the_moment_of_the_charge() -> None:
    """Whatever comes first: what was paid twice goes back, and one period is kept."""
    _permit, renewal = announce()
    order = order_permit(renewal)

    def by_hand() -> None:
        start_payment(order=order, method_code="demo-bank")
        payment = order.payments.get(stored_method=None)
        pay_at_bank(payment)
        confirm_payment(payment)

    together([step, by_hand])
    let_hours_pass()
    renewal.refresh_from_db()
    assert renewal.status == PermitStatus.ACTIVE
    assert charges(renewal) - Refund.objects.filter(status=RefundStatus.SUCCEEDED).count() == 1
    assert_books_and_numbers_are_right()


def test_the_money_comes_in_the_moment_of_the_end() -> None:
    """The number goes to the renewal, or to who is next; never to both, never to nobody."""
    permit, renewal = announce(card=SILENT)
    step()
    payment = Payment.objects.get(stored_method__isnull=False)
    BankSession.objects.update(answers_from=timezone.now() - dt.timedelta(seconds=1))
    shift(permit, 0)
    together([end_next, lambda: confirm_payment(payment), lapse_next])
    let_hours_pass()
    renewal.refresh_from_db()
    slot = Slot.objects.get(number=permit.number, sale=permit.sale)
    assert (renewal.status, slot.permit_id, slot.state) == (PermitStatus.ACTIVE, renewal.pk, SlotState.TAKEN)
    assert charges(renewal) == 1
    assert_books_and_numbers_are_right()


def test_revoked_in_the_moment_of_the_charge() -> None:
    """The old one is over: whatever was taken for the next one goes back."""
    permit, renewal = announce()
    office = make_user()
    together([step, lambda: revoke_permit(permit=permit, actor=office, reason="Lent out")])
    let_hours_pass()
    renewal.refresh_from_db()
    assert renewal.status == PermitStatus.CANCELLED
    assert charges(renewal) == Refund.objects.filter(status=RefundStatus.SUCCEEDED).count()
    assert_books_and_numbers_are_right()


# Killed at each write


def test_killed_while_the_next_period_is_made() -> None:
    permit: Permit

    def make() -> Deed:
        nonlocal permit
        permit = make_renewing(make_monthly_sale(numbers=1), days_left=6)
        return step

    def check() -> None:
        renewal = permit.renewals.get()
        assert renewal.status == PermitStatus.RESERVED
        assert Message.objects.filter(dedupe_key=f"rollover-announced:{renewal.pk}").count() == 1
        Rollover.objects.update(next_try_at=None)

    at_each_write(make, check)


@pytest.mark.parametrize("card", ["4242424242424242", SILENT])
def test_killed_while_it_is_charged(card: str) -> None:
    """Charged exactly once, whatever was lost: the row stands before the bank is asked, and the bank is asked again."""
    renewal: Permit

    def make() -> Deed:
        nonlocal renewal
        _permit, renewal = announce(card=card)
        return step

    def check() -> None:
        waiting = Payment.objects.filter(status=PaymentStatus.CREATED)
        waiting.update(created_at=timezone.now() - dt.timedelta(minutes=20))
        BankSession.objects.filter(answers_from__isnull=False).update(answers_from=timezone.now())
        let_hours_pass(3)
        waiting.update(created_at=timezone.now() - dt.timedelta(minutes=20))
        BankSession.objects.filter(answers_from__isnull=False).update(answers_from=timezone.now())
        let_hours_pass(2)
        renewal.refresh_from_db()
        assert (renewal.status, charges(renewal)) == (PermitStatus.ACTIVE, 1)
        Rollover.objects.update(next_try_at=None)

    at_each_write(make, check)


def test_killed_while_a_declined_charge_is_noted() -> None:
    """One mail for each try, and one try for each day."""
    renewal: Permit

    def make() -> Deed:
        nonlocal renewal
        _permit, renewal = announce(card=DECLINED)
        return step

    def check() -> None:
        waiting = Payment.objects.filter(status=PaymentStatus.CREATED)
        waiting.update(created_at=timezone.now() - dt.timedelta(minutes=20))
        let_hours_pass()
        lines = OrderLine.objects.filter(kind="permit", object_id=renewal.pk)
        declined = Payment.objects.filter(order__lines__in=lines, status=PaymentStatus.DECLINED)
        assert declined.count() == 1
        assert Message.objects.filter(dedupe_key__startswith=f"rollover-declined:{renewal.pk}:").count() == 1
        row = Rollover.objects.get(permit=renewal.renews)
        assert (row.tries, row.charge_on) == (1, local_date() + dt.timedelta(days=1))
        Rollover.objects.update(next_try_at=None)

    at_each_write(make, check)


def test_killed_while_the_number_goes_over() -> None:
    permit: Permit
    renewal: Permit

    def make() -> Deed:
        nonlocal permit, renewal
        permit, renewal = announce()
        take_steps()
        shift(permit, 0)
        return end_next

    def check() -> None:
        renewal.refresh_from_db()
        assert Slot.objects.get(sale=permit.sale).permit_id == renewal.pk
        assert (renewal.holder_place, renewal.rollover.is_on) == (1, True)
        Rollover.objects.update(next_try_at=None)

    at_each_write(make, check)


def test_killed_while_it_is_switched_off() -> None:
    permit: Permit

    def make() -> Deed:
        nonlocal permit
        permit, _renewal = announce(card=DECLINED)
        return lambda: switch_off(permit=permit, actor=permit.holder)

    def check() -> None:
        switch_off(permit=permit, actor=permit.holder)
        assert not Permit.objects.filter(renews=permit, status__in=LIVE).exists()
        assert not Rollover.objects.get(permit=permit).is_on

    at_each_write(make, check)


def test_killed_while_a_paid_renewal_is_called_off() -> None:
    """The old one is revoked: the money of the next goes back, once."""
    permit: Permit
    renewal: Permit
    office: User

    def make() -> Deed:
        nonlocal permit, renewal, office
        office = make_user()
        permit, renewal = announce()
        take_steps()
        return lambda: revoke_permit(permit=permit, actor=office, reason="Lent out")

    def check() -> None:
        if Permit.objects.get(pk=permit.pk).status == PermitStatus.ACTIVE:
            revoke_permit(permit=permit, actor=office, reason="Lent out")
        let_hours_pass()
        renewal.refresh_from_db()
        refund = Refund.objects.get(line__object_id=renewal.pk, line__kind="permit")
        assert (renewal.status, refund.status) == (PermitStatus.CANCELLED, RefundStatus.SUCCEEDED)
        Rollover.objects.update(next_try_at=None)

    at_each_write(make, check)


def test_a_whole_month_with_nobody_at_work_does_no_harm() -> None:
    """The beat slept past the end: nothing is charged for a permit that is over, and its number is free."""
    permit = make_renewing(make_monthly_sale(numbers=1), days_left=6)
    let_it_end(permit)
    let_hours_pass()
    assert not permit.renewals.exists()
    assert Slot.objects.get(sale=permit.sale).state == SlotState.FREE
    assert OrderLine.objects.get().order.status == OrderStatus.PAID
    assert_books_and_numbers_are_right()


def test_money_paid_by_hand_on_the_last_evening_is_in_time() -> None:
    permit, renewal = announce(card=DECLINED)
    payment = go_to_bank(order_permit(renewal))
    shift(permit, 0)
    Permit.objects.filter(pk=renewal.pk).update(held_until=timezone.now() + dt.timedelta(minutes=20))
    let_hours_pass()
    renewal.refresh_from_db()
    assert (renewal.status, renewal.slot.state) == (PermitStatus.RESERVED, SlotState.HELD)
    pay_at_bank(payment)
    confirm_payment(payment)
    renewal.refresh_from_db()
    assert (renewal.status, renewal.slot.state) == (PermitStatus.ACTIVE, SlotState.TAKEN)
    assert_books_and_numbers_are_right()
