"""Office days and hours."""

import datetime as dt

import pytest

from opscom.provider.selectors import add_business_days, is_open_at, next_holidays
from tests.factories.provider import make_holiday, set_provider

pytestmark = pytest.mark.django_db
FRIDAY = dt.date(2026, 12, 18)


@pytest.mark.parametrize(
    ("count", "day"),
    [(0, FRIDAY), (1, dt.date(2026, 12, 21)), (3, dt.date(2026, 12, 23)), (5, dt.date(2026, 12, 29))],
)
def test_business_days_step_over_weekends_and_holidays(count, day):
    for number in (24, 25):
        make_holiday(dt.date(2026, 12, number))
    assert add_business_days(FRIDAY, count) == day


def test_business_days_follow_the_office_week():
    set_provider(office_weekdays=[5])
    assert add_business_days(FRIDAY, 2) == dt.date(2026, 12, 26)


def test_no_office_days_means_monday_to_friday():
    set_provider(office_weekdays=[])
    assert add_business_days(FRIDAY, 1) == dt.date(2026, 12, 21)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-12-18T08:29:59-05:00", False),
        ("2026-12-18T08:30:00-05:00", True),
        ("2026-12-18T21:29:00+00:00", True),
        ("2026-12-18T21:30:00+00:00", False),
        ("2026-12-19T10:00:00-05:00", False),
        ("2026-12-21T10:00:00-05:00", False),
    ],
)
def test_open_in_the_providers_time_zone(moment, is_open):
    make_holiday(dt.date(2026, 12, 21))
    assert is_open_at(dt.datetime.fromisoformat(moment)) is is_open


def test_next_holidays_are_the_coming_ones(django_assert_num_queries):
    today = dt.datetime.now(dt.UTC).date()
    make_holiday(today - dt.timedelta(days=5))
    for days in (9, 7, 8, 6):
        make_holiday(today + dt.timedelta(days=days))
    assert [holiday.on for holiday in next_holidays()] == [today + dt.timedelta(days=days) for days in (6, 7, 8)]
    with django_assert_num_queries(0):
        next_holidays()
