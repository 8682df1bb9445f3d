"""Boots whose money, end and deadline meet in one moment: one code, one mail, and no deposit held for ever."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.roles import CLERK
from boots.models import Booting, BootStatus, Ending, LateRule
from boots.services.putting_on import put_on
from boots.services.returning import Returned, lose_boot, return_boot, take_off
from boots.services.steps import take_step
from boots.tasks import take_steps
from opscom.messaging.models import Message
from payments.gateways.base import Result
from payments.models import DepositStatus, Payment, Refund, RefundStatus
from payments.services.confirming import check_payment, confirm_payment
from payments.services.settling import finish_order, settle
from payments.tasks import send_refunds
from tests.factories.accounts import make_user
from tests.factories.boots import TWENTY, let_pass, make_boot, make_booting, make_released, order_release, set_policy
from tests.factories.payments import go_to_bank, offer_method, pay_at_bank
from tests.factories.violations import make_offence, make_ticket, reload
from tests.races.crashes import at_each_write
from tests.races.together import assert_books_and_numbers_are_right, let_hours_pass, together
from violations.models import Ticket, TicketStatus

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
ROUNDS = range(2)


@pytest.fixture(autouse=True)
def policy() -> None:
    offer_method("demo-bank", is_for_guests=True)
    set_policy(deposit=TWENTY)


@pytest.fixture
def clerk() -> User:
    return make_user(role=CLERK)


def eligible(person: User | None = None) -> Ticket:
    return make_ticket(person, offence=make_offence(is_boot_eligible=True))


def at_bank(booting: Booting, payer: User | None = None) -> Payment:
    """Return a payment whose payer has paid at the bank; nothing is told to us yet."""
    payment = go_to_bank(order_release(booting, payer))
    pay_at_bank(payment)
    return payment


def pay(payment: Payment) -> None:
    """Let the money be reported, and deliver what it paid."""
    confirm_payment(payment)
    finish_order(payment.order_id)


def code_mails(booting: Booting) -> int:
    return Message.objects.filter(dedupe_key__startswith=f"boot-code:{booting.pk}:").count()


def given_back(payment: Payment) -> Decimal:
    """Return what has gone back of the payment, after everything that was under way has ended."""
    refunds = Refund.objects.filter(payment=payment)
    assert not refunds.exclude(status=RefundStatus.SUCCEEDED).exists()
    return sum((refund.amount for refund in refunds), Decimal(0))


def settle_down() -> None:
    let_hours_pass()
    send_refunds()
    assert_books_and_numbers_are_right()


# Two hands


def test_one_payment_is_reported_by_everybody_at_once():
    for _round in ROUNDS:
        booting = make_booting()
        payment = at_bank(booting)
        together([partial(pay, payment)] * 3 + [partial(check_payment, payment.pk)])
        settle_down()
        assert code_mails(booting) == 1
        assert Message.objects.filter(dedupe_key=f"receipt:{payment.order_id}").count() == 1
        assert not Refund.objects.filter(payment=payment).exists()


def test_paid_while_the_office_gives_it_up(clerk):
    """Either the code went out, or release and deposit go back: never both, and never neither."""
    for _round in ROUNDS:
        booting = make_booting()
        payment = at_bank(booting)
        together([partial(pay, payment), partial(lose_boot, booting=booting, reason="By hand", actor=clerk)])
        settle_down()
        booting.refresh_from_db()
        assert reload(booting.ticket).status == TicketStatus.PAID
        if booting.released_at:
            # It may have been lost since: with the deposit, as any that does not come back.
            assert (code_mails(booting), given_back(payment)) == (1, 0)
        else:
            assert (code_mails(booting), given_back(payment)) == (0, TWENTY)
            assert booting.ending == Ending.LOST


@pytest.mark.parametrize("rule", [LateRule.FINE, LateRule.FORFEIT])
def test_returned_while_two_beats_fine_and_lose(clerk, rule):
    set_policy(late_rule=rule, late_offence=make_offence(), lost_offence=make_offence(), deposit=TWENTY)
    for _round in ROUNDS:
        booting = let_pass(make_released(), days=30)
        deeds = [take_steps, take_steps, partial(return_boot, booting=booting, how=Returned(), actor=clerk)]
        together(deeds)
        settle_down()
        booting = Booting.objects.select_related("boot", "deposit").get(pk=booting.pk)
        assert booting.ending
        assert booting.boot.status == (BootStatus.LOST if booting.ending == Ending.LOST else BootStatus.AVAILABLE)
        assert (booting.lost_ticket is not None) == (booting.ending == Ending.LOST)
        assert booting.deposit.status == DepositStatus.CLOSED
        assert given_back(booting.line.order.paying_payment) == booting.deposit.returned_amount
        late = Message.objects.filter(dedupe_key__startswith=f"boot-late_charged:{booting.pk}:")
        assert late.count() == (booting.punished_at is not None)


def test_returned_while_the_deposit_is_delivered(clerk):
    for _round in ROUNDS:
        booting = make_booting()
        payment = at_bank(booting)
        result = Result(status="approved", amount=payment.amount, currency=payment.currency)
        settle(payment_id=payment.pk, result=result)
        back = partial(return_boot, booting=booting, how=Returned(), actor=clerk)
        together([partial(finish_order, payment.order_id), back, back])
        settle_down()
        booting = Booting.objects.select_related("deposit").get(pk=booting.pk)
        if booting.ended_at is None:
            back()
            settle_down()
        assert given_back(payment) == TWENTY


def test_taken_off_by_two_and_put_on_anew(clerk):
    for _round in ROUNDS:
        booting = make_booting()
        off = partial(take_off, booting=booting, reason="Twice", actor=clerk)
        on = partial(put_on, boot=make_boot(), ticket=booting.ticket, actor=clerk)
        together([off, off, on])
        assert Booting.objects.get(pk=booting.pk).ending == Ending.TAKEN_OFF
        assert Booting.objects.filter(ticket=booting.ticket, ended_at=None).count() <= 1
        assert_books_and_numbers_are_right()


# Deeds that die


def test_losing_dies():
    set_policy(lost_offence=make_offence(), deposit=TWENTY)
    booting = None

    def make() -> Callable[[], object]:
        nonlocal booting
        booting = make_released()
        let_pass(booting, days=15, hours=1)
        take_step(booting.pk, timezone.now())
        take_step(booting.pk, timezone.now())
        return lambda: take_step(booting.pk, timezone.now())

    def check() -> None:
        after = Booting.objects.select_related("boot", "deposit").get(pk=booting.pk)
        assert (after.boot.status, after.deposit.kept_amount) == (BootStatus.LOST, TWENTY)
        assert after.lost_ticket
        assert Message.objects.filter(dedupe_key=f"boot-lost:{booting.pk}:once").count() == 1

    at_each_write(make, check)


def test_back_in_time_is_never_fined(clerk):
    """The beat never fines what is back in time, however often it looks."""
    set_policy(late_rule=LateRule.FINE, late_offence=make_offence(), deposit=TWENTY)
    booting = make_released()
    before = Ticket.objects.count()
    back = partial(
        return_boot, booting=booting, how=Returned(), actor=clerk, now=timezone.now() + dt.timedelta(hours=1)
    )
    together([back, take_steps, take_steps])
    assert Ticket.objects.count() == before
    assert_books_and_numbers_are_right()
