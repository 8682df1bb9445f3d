"""Boots under races and crashes: one boot on one car, one release, one code, and money that adds up."""

from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from django.db import transaction

from boots.locking import lock_boot
from boots.models import Booting, BootStatus, Ending
from boots.services.codes import set_code
from boots.services.putting_on import put_on
from boots.services.releasing import send_code_again
from boots.services.returning import Returned, return_boot, take_off
from boots.services.steps import take_next_step
from opscom.core.errors import DomainError
from opscom.messaging.models import Message
from opscom.messaging.rendering import render
from payments.models import Deposit, DepositStatus, LineStatus, OrderLine, Payment, Refund
from payments.services.confirming import confirm_payment
from payments.services.settling import finish_order
from tests.factories.accounts import make_user
from tests.factories.boots import (
    TWENTY,
    let_pass,
    make_boot,
    make_booting,
    make_released,
    order_release,
    set_policy,
)
from tests.factories.payments import go_to_bank, offer_method, pay_at_bank
from tests.factories.violations import make_offence, make_ticket, reload
from tests.races.crashes import at_each_write
from tests.races.together import assert_books_and_numbers_are_right, let_hours_pass, together
from violations.models import Ticket, TicketStatus
from violations.services.lowering import cancel_ticket

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def policy() -> None:
    offer_method("demo-bank", is_for_guests=True)
    set_policy(deposit=TWENTY, late_rule="nothing")


def eligible() -> Ticket:
    return make_ticket(make_user(), offence=make_offence(is_boot_eligible=True))


def paid(booting: Booting, payer: Any = None) -> Payment:
    payment = go_to_bank(order_release(booting, payer))
    pay_at_bank(payment)
    return payment


def codes() -> int:
    return Message.objects.filter(template="boots/code").count()


def kept_of(payment: Payment) -> Decimal:
    back = sum((refund.amount for refund in Refund.objects.filter(payment=payment)), Decimal(0))
    return payment.amount - back


def test_one_boot_on_two_tickets() -> None:
    boot, officers = make_boot(), [make_user() for _ in range(4)]
    tickets = [eligible() for _ in range(4)]
    results = together(
        [
            lambda who=who, ticket=ticket: put_on(boot=boot, ticket=ticket, actor=who)
            for who, ticket in zip(officers, tickets, strict=True)
        ]
    )
    assert sum(isinstance(result, Booting) for result in results) == 1
    assert Ticket.objects.filter(booted_at__isnull=False).count() == 1
    assert_books_and_numbers_are_right()


def test_two_boots_on_one_ticket() -> None:
    ticket, officer = eligible(), make_user()
    boots = [make_boot() for _ in range(4)]
    results = together([lambda boot=boot: put_on(boot=boot, ticket=ticket, actor=officer) for boot in boots])
    assert sum(isinstance(result, Booting) for result in results) == 1
    assert Deposit.objects.count() == 1
    assert_books_and_numbers_are_right()


def test_two_payers_at_once_release_once_and_one_gets_all_back() -> None:
    for _round in range(3):
        owner = make_user()
        booting = make_booting(owner)
        before = codes()
        payments = [paid(booting), paid(booting, owner)]

        def arrive(payment: Payment) -> None:
            confirm_payment(payment)
            finish_order(payment.order_id)

        together([lambda payment=payment: arrive(payment) for payment in payments])
        let_hours_pass()
        booting.refresh_from_db()
        assert booting.released_at
        assert codes() == before + 1
        total = payments[0].amount
        assert sorted(kept_of(payment) for payment in payments) == [0, total]
        assert reload(booting.ticket).status == TicketStatus.PAID
        assert_books_and_numbers_are_right()


def test_paid_while_an_officer_takes_it_off() -> None:
    for _round in range(3):
        booting = make_booting(make_user())
        payment, officer, before = paid(booting), make_user(), codes()

        def arrive(payment: Payment = payment) -> None:
            confirm_payment(payment)
            finish_order(payment.order_id)

        together(
            [arrive, lambda booting=booting, officer=officer: take_off(booting=booting, reason="Called", actor=officer)]
        )
        let_hours_pass()
        booting.refresh_from_db()
        ticket = reload(booting.ticket)
        assert ticket.status == TicketStatus.PAID
        assert ticket.booted_at is None
        if booting.ending == Ending.TAKEN_OFF:
            # The ticket was owed all the same; the deposit, and the release, go back.
            assert codes() == before
            assert kept_of(payment) == payment.amount - TWENTY
        else:
            assert codes() == before + 1
            assert kept_of(payment) == payment.amount
            assert booting.released_at
        assert_books_and_numbers_are_right()


def test_paid_while_the_ticket_is_cancelled() -> None:
    booting = make_booting(make_user())
    payment, officer = paid(booting), make_user()
    fine = payment.amount - TWENTY

    def arrive() -> None:
        confirm_payment(payment)
        finish_order(payment.order_id)

    together([arrive, lambda: cancel_ticket(ticket=booting.ticket, reason="Wrong car", actor=officer)])
    let_hours_pass()
    booting.refresh_from_db()
    assert booting.released_at
    assert reload(booting.ticket).status in (TicketStatus.CANCELLED, TicketStatus.PAID)
    if reload(booting.ticket).status == TicketStatus.CANCELLED:
        assert kept_of(payment) == payment.amount - fine
    assert_books_and_numbers_are_right()


def test_two_take_it_back_at_once() -> None:
    booting = make_released(make_user())
    desks = [make_user() for _ in range(3)]
    results = together([lambda who=who: return_boot(booting=booting, how=Returned(), actor=who) for who in desks])
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, DomainError) for result in results) == 2
    assert Refund.objects.count() == 1
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("rule", ["fine", "forfeit"])
def test_returned_while_the_beat_punishes(rule) -> None:
    offence = make_offence(fine=Decimal("60.00"))
    set_policy(deposit=TWENTY, late_rule=rule, late_offence=offence, reminder_hours=0, late_hours=1)
    booting = make_released(make_user())
    let_pass(booting, hours=30)
    take_next_step()
    desk, before = make_user(), Ticket.objects.count()
    together([take_next_step, take_next_step, lambda: return_boot(booting=booting, how=Returned(), actor=desk)])
    let_hours_pass()
    booting.refresh_from_db()
    assert booting.ending == Ending.RETURNED
    deposit = Deposit.objects.get()
    assert deposit.status == DepositStatus.CLOSED
    if rule == "fine":
        assert Ticket.objects.count() - before == (1 if booting.late_ticket_id else 0)
        assert deposit.returned_amount == TWENTY
    else:
        assert deposit.returned_amount == (0 if booting.punished_at else TWENTY)
    assert_books_and_numbers_are_right()


def test_two_beats_do_each_step_once() -> None:
    offence = make_offence(fine=Decimal("60.00"))
    set_policy(deposit=TWENTY, late_rule="fine", late_offence=offence, lost_offence=offence, late_hours=1)
    booting = make_released(make_user())
    let_pass(booting, days=40)
    before = Ticket.objects.count()
    together([lambda: [take_next_step() for _ in range(6)]] * 3)
    booting.refresh_from_db()
    assert booting.boot.status == BootStatus.LOST
    assert Ticket.objects.count() - before == 2
    for name in ("return_late", "late_charged", "lost"):
        assert Message.objects.filter(template=f"boots/{name}").count() == 1
    # Its time had passed: nobody is asked to be in time any more.
    assert not Message.objects.filter(template="boots/return_soon").exists()
    assert_books_and_numbers_are_right()


def test_corrected_while_it_is_paid() -> None:
    booting = make_booting(make_user(), code="1111")
    payment, desk = paid(booting), make_user()

    def arrive() -> None:
        confirm_payment(payment)
        finish_order(payment.order_id)

    together([arrive, lambda: set_code(boot=booting.boot, code="2222", actor=desk)])
    waiting = Message.objects.filter(template="boots/code", status="queued")
    assert ["2222" in render(mail)[0].text for mail in waiting] == [True]


def test_code_waits_while_the_boot_is_being_released() -> None:
    """Set between the look at the boot and the mail, the new code would reach nobody."""
    booting, desk = make_booting(make_user(), code="1111"), make_user()
    is_locked, is_set = Event(), Event()
    waited = []

    def hold() -> None:
        with transaction.atomic():
            lock_boot(booting.boot_id)
            is_locked.set()
            waited.append(not is_set.wait(0.7))

    def correct() -> None:
        is_locked.wait(10)
        set_code(boot=booting.boot, code="2222", actor=desk)
        is_set.set()

    together([hold, correct])
    assert waited == [True]


def test_code_is_asked_for_by_many_at_once() -> None:
    booting = make_released(make_user())
    together([lambda: send_code_again(booting=booting)] * 6)
    booting.refresh_from_db()
    assert codes() == 1 + booting.code_sent_times
    assert booting.code_sent_times <= 3


# Killed


def test_killed_while_it_is_put_on() -> None:
    made: list[Any] = []

    def make() -> Any:
        boot, ticket, officer = make_boot(), eligible(), make_user()
        made.append((boot, ticket))
        return lambda: put_on(boot=boot, ticket=ticket, actor=officer)

    def check() -> None:
        boot, ticket = made[-1]
        boot.refresh_from_db()
        assert (boot.status == BootStatus.ISSUED) == bool(reload(ticket).booted_at)

    at_each_write(make, check)


def test_killed_while_it_is_released() -> None:
    made: list[Any] = []

    def make() -> Any:
        booting = make_booting(make_user())
        payment = paid(booting)
        made.append((booting, payment, codes()))

        def arrive() -> None:
            confirm_payment(payment)
            finish_order(payment.order_id)

        return arrive

    def check() -> None:
        booting, payment, before = made[-1]
        booting.refresh_from_db()
        assert booting.released_at
        assert codes() == before + 1
        lines = OrderLine.objects.filter(order=payment.order_id)
        assert {line.status for line in lines} == {LineStatus.FULFILLED}

    at_each_write(make, check)


def test_killed_while_it_comes_back() -> None:
    made: list[Any] = []

    def make() -> Any:
        booting, desk = make_released(make_user()), make_user()
        made.append(booting)
        return lambda: return_boot(booting=booting, how=Returned(new_code="90210"), actor=desk)

    def check() -> None:
        booting = made[-1]
        booting.refresh_from_db()
        held = Deposit.objects.get(booting=booting).status == DepositStatus.HELD
        assert held == (booting.ended_at is None)

    at_each_write(make, check)


@pytest.mark.parametrize("rule", ["fine", "forfeit"])
def test_killed_while_it_is_late(rule) -> None:
    offence = make_offence(fine=Decimal("60.00"))
    rest = {"late_offence": offence, "lost_offence": offence, "reminder_hours": 0, "late_hours": 1, "lost_days": 30}
    set_policy(deposit=TWENTY, late_rule=rule, **rest)
    made: list[Any] = []

    def make() -> Any:
        booting = make_released(make_user())
        let_pass(booting, days=3)
        take_next_step()
        made.append((booting, Ticket.objects.count()))
        return take_next_step

    def check() -> None:
        booting, before = made[-1]
        booting.refresh_from_db()
        assert booting.punished_at
        assert Ticket.objects.count() - before == (rule == "fine")
        assert (
            Message.objects.filter(template="boots/late_charged", dedupe_key__contains=f":{booting.pk}:").count() == 1
        )

    at_each_write(make, check)
