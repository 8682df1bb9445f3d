"""When monthly permits renew themselves: months' ends, leap years, changed clocks."""

import calendar
import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opscom.provider.selectors import get_time_zone, local_date, start_of_day
from permits.models import TermKind
from permits.renewal_dates import (
    CHARGE_BEFORE,
    MOST_TRIES,
    ONE_DAY,
    at_work,
    first_charge_day,
    next_charge_day,
    next_end,
    notice_at,
)
from tests.factories.permits import set_provider

ROLLING, CALENDAR = TermKind.ROLLING_MONTHS, TermKind.CALENDAR_MONTHS
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2060, 12, 31))
MONTHS = st.integers(1, 12)


def ends(anchor: dt.date, count: int, months: int = 1, term_kind: str = ROLLING) -> list[dt.date]:
    """Return the ends of so many periods, one after the other."""
    found, start = [], anchor
    for _period in range(count):
        start = next_end(start, term_kind=term_kind, months=months, anchor=anchor)
        found.append(start)
    return found


def test_the_thirty_first_comes_back_after_february():
    found = ends(dt.date(2027, 1, 31), 4)
    assert found == [dt.date(2027, 2, 28), dt.date(2027, 3, 31), dt.date(2027, 4, 30), dt.date(2027, 5, 31)]


def test_a_leap_day_is_the_end_of_february_in_other_years():
    assert ends(dt.date(2028, 1, 30), 1) == [dt.date(2028, 2, 29)]
    assert ends(dt.date(2028, 2, 29), 2, months=12) == [dt.date(2029, 2, 28), dt.date(2030, 2, 28)]
    assert ends(dt.date(2028, 2, 29), 4, months=12)[-1] == dt.date(2032, 2, 29)


def test_an_end_that_the_office_moved_is_counted_from_anew():
    moved = dt.date(2027, 3, 12)
    assert next_end(moved, term_kind=ROLLING, months=1, anchor=dt.date(2027, 1, 31)) == dt.date(2027, 4, 12)


@given(anchor=DAYS, months=MONTHS, count=st.integers(1, 30))
def test_rolling_months_never_drift(anchor, months, count):
    """However many periods: the day is the anchor's, or its month's last; no gap, no overlap, none of no length."""
    last = anchor
    for number, end in enumerate(ends(anchor, count, months), start=1):
        month0 = anchor.month - 1 + number * months
        year, month = anchor.year + month0 // 12, month0 % 12 + 1
        assert (end.year, end.month) == (year, month)
        assert end.day == min(anchor.day, calendar.monthrange(year, month)[1])
        assert end > last
        last = end


@given(anchor=DAYS, months=MONTHS, count=st.integers(1, 30))
def test_calendar_months_end_with_a_month(anchor, months, count):
    found = ends(anchor, count, months, CALENDAR)
    assert {end.day for end in found} == {1}
    steps = [(b.year - a.year) * 12 + b.month - a.month for a, b in itertools.pairwise(found)]
    assert set(steps) <= {months}


@given(end=DAYS, late=st.integers(0, 60))
def test_a_charge_comes_after_its_notice_and_before_the_end(end, late):
    """In time it is three days before; after a late notice the next day; never on the day on which the permit is over."""
    today = end - dt.timedelta(days=late)
    day = first_charge_day(end, today)
    assert day < end
    if late >= 4:
        assert day == end - CHARGE_BEFORE
    elif late >= 2:
        assert day == today + ONE_DAY


@given(end=DAYS, late=st.integers(1, 7))
def test_tries_end_before_the_permit_does(end, late):
    """At most three, one a day, all before the end."""
    day: dt.date | None = first_charge_day(end, end - dt.timedelta(days=late))
    days = []
    while day is not None:
        days.append(day)
        day = next_charge_day(day, tries=len(days), today=day, before=end)
    assert 1 <= len(days) <= MOST_TRIES
    assert days == sorted(set(days))
    assert days[-1] < end


def test_after_a_pause_of_the_workers_the_next_try_is_tomorrow():
    today = dt.date(2027, 3, 30)
    day = next_charge_day(dt.date(2027, 3, 28), tries=1, today=today, before=dt.date(2027, 4, 1))
    assert day == dt.date(2027, 3, 31)


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["America/Toronto", "America/St_Johns", "Pacific/Auckland", "Europe/Lisbon"])
@pytest.mark.parametrize(
    "day", [dt.date(2027, 3, 14), dt.date(2027, 11, 7), dt.date(2027, 3, 28), dt.date(2027, 9, 26)]
)
def test_a_changed_clock_moves_no_day(zone, day):
    set_provider(time_zone=zone)
    for end in (day, day + ONE_DAY, day + dt.timedelta(days=3), day + dt.timedelta(days=7)):
        moment = notice_at(end)
        assert moment.astimezone(get_time_zone()).time() == dt.time(8)
        assert local_date(start_of_day(end)) - local_date(moment) == dt.timedelta(days=7)
        assert local_date(at_work(end - CHARGE_BEFORE)) == end - CHARGE_BEFORE
