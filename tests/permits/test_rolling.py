"""The office rolls the holders of one sale into the next: who gets what, who cannot and why, and nobody twice."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.services.holds import place_hold
from opscom.core.errors import NotAllowed
from opscom.messaging.models import Message
from opscom.provider.selectors import local_date, start_of_day
from payments.models import Payment, PaymentStatus
from permits.invariants import check_permits
from permits.models import (
    Permit,
    PermitStatus,
    PermitType,
    Rollover,
    RollRow,
    RollRun,
    RollStatus,
    RowStatus,
    Sale,
    Slot,
    SlotState,
)
from permits.rolling import Plan, examine, permits_to_roll, preview
from permits.services.holding import give_back_reservation
from permits.services.rolling import roll_next, start_roll, stop_roll
from permits.services.rollover import switch_on
from permits.tasks import end_permits, release_lapsed_holds, roll_sales
from tests.factories.permits import make_buyer, make_lot, make_permit_type, make_sale, make_tax, reserve
from tests.factories.rollover import DECLINED, buy_monthly, make_monthly_sale, pay_permit, take_steps
from tests.factories.stored import ROLLOVER, offer_storing, store_card

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_storing()


def make_terms(*, numbers: int = 5, **fields) -> tuple[Sale, Sale]:
    """Return the sale of a running term, which ends in 20 days, and the one of the term that follows."""
    today = local_date()
    lot, kind = make_lot(), make_permit_type(**{"term_kind": "fixed"} | fields)
    end = today + dt.timedelta(days=20)
    fall = make_sale(lot=lot, permit_type=kind, valid_from=today - 60 * DAY, valid_until=end)
    winter = make_sale(
        lot=lot, permit_type=kind, numbers=numbers, valid_from=end + 10 * DAY, valid_until=end + 120 * DAY
    )
    return fall, winter


def hold(sale: Sale, user_type=None) -> Permit:
    """Return a paid permit of somebody new."""
    buyer = make_buyer()[0]
    if user_type:
        User.objects.filter(pk=buyer.pk).update(user_type=user_type)
    permit = reserve(sale, buyer)
    pay_permit(permit)
    return permit


def plan(source: Sale, target: Sale, **options) -> Plan:
    return Plan(**{"source": source, "target": target, "pay_by": local_date() + 14 * DAY, **options})


def run_it(wanted: Plan, actor) -> RollRun:
    run = start_roll(plan=wanted, actor=actor)
    roll_sales()
    run.refresh_from_db()
    return run


def reasons(wanted: Plan) -> list[str]:
    return [line.decision.code for line in preview(wanted, timezone.now()) if not line.decision.is_allowed]


def end_source(sale: Sale) -> None:
    """Let the source's last day pass."""
    now = timezone.now()
    Permit.objects.filter(sale=sale).update(valid_from=now - 30 * DAY, valid_until=now - dt.timedelta(minutes=1))
    end_permits()
    release_lapsed_holds()


# The preview


def test_the_preview_says_who_and_how_much(administrator):
    fall, winter = make_terms(taxes=[make_tax()])
    permit = hold(fall)
    [line] = preview(plan(fall, winter), timezone.now())
    assert (line.permit, line.decision.is_allowed, line.price.amount) == (permit, True, Decimal("113.00"))
    assert (line.first, line.after_last) == (winter.valid_from, winter.valid_until)


def test_nothing_is_written_by_a_preview():
    fall, winter = make_terms()
    hold(fall)
    preview(plan(fall, winter), timezone.now())
    assert Permit.objects.count() == 1
    assert not RollRow.objects.exists()


def test_who_cannot_is_listed_with_the_reason():
    from tests.factories.accounts import make_user_type

    fall, winter = make_terms()
    kind, other = make_user_type(), make_user_type()
    wanted = plan(fall, winter, user_types=frozenset([kind.pk]))
    hold(fall, user_type=kind)
    place_hold(person=hold(fall, user_type=kind).holder, reason="Bad cheque")
    hold(fall, user_type=other)
    hold(fall, user_type=kind).holder.ownerships.update(is_active=False)
    assert sorted(reasons(wanted)) == ["account-on-hold", "not_chosen", "vehicle_not_usable"]


def test_when_numbers_run_out_the_first_come_first():
    fall, winter = make_terms(numbers=1)
    first, _second = hold(fall), hold(fall)
    lines = preview(plan(fall, winter), timezone.now())
    assert [line.decision.is_allowed for line in lines] == [True, False]
    assert lines[0].permit == first
    assert lines[1].decision.code == "full"


def test_a_window_that_begins_too_early_is_refused(administrator):
    fall, winter = make_terms()
    Sale.objects.filter(pk=winter.pk).update(valid_from=fall.valid_until - DAY)
    winter.refresh_from_db()
    with pytest.raises(NotAllowed, match="must not begin before"):
        start_roll(plan=plan(fall, winter), actor=administrator)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pay_by": dt.date(2020, 1, 1)}, "last day to pay is over"),
        ({"charge_on": dt.date(2020, 1, 1)}, "Charge after today"),
        ({"charge_on": dt.date(2999, 1, 1)}, "Charge after today"),
    ],
)
def test_days_that_make_no_sense_are_refused(administrator, options, words):
    fall, winter = make_terms()
    with pytest.raises(NotAllowed, match=words):
        start_roll(plan=plan(fall, winter, **options), actor=administrator)


@pytest.mark.parametrize("count", [1, 3])
def test_the_preview_costs_the_same_for_one_and_three(count, django_assert_num_queries):
    fall, winter = make_terms()
    for _number in range(count):
        store_card(hold(fall).holder, ROLLOVER)
    wanted = plan(fall, winter, charge_on=local_date() + 3 * DAY)
    permits = list(permits_to_roll(fall))
    with django_assert_num_queries(9):
        lines = examine(wanted, permits, timezone.now())
    assert all(line.method for line in lines)


# The run


def test_each_gets_a_reserved_permit_with_a_deadline_and_a_mail(administrator):
    fall, winter = make_terms()
    permits = [hold(fall) for _person in range(3)]
    run = run_it(plan(fall, winter), administrator)
    assert (run.status, run.rows.filter(status=RowStatus.ROLLED).count()) == (RollStatus.DONE, 3)
    for permit in permits:
        new = Permit.objects.get(renews=permit)
        assert (new.status, new.sale, new.holder) == (PermitStatus.RESERVED, winter, permit.holder)
        assert new.held_until == start_of_day(run.pay_by + DAY)
        assert new.slot.state == SlotState.HELD
        assert Message.objects.filter(dedupe_key=f"rolled:{new.pk}").count() == 1
    assert list(check_permits()) == []


def test_run_twice_nobody_gets_two(administrator):
    fall, winter = make_terms()
    permit = hold(fall)
    run_it(plan(fall, winter), administrator)
    second = run_it(plan(fall, winter), administrator)
    assert Permit.objects.filter(renews=permit).count() == 1
    assert second.rows.get().status == RowStatus.SKIPPED
    give_back_reservation(permit=Permit.objects.get(renews=permit), actor=permit.holder)
    run_it(plan(fall, winter), administrator)
    assert Permit.objects.filter(renews=permit).count() == 1


def test_the_same_roll_does_not_start_while_it_runs(administrator):
    fall, winter = make_terms()
    hold(fall)
    start_roll(plan=plan(fall, winter), actor=administrator)
    with pytest.raises(NotAllowed, match="being rolled already"):
        start_roll(plan=plan(fall, winter), actor=administrator)


def test_stopped_it_rolls_nobody_more(administrator):
    fall, winter = make_terms()
    for _person in range(3):
        hold(fall)
    run = start_roll(plan=plan(fall, winter), actor=administrator)
    assert roll_next()
    stop_roll(run=run, actor=administrator)
    assert not roll_next()
    assert Permit.objects.filter(sale=winter).count() == 1
    run.refresh_from_db()
    assert run.status == RollStatus.STOPPED


def test_paid_it_takes_its_place_when_the_old_one_ends(administrator):
    fall, winter = make_terms()
    permit = hold(fall)
    run_it(plan(fall, winter), administrator)
    new = Permit.objects.get(renews=permit)
    assert new.holder_place is None
    pay_permit(new)
    end_source(fall)
    new.refresh_from_db()
    assert (new.status, new.holder_place, new.slot.state) == (PermitStatus.ACTIVE, 1, SlotState.TAKEN)
    assert Slot.objects.get(sale=fall, number=permit.number).state == SlotState.FREE
    assert list(check_permits()) == []


def test_not_paid_by_the_deadline_its_number_is_free(administrator):
    fall, winter = make_terms()
    permit = hold(fall)
    run_it(plan(fall, winter), administrator)
    Permit.objects.filter(renews=permit).update(held_until=timezone.now())
    release_lapsed_holds()
    assert Permit.objects.get(renews=permit).status == PermitStatus.LAPSED
    assert not Slot.objects.filter(sale=winter).exclude(state=SlotState.FREE).exists()
    assert list(check_permits()) == []


def test_who_has_a_stored_method_is_charged_on_the_day(administrator):
    fall, winter = make_terms()
    permit, other = hold(fall), hold(fall)
    store_card(permit.holder, ROLLOVER)
    run_it(plan(fall, winter, charge_on=local_date() + 3 * DAY), administrator)
    new = Permit.objects.get(renews=permit)
    mail = Message.objects.get(dedupe_key=f"rolled:{new.pk}")
    assert "4242" in mail.context["method"]
    take_steps()
    assert not Payment.objects.filter(stored_method__isnull=False).exists()
    Rollover.objects.update(charge_on=local_date(), next_try_at=timezone.now() - DAY)
    take_steps()
    new.refresh_from_db()
    assert (new.status, Permit.objects.get(renews=other).status) == (PermitStatus.ACTIVE, PermitStatus.RESERVED)
    assert not Rollover.objects.get(permit=permit).is_on
    assert list(check_permits()) == []


def test_a_declined_charge_is_told_and_can_be_paid_by_hand(administrator):
    fall, winter = make_terms()
    permit = hold(fall)
    store_card(permit.holder, ROLLOVER, card=DECLINED)
    run_it(plan(fall, winter, charge_on=local_date() + 3 * DAY), administrator)
    Rollover.objects.update(charge_on=local_date(), next_try_at=timezone.now() - DAY)
    take_steps()
    assert Payment.objects.filter(status=PaymentStatus.DECLINED).count() == 1
    assert Message.objects.filter(template="permits/rollover_declined").count() == 1
    new = Permit.objects.get(renews=permit)
    pay_permit(new)
    assert new.status == PermitStatus.ACTIVE


def test_a_free_one_is_simply_theirs(administrator):
    fall, winter = make_terms()
    permit = hold(fall)
    PermitType.objects.update(price=0)
    run_it(plan(fall, winter), administrator)
    take_steps()
    assert Permit.objects.get(renews=permit).status == PermitStatus.ACTIVE


def test_who_switched_rollover_off_is_left_out_if_the_office_wishes(administrator):
    source = make_monthly_sale()
    kept, left = buy_monthly(source), buy_monthly(source)
    switch_on(permit=kept, actor=kept.holder)
    target = make_sale(permit_type=source.permit_type, lot=source.lot)
    run = run_it(plan(source, target, skips_switched_off=True), administrator)
    assert Permit.objects.filter(renews=kept).exists()
    row = run.rows.get(permit=left)
    assert (row.status, "Permit Rollover is switched off" in row.reason) == (RowStatus.SKIPPED, True)


def test_what_renews_itself_already_is_not_rolled_too(administrator):
    source = make_monthly_sale()
    permit = buy_monthly(source)
    switch_on(permit=permit, actor=permit.holder)
    Rollover.objects.update(next_try_at=timezone.now() - DAY)
    end = local_date() + 5 * DAY
    Permit.objects.filter(pk=permit.pk).update(valid_until=start_of_day(end))
    take_steps()
    target = make_sale(permit_type=source.permit_type, lot=source.lot)
    assert reasons(plan(source, target)) == ["rolled"]


def test_a_hold_placed_meanwhile_stops_only_that_person(administrator):
    fall, winter = make_terms()
    held, other = hold(fall), hold(fall)
    run = start_roll(plan=plan(fall, winter), actor=administrator)
    place_hold(person=held.holder, reason="Bad cheque")
    roll_sales()
    assert not Permit.objects.filter(renews=held).exists()
    assert Permit.objects.filter(renews=other).exists()
    assert "on hold" in run.rows.get(permit=held).reason


def test_a_row_that_fails_stops_nobody_behind_it(administrator, monkeypatch):
    from permits.services import rolling

    fall, winter = make_terms()
    permits = [hold(fall) for _person in range(3)]
    start_roll(plan=plan(fall, winter), actor=administrator)
    real = rolling.examine

    def fail_first(wanted, found, now):
        if found[0].pk == permits[0].pk:
            raise RuntimeError
        return real(wanted, found, now)

    monkeypatch.setattr(rolling, "examine", fail_first)
    roll_sales()
    assert RollRow.objects.filter(status=RowStatus.ROLLED).count() == 2
    assert RollRun.objects.get().status == RollStatus.RUNNING
    monkeypatch.undo()
    roll_sales()
    assert RollRun.objects.get().status == RollStatus.DONE


def test_numbers_kept_for_the_list_go_to_whom_the_office_rolls(administrator):
    fall, winter = make_terms()
    permit = hold(fall)
    Slot.objects.filter(sale=winter).update(state=SlotState.FOR_LIST)
    run_it(plan(fall, winter), administrator)
    assert Permit.objects.get(renews=permit).slot.state == SlotState.HELD
