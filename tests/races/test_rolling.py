"""Rolling a sale under several hands at once, and with workers that die before any of their writes: nobody gets two."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from opscom.messaging.models import Message
from opscom.provider.selectors import local_date
from permits.models import (
    Permit,
    PermitStatus,
    Rollover,
    RollRow,
    RollRun,
    RollStatus,
    RowStatus,
    Sale,
    Slot,
    SlotState,
)
from permits.rolling import Plan
from permits.services.holding import end_next
from permits.services.rolling import roll_next, start_roll, stop_roll
from permits.tasks import roll_sales
from tests.factories.accounts import make_user
from tests.factories.permits import make_lot, make_permit_type, make_sale, reserve
from tests.factories.rollover import pay_permit
from tests.factories.stored import offer_storing
from tests.races.crashes import at_each_write
from tests.races.together import assert_books_and_numbers_are_right, let_hours_pass, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_storing()


def make_terms(numbers: int) -> tuple[Sale, Sale]:
    lot, kind, end = make_lot(), make_permit_type(term_kind="fixed"), local_date() + 20 * DAY
    fall = make_sale(lot=lot, permit_type=kind, valid_from=local_date() - 60 * DAY, valid_until=end)
    winter = make_sale(lot=lot, permit_type=kind, numbers=numbers, valid_from=end, valid_until=end + 90 * DAY)
    return fall, winter


def make_holders(sale: Sale, count: int) -> list[Permit]:
    permits = [reserve(sale) for _person in range(count)]
    for permit in permits:
        pay_permit(permit)
    return permits


def start(fall: Sale, winter: Sale) -> RollRun:
    return start_roll(plan=Plan(fall, winter, pay_by=local_date() + 10 * DAY), actor=make_user())


def test_five_workers_roll_five_people_once_each() -> None:
    fall, winter = make_terms(numbers=5)
    permits = make_holders(fall, 5)
    start(fall, winter)
    together([lambda: roll_sales()] * 5)
    roll_sales()
    assert Permit.objects.filter(sale=winter).count() == 5
    assert all(permit.renewals.count() == 1 for permit in permits)
    assert RollRun.objects.get().status == RollStatus.DONE
    assert_books_and_numbers_are_right()


def test_two_clerks_start_it_at_once() -> None:
    fall, winter = make_terms(numbers=5)
    make_holders(fall, 2)
    together([lambda: start(fall, winter)] * 2)
    assert RollRun.objects.count() == 1


def test_fewer_numbers_than_people_are_never_sold_twice() -> None:
    fall, winter = make_terms(numbers=2)
    make_holders(fall, 4)
    start(fall, winter)
    together([lambda: roll_sales()] * 4)
    let_hours_pass()
    assert Permit.objects.filter(sale=winter, status=PermitStatus.RESERVED).count() == 2
    assert RollRow.objects.filter(status=RowStatus.SKIPPED).count() == 2
    assert_books_and_numbers_are_right()


def test_a_buyer_and_the_office_want_the_last_number() -> None:
    fall, winter = make_terms(numbers=1)
    make_holders(fall, 1)
    start(fall, winter)
    together([lambda: roll_sales(), lambda: reserve(winter)])
    let_hours_pass()
    assert Permit.objects.filter(sale=winter).count() == 1
    assert_books_and_numbers_are_right()


def test_the_old_one_ends_while_it_is_rolled() -> None:
    """Rolled and in its place, or left out: never a permit that waits for one that is over."""
    fall, winter = make_terms(numbers=1)
    [permit] = make_holders(fall, 1)
    start(fall, winter)
    now = timezone.now()
    Permit.objects.filter(pk=permit.pk).update(valid_from=now - DAY, valid_until=now)
    together([lambda: roll_sales(), end_next])
    let_hours_pass()
    new = permit.renewals.first()
    assert new is None or new.holder_place == 1
    assert_books_and_numbers_are_right()


def test_stopped_while_it_runs() -> None:
    fall, winter = make_terms(numbers=5)
    make_holders(fall, 4)
    run, office = start(fall, winter), make_user()
    together([lambda: roll_sales(), lambda: stop_roll(run=run, actor=office)])
    let_hours_pass()
    run.refresh_from_db()
    assert run.status in (RollStatus.STOPPED, RollStatus.DONE)
    assert run.rows.filter(status=RowStatus.ROLLED).count() == Permit.objects.filter(sale=winter).count()
    assert_books_and_numbers_are_right()


def test_killed_while_somebody_is_rolled() -> None:
    permit: Permit
    winter: Sale

    def make() -> Callable[[], object]:
        nonlocal permit, winter
        fall, winter = make_terms(numbers=2)
        [permit] = make_holders(fall, 1)
        start(fall, winter)
        return roll_next

    def check() -> None:
        new = permit.renewals.get()
        assert (new.status, new.sale) == (PermitStatus.RESERVED, winter)
        assert Slot.objects.filter(sale=winter, state=SlotState.HELD).count() == 1
        assert Message.objects.filter(dedupe_key=f"rolled:{new.pk}").count() == 1
        assert RollRow.objects.get(permit=permit).successor == new
        Rollover.objects.update(next_try_at=None)

    at_each_write(make, check)
