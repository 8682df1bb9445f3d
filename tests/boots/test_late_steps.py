"""Time and a boot that is out: each step once, in its order, however late the worker comes."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boots.invariants import check_boots
from boots.models import Booting, BootPolicy, BootStatus, Ending, LateRule
from boots.schedule import StepKind, next_step
from boots.services.returning import Returned, return_boot
from boots.services.steps import give_more_time, take_next_step, take_step
from boots.tasks import take_steps as beat
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from payments.invariants import check_books
from payments.models import DepositStatus, Refund
from tests.factories.boots import TWENTY, let_pass, make_released, set_policy, take_steps
from tests.factories.payments import offer_method
from tests.factories.violations import make_offence
from violations.models import Ticket

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
K = StepKind


@pytest.fixture
def policy(db: None) -> BootPolicy:
    offer_method("demo-bank", is_for_guests=True)
    return set_policy(return_hours=24, reminder_hours=3, late_hours=24, lost_days=14)


def mails() -> list[str]:
    wanted = Message.objects.filter(template__startswith="boots/").exclude(template="boots/code")
    return [name.removeprefix("boots/") for name in wanted.order_by("pk").values_list("template", flat=True)]


def assert_all_is_right() -> None:
    assert [*check_boots(), *check_books()] == []


# The schedule alone: no database


def done(booting: Booting, kind: StepKind, now: dt.datetime) -> None:
    """Note the step as the worker does."""
    name = {K.REMIND: "reminded_at", K.OVERDUE: "overdue_at", K.PUNISH: "punished_at", K.LOSE: "ended_at"}[kind]
    setattr(booting, name, now)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    return_hours=st.integers(1, 24 * 365),
    reminder_hours=st.integers(0, 24 * 365),
    late_hours=st.integers(0, 24 * 365),
    lost_days=st.integers(1, 365),
    late_rule=st.sampled_from(LateRule.values),
    looks=st.lists(st.integers(0, 24 * 500), min_size=1, max_size=12),
)
def test_whenever_the_worker_looks_each_step_is_done_once_and_in_order(
    return_hours, reminder_hours, late_hours, lost_days, late_rule, looks
):
    end = START + dt.timedelta(hours=return_hours)
    booting = Booting(
        released_at=START,
        return_by=end,
        reminder_hours=reminder_hours,
        late_hours=late_hours,
        lost_days=lost_days,
        late_rule=late_rule,
    )
    lost_at = end + dt.timedelta(days=lost_days)
    is_fined = late_rule != LateRule.NOTHING
    if is_fined:
        # The rule's form asks for a grace that is over before the boot is lost; it would put the loss off.
        lost_at = max(lost_at, end + dt.timedelta(hours=late_hours))
    taken: list[StepKind] = []
    for hours in sorted(looks):
        now = START + dt.timedelta(hours=hours)
        while booting.ended_at is None and (step := next_step(booting)).at <= now:
            taken.append(step.kind)
            done(booting, step.kind, now)
        assert (booting.ended_at is not None) == (now >= lost_at)
    order = [K.REMIND, K.OVERDUE, K.PUNISH, K.LOSE]
    assert taken == sorted(set(taken), key=order.index)
    assert K.PUNISH not in taken or late_rule != LateRule.NOTHING
    assert K.REMIND not in taken or reminder_hours
    if booting.ended_at:
        assert (K.PUNISH in taken) == is_fined


def test_nothing_is_scheduled_for_what_is_not_released():
    with pytest.raises(ValueError, match="not released"):
        next_step(Booting())


# With the database


def test_reminder_overdue_fine_and_lost(policy):
    set_policy(
        late_rule=LateRule.FINE,
        late_offence=make_offence(fine=Decimal(50)),
        lost_offence=make_offence(fine=Decimal(400)),
        deposit=TWENTY,
    )
    booting = make_released()
    assert take_steps() == 0
    let_pass(booting, hours=22)
    assert (take_steps(), mails()) == (1, ["return_soon"])
    let_pass(booting, hours=3)
    assert take_steps() == 1
    booting.boot.refresh_from_db()
    assert (booting.boot.status, mails()[-1]) == (BootStatus.OVERDUE, "return_late")
    let_pass(booting, hours=24)
    assert take_steps() == 1
    booting.refresh_from_db()
    assert booting.late_ticket.fine == 50
    assert mails()[-1] == "late_charged"
    assert booting.deposit.status == DepositStatus.HELD
    assert take_steps() == 0
    let_pass(booting, days=14)
    assert take_steps() == 1
    booting = Booting.objects.get()
    assert (booting.ending, booting.boot.status, booting.lost_ticket.fine) == (Ending.LOST, BootStatus.LOST, 400)
    assert booting.deposit.kept_amount == TWENTY
    assert mails() == ["return_soon", "return_late", "late_charged", "lost"]
    assert take_steps() == 0
    assert_all_is_right()


def test_beat_that_was_down_recalls_nothing_that_has_passed(policy):
    booting = make_released()
    let_pass(booting, days=3)
    beat()
    assert mails() == ["return_late"]
    booting.refresh_from_db()
    assert booting.reminded_at
    assert booting.overdue_at
    assert_all_is_right()


def test_beat_that_was_down_for_a_month_does_everything_once(policy):
    set_policy(late_rule=LateRule.FORFEIT, deposit=TWENTY)
    booting = make_released()
    let_pass(booting, days=40)
    beat()
    beat()
    assert mails() == ["return_late", "late_charged", "lost"]
    booting.refresh_from_db()
    assert (booting.ending, booting.deposit.kept_amount) == (Ending.LOST, TWENTY)
    assert AuditEntry.objects.filter(action="deposit.decided").count() == 1
    assert_all_is_right()


def test_forfeit_takes_the_deposit_once_and_the_return_gives_nothing_back(policy, clerk):
    set_policy(late_rule=LateRule.FORFEIT, deposit=TWENTY)
    booting = make_released()
    let_pass(booting, days=2, hours=1)
    beat()
    booting.refresh_from_db()
    assert booting.deposit.kept_amount == TWENTY
    return_boot(booting=booting, how=Returned(), actor=clerk)
    assert not Refund.objects.exists()
    assert_all_is_right()


def test_more_time_never_fines_twice(policy, clerk):
    set_policy(late_rule=LateRule.FINE, late_offence=make_offence(fine=Decimal(50)))
    booting = make_released()
    let_pass(booting, days=2, hours=1)
    beat()
    give_more_time(booting=booting, until=timezone.now() + dt.timedelta(hours=10), actor=clerk)
    booting.boot.refresh_from_db()
    assert booting.boot.status == BootStatus.RELEASED
    let_pass(booting, days=3)
    beat()
    assert Ticket.objects.count() == 2
    assert mails().count("late_charged") == 1
    assert mails().count("return_late") == 2
    assert_all_is_right()


def test_step_that_is_done_already_is_not_done_again(policy):
    set_policy(late_rule=LateRule.FINE, late_offence=make_offence())
    booting = make_released()
    let_pass(booting, days=2, hours=1)
    now = timezone.now()
    for _again in range(6):
        take_step(booting.pk, now)
    assert Ticket.objects.count() == 2
    assert mails() == ["return_late", "late_charged"]


def test_a_failing_row_stops_no_other(policy, caplog):
    """Its boot's status is out of any table: the step fails, the others are done."""
    set_policy(deposit=None)
    broken, fine = make_released(), make_released()
    for booting in (broken, fine):
        let_pass(booting, days=2)
    type(broken.boot).objects.filter(pk=broken.boot_id).update(status=BootStatus.ISSUED)
    beat()
    assert Booting.objects.get(pk=fine.pk).overdue_at
    assert Booting.objects.get(pk=broken.pk).overdue_at is None
    assert f"the next step of booting {broken.pk} failed" in caplog.text
    with pytest.raises(Exception, match="cannot go from"):
        take_next_step(timezone.now())
