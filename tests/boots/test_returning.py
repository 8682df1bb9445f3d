"""The boot comes back, or does not: deposits, reminders, fines, and what is done once."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from boots.invariants import check_boots
from boots.models import Boot, Booting, BootStatus, Condition, Ending
from boots.services.putting_on import put_on
from boots.services.returning import Returned, return_boot
from boots.services.steps import give_more_time, take_step
from boots.tasks import take_steps as task
from boots.timeline import timeline
from opscom.core.errors import DomainError, NotAllowed
from opscom.messaging.models import Message
from opscom.messaging.rendering import render
from payments.models import Deposit, DepositStatus, Refund, RefundStatus
from payments.tasks import send_refunds
from tests.factories.boots import (
    TWENTY,
    let_pass,
    make_booting,
    make_released,
    pay_for_release,
    set_policy,
    take_steps,
)
from tests.factories.payments import offer_method
from tests.factories.provider import set_provider
from tests.factories.violations import make_offence
from violations.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy() -> None:
    offer_method("demo-bank", is_for_guests=True)
    set_policy(deposit=TWENTY)


def mails(name: str) -> list[str]:
    return [render(one)[0].text for one in Message.objects.filter(template=f"boots/{name}").order_by("pk")]


def late_offence() -> None:
    offence = make_offence(fine=Decimal("60.00"), discount=Decimal(0), discount_days=0)
    set_policy(late_rule="fine", late_offence=offence, lost_offence=offence, late_hours=5, lost_days=3)


# It comes back


def test_whole_deposit_goes_back_to_the_card(resident, clerk):
    booting = make_released(resident)
    return_boot(booting=booting, how=Returned(), actor=clerk)
    refund = Refund.objects.get()
    assert (refund.amount, refund.line.kind) == (TWENTY, "deposit")
    send_refunds()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    booting = Booting.objects.get(pk=booting.pk)
    assert (booting.ending, booting.boot.status, booting.boot.has_code) == (
        Ending.RETURNED,
        BootStatus.AVAILABLE,
        False,
    )
    (mail,) = mails("returned")
    assert "$20.00 of your deposit goes back" in mail
    assert [event.title for event in timeline(booting)][-2:] == ["Boot returned", "Deposit back"]
    assert list(check_boots()) == []
    with pytest.raises(NotAllowed, match="not back yet"):
        return_boot(booting=booting, how=Returned(), actor=clerk)


def test_damage_is_kept_of_the_deposit_and_the_boot_goes_on_no_car(resident, clerk):
    booting = make_released(resident)
    bent = Returned(condition=Condition.DAMAGED, kept=Decimal("7.50"), note="Bent arm", new_code="9090")
    return_boot(booting=booting, how=bent, actor=clerk)
    assert Refund.objects.get().amount == Decimal("12.50")
    deposit = Deposit.objects.get()
    assert (deposit.kept_amount, deposit.reason) == (Decimal("7.50"), "Bent arm")
    (mail,) = mails("returned")
    assert "$7.50 of your deposit is kept. Bent arm" in mail
    boot = Boot.objects.get()
    assert boot.is_out_of_service
    with pytest.raises(NotAllowed, match="out of service"):
        put_on(boot=boot, ticket=make_booting().ticket, actor=clerk)


@pytest.mark.parametrize(
    "how",
    [
        Returned(kept=Decimal("20.01"), note="All and more"),
        Returned(kept=Decimal("-1"), note="More back than paid"),
        Returned(kept=Decimal("5")),
        Returned(condition=Condition.DAMAGED),
        Returned(new_code="!"),
    ],
)
def test_what_cannot_be_returned_so_changes_nothing(resident, clerk, how):
    booting = make_released(resident)
    with pytest.raises(DomainError):
        return_boot(booting=booting, how=how, actor=clerk)
    booting.refresh_from_db()
    assert booting.ended_at is None
    assert Deposit.objects.get().status == DepositStatus.HELD
    assert not Refund.objects.exists()
    assert list(check_boots()) == []


def test_deposit_that_waits_for_a_second_person_is_promised_to_nobody(resident, clerk):
    set_provider(refund_second_person_above=Decimal("10.00"))
    booting = make_released(resident)
    return_boot(booting=booting, how=Returned(), actor=clerk)
    booting = Booting.objects.get(pk=booting.pk)
    (mail,) = mails("returned")
    assert "The office is checking your deposit." in mail
    assert "$20.00 of your deposit goes back" not in mail
    last = timeline(booting)[-1]
    assert (last.title, last.note, last.refund) == ("Deposit back", "The office is checking it.", None)


def test_old_code_is_not_set_again(resident, clerk):
    booting = make_released(resident, code="4444")
    with pytest.raises(DomainError, match="this very code"):
        return_boot(booting=booting, how=Returned(new_code="4444"), actor=clerk)


# It is late


def test_from_reminder_to_loss_each_once(resident):
    late_offence()
    booting = make_released(resident)
    before = Ticket.objects.count()
    assert take_steps() == 0
    let_pass(booting, hours=22)
    assert take_steps() == 1
    assert len(mails("return_soon")) == 1
    let_pass(booting, hours=3)
    assert take_steps() == 1
    booting.boot.refresh_from_db()
    assert booting.boot.status == BootStatus.OVERDUE
    assert len(mails("return_late")) == 1
    let_pass(booting, hours=6)
    assert take_steps() == 1
    booting.refresh_from_db()
    assert booting.late_ticket.fine == Decimal("60.00")
    (mail,) = mails("late_charged")
    assert "A fine of $60.00 was added" in mail
    let_pass(booting, days=3)
    assert take_steps() == 1
    booting.refresh_from_db()
    booting.boot.refresh_from_db()
    assert (booting.ending, booting.boot.status) == (Ending.LOST, BootStatus.LOST)
    assert Ticket.objects.count() == before + 2
    assert Deposit.objects.get().kept_amount == TWENTY
    (mail,) = mails("lost")
    assert "Your deposit of $20.00 is kept." in mail
    assert "A fine of $60.00 was added" in mail
    assert take_steps() == 0
    assert list(check_boots()) == []


def test_forfeit_keeps_the_deposit_once_and_the_boot_can_still_come_back(resident, clerk):
    set_policy(late_rule="forfeit", late_hours=1, reminder_hours=0)
    booting = make_released(resident)
    let_pass(booting, hours=26)
    assert task() == 2
    assert Deposit.objects.get().kept_amount == TWENTY
    (mail,) = mails("late_charged")
    assert "Your deposit of $20.00 is kept" in mail
    return_boot(booting=booting, how=Returned(), actor=clerk)
    assert not Refund.objects.exists()
    booting.refresh_from_db()
    assert booting.ending == Ending.RETURNED


def test_returned_late_within_the_grace_costs_nothing(resident, clerk):
    late_offence()
    booting = make_released(resident)
    let_pass(booting, hours=25)
    take_steps()
    return_boot(booting=booting, how=Returned(), actor=clerk)
    assert Refund.objects.get().amount == TWENTY
    assert take_steps() == 0


def test_worker_that_comes_second_does_not_take_the_next_step_early(resident):
    late_offence()
    booting = make_released(resident)
    let_pass(booting, hours=30)
    for _worker in range(5):
        take_step(booting.pk, timezone.now())
    booting.refresh_from_db()
    assert booting.punished_at
    assert booting.ended_at is None


def test_more_time_begins_the_reminders_anew(resident, clerk):
    late_offence()
    booting = make_released(resident)
    let_pass(booting, hours=25)
    take_steps()
    with pytest.raises(NotAllowed, match="later than"):
        give_more_time(booting=booting, until=timezone.now() - dt.timedelta(hours=1), actor=clerk)
    give_more_time(booting=booting, until=timezone.now() + dt.timedelta(hours=10), actor=clerk)
    booting.boot.refresh_from_db()
    assert booting.boot.status == BootStatus.RELEASED
    assert len(mails("more_time")) == 1
    assert take_steps() == 0
    let_pass(booting, hours=12)
    assert take_steps() == 2
    assert len(mails("return_late")) == 2


# Planted wrong states


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (lambda b: Boot.objects.update(status="available"), "and on a car"),
        (lambda b: Booting.objects.update(next_step_at=None), "Nobody will look at boot"),
        (lambda b: Booting.objects.update(next_step_at=timezone.now() - dt.timedelta(days=1)), "is not done"),
        (lambda b: Ticket.objects.update(release_id=b.pk), "does not say truly"),
        (lambda b: Boot.objects.update(status="issued"), "its release says otherwise"),
    ],
)
def test_invariants_see_what_is_wrong(resident, plant, words):
    booting = make_released(resident)
    assert list(check_boots()) == []
    plant(booting)
    assert any(words in sentence for sentence in check_boots())


def test_invariants_see_a_deposit_that_nobody_decided(resident, clerk):
    booting = make_booting(resident)
    pay_for_release(booting)
    Booting.objects.update(ended_at=timezone.now(), ending="returned", condition="good", next_step_at=None)
    Boot.objects.update(status="available")
    assert any("is held, and its time on the car is over" in sentence for sentence in check_boots())
