"""What time costs: increments, hours in force, caps, and the nights on which clocks change."""

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.models import Rate
from payments.rates import Fee, lowest_rate, price_stay

ZONE = ZoneInfo("America/Toronto")
HOUR = dt.timedelta(hours=1)


def rate(amount: str = "4.00", **fields: Any) -> Rate:
    values = {"days_of_week": [], "time_of_day_start": dt.time(0), "time_of_day_end": dt.time(0), "rate_unit": "hour"}
    return Rate(**values | {"rate": Decimal(amount), "increment_duration": 60, "start_duration": 0} | fields)


def local(*when: int, fold: int = 0) -> dt.datetime:
    return dt.datetime(*when, tzinfo=ZONE, fold=fold)  # type: ignore[arg-type]


def cost(rates: list[Rate], start: dt.datetime, end: dt.datetime, **options: Any) -> str:
    return str(price_stay(rates, start=start, end=end, zone=ZONE, **options).amount)


@pytest.mark.parametrize(
    ("rates", "start", "end", "options", "expected"),
    [
        # Each begun hour.
        ([rate()], local(2026, 11, 9, 9), local(2026, 11, 9, 11), {}, "8.00"),
        ([rate()], local(2026, 11, 9, 9), local(2026, 11, 9, 11, 1), {}, "12.00"),
        # By the half hour, by the minute.
        ([rate(increment_duration=30)], local(2026, 11, 9, 9), local(2026, 11, 9, 10, 10), {}, "6.00"),
        ([rate("0.05", rate_unit="minute", increment_duration=1)], local(2026, 11, 9, 9), local(2026, 11, 9, 9, 45), {}, "2.25"),
        # Days are touched days; rolling ones begin at the hour of the start.
        ([rate("15", rate_unit="day")], local(2026, 11, 9), local(2026, 11, 12), {}, "45.00"),
        ([rate("15", rate_unit="day")], local(2026, 11, 9, 23), local(2026, 11, 10, 1), {}, "30.00"),
        ([rate("15", rate_unit="day")], local(2026, 11, 9, 23), local(2026, 11, 10, 1), {"rate_unit_period": "rolling"}, "15.00"),
        # The cap of a day, from midnight or from the start.
        ([rate()], local(2026, 11, 9, 9), local(2026, 11, 9, 21), {"maximum_fee": Decimal(20)}, "20.00"),
        ([rate()], local(2026, 11, 9, 22), local(2026, 11, 10, 10), {"maximum_fee": Decimal(20)}, "28.00"),
        ([rate()], local(2026, 11, 9, 22), local(2026, 11, 10, 10), {"maximum_fee": Decimal(20), "rate_unit_period": "rolling"}, "20.00"),
        # Free after 18:00; the hour that began at 17:00 is charged whole.
        ([rate(time_of_day_start=dt.time(8), time_of_day_end=dt.time(18))], local(2026, 11, 9, 17), local(2026, 11, 9, 23), {}, "4.00"),
        ([rate(time_of_day_start=dt.time(8), time_of_day_end=dt.time(18))], local(2026, 11, 9, 6), local(2026, 11, 9, 9), {}, "4.00"),
        # Nights pass midnight: Friday 22:00 to Saturday 06:00.
        ([rate(days_of_week=[4], time_of_day_start=dt.time(22), time_of_day_end=dt.time(6))], local(2026, 11, 13, 20), local(2026, 11, 14, 12), {}, "32.00"),
        # Weekends cost less: the first that is in force counts.
        ([rate("1", days_of_week=[5, 6]), rate()], local(2026, 11, 13, 22), local(2026, 11, 14, 2), {}, "10.00"),
        # The first half hour is free; from the third hour on it is dearer.
        ([rate(start_duration=30, increment_duration=30)], local(2026, 11, 9, 9), local(2026, 11, 9, 9, 30), {}, "0.00"),
        ([rate(start_duration=30, increment_duration=30)], local(2026, 11, 9, 9), local(2026, 11, 9, 10), {}, "2.00"),
        ([rate(end_duration=120), rate("10")], local(2026, 11, 9, 9), local(2026, 11, 9, 12), {}, "18.00"),
        # Nothing in force: free.
        ([], local(2026, 11, 9, 9), local(2026, 11, 9, 12), {}, "0.00"),
    ],
)  # fmt: skip
def test_prices(
    rates: list[Rate], start: dt.datetime, end: dt.datetime, options: dict[str, Any], expected: str
) -> None:
    assert cost(rates, start, end, **options) == expected


@pytest.mark.parametrize(
    ("rates", "start", "end", "options", "expected"),
    [
        # 1 November 2026, 2:00: back to 1:00. Midnight to 3:00 on the wall are four hours.
        ([rate()], local(2026, 11, 1), local(2026, 11, 1, 3), {}, "16.00"),
        ([rate()], local(2026, 11, 1, 1), local(2026, 11, 1, 1, fold=1), {}, "4.00"),
        # 8 March 2026, 2:00: on to 3:00. Midnight to 4:00 on the wall are three hours.
        ([rate()], local(2026, 3, 8), local(2026, 3, 8, 4), {}, "12.00"),
        # A day is a day, of 25 hours or of 23, from midnight or rolling.
        ([rate("15", rate_unit="day")], local(2026, 10, 31), local(2026, 11, 3), {}, "45.00"),
        ([rate("15", rate_unit="day")], local(2026, 10, 31, 12), local(2026, 11, 2, 12), {"rate_unit_period": "rolling"}, "30.00"),
        ([rate("15", rate_unit="day")], local(2026, 3, 7, 12), local(2026, 3, 9, 12), {"rate_unit_period": "rolling"}, "30.00"),
        # In force from 0:00 to 1:30 by the wall: an hour and a half, then again from 1:00 to 1:30.
        ([rate(time_of_day_end=dt.time(1, 30), increment_duration=30)], local(2026, 11, 1), local(2026, 11, 1, 3), {}, "8.00"),
        # In force from 2:00 to 2:30: that half hour is not on the clock in March.
        ([rate(time_of_day_start=dt.time(2), time_of_day_end=dt.time(2, 30))], local(2026, 3, 8), local(2026, 3, 8, 5), {}, "0.00"),
        # 24 real hours from 0:00 in November end at 23:00: one day's cap.
        ([rate()], local(2026, 11, 1), local(2026, 11, 1) + 24 * HOUR, {"maximum_fee": Decimal(30)}, "30.00"),
    ],
)  # fmt: skip
def test_prices_on_the_nights_on_which_clocks_change(
    rates: list[Rate], start: dt.datetime, end: dt.datetime, options: dict[str, Any], expected: str
) -> None:
    assert cost(rates, start, end, **options) == expected


def test_the_parts_say_how_the_sum_was_made() -> None:
    rates = [rate("1", days_of_week=[5, 6]), rate()]
    fee = price_stay(
        rates, start=local(2026, 11, 13, 22), end=local(2026, 11, 14, 2), zone=ZONE, maximum_fee=Decimal(5)
    )
    assert [(part.count, part.unit, str(part.amount)) for part in fee.parts] == [
        (2, "hour", "8.00"),
        (2, "hour", "2.00"),
    ]
    assert (str(fee.off), str(fee.amount)) == ("-3.00", "7.00")


def test_an_empty_stay_has_no_price() -> None:
    with pytest.raises(ValueError, match="ends after it starts"):
        cost([rate()], local(2026, 11, 9, 9), local(2026, 11, 9, 9))


def test_the_lowest_rate_is_what_from_says() -> None:
    assert lowest_rate([]) is None
    assert lowest_rate([rate("4"), rate("1.50")]).rate == Decimal("1.50")  # type: ignore[union-attr]


times = st.times().map(lambda time: time.replace(second=0, microsecond=0))
rows = st.builds(
    rate,
    st.decimals("0", "20", places=2).map(str),
    days_of_week=st.lists(st.integers(0, 6), max_size=3, unique=True),
    time_of_day_start=times,
    time_of_day_end=times,
    rate_unit=st.sampled_from(["hour", "minute", "day"]),
    increment_duration=st.sampled_from([1, 7, 15, 30, 60]),
    start_duration=st.sampled_from([0, 0, 30]),
)
# Around both nights on which the clocks change.
starts = st.sampled_from([local(2026, 10, 31), local(2026, 3, 7, 12), local(2026, 7, 1)]).flatmap(
    lambda start: st.integers(0, 48 * 60).map(lambda minutes: start.astimezone(dt.UTC) + dt.timedelta(minutes=minutes))
)
caps = st.none() | st.decimals("0", "40", places=2)
periods = st.sampled_from(["calendar", "rolling"])


def fee_of(rates: list[Rate], start: dt.datetime, minutes: int, cap: Decimal | None, period: str) -> Fee:
    end = start + dt.timedelta(minutes=minutes)
    return price_stay(rates, start=start, end=end, zone=ZONE, maximum_fee=cap, rate_unit_period=period)


@given(st.lists(rows, max_size=3), starts, st.integers(1, 4000), st.integers(0, 300), caps, periods)
def test_longer_never_costs_less_and_the_parts_add_up(
    rates: list[Rate], start: dt.datetime, minutes: int, more: int, cap: Decimal | None, period: str
) -> None:
    fee = fee_of(rates, start, minutes, cap, period)
    assert fee.amount >= 0
    assert sum((part.amount for part in fee.parts), Decimal(0)) + fee.off == fee.amount
    assert fee_of(rates, start, minutes + more, cap, period).amount >= fee.amount


@given(st.lists(rows, max_size=3), starts, st.integers(1, 600))
def test_the_price_is_that_of_walking_minute_by_minute(rates: list[Rate], start: dt.datetime, minutes: int) -> None:
    """The same rule, told naively: look at the clock each minute, and skip what is paid already."""
    end, at, total = start + dt.timedelta(minutes=minutes), start, Decimal(0)
    while at < end:
        wall, parked = at.astimezone(ZONE), (at - start).total_seconds() / 60
        found = next((one for one in rates if parked >= one.start_duration and holds(one, wall)), None)
        if found is None:
            at += dt.timedelta(minutes=1)
        elif found.rate_unit == "day":
            total += found.rate
            at = dt.datetime.combine(wall.date() + dt.timedelta(days=1), dt.time(0), tzinfo=ZONE).astimezone(dt.UTC)
        else:
            total += found.rate * found.increment_duration / (60 if found.rate_unit == "hour" else 1)
            at += dt.timedelta(minutes=found.increment_duration)
    assert abs(fee_of(rates, start, minutes, None, "calendar").amount - total) <= Decimal("0.02")


def holds(one: Rate, wall: dt.datetime) -> bool:
    today = not one.days_of_week or wall.weekday() in one.days_of_week
    yesterday = not one.days_of_week or (wall - dt.timedelta(days=1)).weekday() in one.days_of_week
    minute, start, end = wall.time(), one.time_of_day_start, one.time_of_day_end
    if start == end:
        return today
    if start < end or end == dt.time(0):
        return today and start <= minute and (minute < end or end == dt.time(0))
    return (today and minute >= start) or (yesterday and minute < end)
