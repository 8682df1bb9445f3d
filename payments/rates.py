"""What a stretch of parked time costs. Pure: rates and instants in, a sum and how it was made out.

The words are those of the field (CDS rate, APDS rate table). Time is real time: an hour is sixty minutes, also on the
nights on which clocks change; which rate is in force is read from the clock on the wall.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from opscom.core.money import ZERO, round_money
from opscom.provider.hours import Hours, covers_time

MIDNIGHT = dt.time.min
ONE_DAY = dt.timedelta(days=1)
ONE_MINUTE = dt.timedelta(minutes=1)
UNIT_MINUTES = {"minute": 1, "hour": 60}


class RateLike(Protocol):
    """One rate, as `payments.models.Rate` keeps it."""

    days_of_week: Sequence[int]
    time_of_day_start: dt.time
    time_of_day_end: dt.time
    rate: Decimal
    rate_unit: str
    increment_duration: int
    start_duration: int
    end_duration: int | None


R = TypeVar("R", bound=RateLike)


@dataclass(frozen=True, slots=True)
class FeePart:
    """So many pieces of time at one rate. `minutes` is the length of a piece; 0: a whole day. `rate` is for one `unit`."""

    count: int
    minutes: int
    rate: Decimal
    unit: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Fee:
    """A sum without tax, the parts it was made of, and what the daily maximum took off (zero or negative)."""

    amount: Decimal
    parts: tuple[FeePart, ...]
    off: Decimal = ZERO
    maximum_fee: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Charge:
    day: dt.datetime
    rate: RateLike
    count: int
    amount: Decimal


def price_stay(
    rates: Sequence[RateLike],
    *,
    start: dt.datetime,
    end: dt.datetime,
    zone: ZoneInfo,
    maximum_fee: Decimal | None = None,
    rate_unit_period: str = "calendar",
) -> Fee:
    """Return what a stay in [start, end) costs.

    Each begun increment is charged at the first rate that is in force where the increment begins; where none is, parking
    is free. A rate by the day charges each day that the stay touches. What one day's increments cost together is capped
    by `maximum_fee`; a day runs from midnight to midnight, or (`rolling`) from the hour of the start to the same hour on
    the clock. Raises ValueError when the end is not after the start.
    """
    clock = _Clock(start, end, zone, rate_unit_period == "rolling")
    if clock.end <= clock.start:
        raise ValueError("A stay ends after it starts.")
    charges = list(_charges(rates, clock))
    by_day: dict[dt.datetime, Decimal] = {}
    for charge in charges:
        by_day[charge.day] = by_day.get(charge.day, Decimal(0)) + charge.amount
    full = sum((round_money(amount) for amount in by_day.values()), ZERO)
    capped = [round_money(amount if maximum_fee is None else min(amount, maximum_fee)) for amount in by_day.values()]
    amount = sum(capped, ZERO)
    return Fee(amount, tuple(_join(charges, full)), amount - full, maximum_fee)


def lowest_rate(rates: Iterable[R]) -> R | None:
    """Return the rate with the lowest price for its unit, for 'from $4.00 an hour'; None without any."""
    return min(rates, key=lambda rate: rate.rate, default=None)


def _join(charges: Sequence[_Charge], full: Decimal) -> Iterator[FeePart]:
    """Put pieces of one rate together; rounding's leftover goes to the last, so that the parts add up."""
    joined: list[tuple[RateLike, int, Decimal]] = []
    for charge in charges:
        for index, (rate, count, amount) in enumerate(joined):
            if rate is charge.rate:
                joined[index] = (rate, count + charge.count, amount + charge.amount)
                break
        else:
            joined.append((charge.rate, charge.count, charge.amount))
    left = full
    for index, (rate, count, amount) in enumerate(joined):
        shown = left if index == len(joined) - 1 else round_money(amount)
        left -= shown
        minutes = 0 if rate.rate_unit == "day" else rate.increment_duration
        yield FeePart(count, minutes, rate.rate, rate.rate_unit, shown)


def _charges(rates: Sequence[RateLike], clock: "_Clock") -> Iterator[_Charge]:
    at = clock.start
    while at < clock.end:
        rate = _in_force(rates, clock, at)
        change = min(_next_change(rates, clock, at), clock.end)
        if rate is None:
            at = change
        elif rate.rate_unit == "day":
            yield _Charge(clock.day_of(at), rate, 1, rate.rate)
            at = clock.day_after(at)
        else:
            piece = dt.timedelta(minutes=rate.increment_duration)
            count = -((at - min(change, clock.day_after(at))) // piece)
            price = rate.rate * rate.increment_duration / UNIT_MINUTES[rate.rate_unit]
            yield _Charge(clock.day_of(at), rate, count, price * count)
            at += count * piece


def _in_force(rates: Sequence[RateLike], clock: "_Clock", at: dt.datetime) -> RateLike | None:
    parked = (at - clock.start) / ONE_MINUTE
    local = at.astimezone(clock.zone)
    for rate in rates:
        in_stay = parked >= rate.start_duration and (rate.end_duration is None or parked < rate.end_duration)
        if in_stay and covers_time(Hours(rate.days_of_week, rate.time_of_day_start, rate.time_of_day_end), local):
            return rate
    return None


def _next_change(rates: Sequence[RateLike], clock: "_Clock", at: dt.datetime) -> dt.datetime:
    """Return the next instant after `at` at which another rate may be in force."""
    day = at.astimezone(clock.zone).date()
    times = {MIDNIGHT, *(rate.time_of_day_start for rate in rates), *(rate.time_of_day_end for rate in rates)}
    instants = [moment for time in times for later in (0, 1) for moment in clock.instants(day + later * ONE_DAY, time)]
    for rate in rates:
        instants.append(clock.start + rate.start_duration * ONE_MINUTE)
        if rate.end_duration is not None:
            instants.append(clock.start + rate.end_duration * ONE_MINUTE)
    change = min(moment for moment in instants if moment > at)
    return clock.shift_between(at, change) or change


class _Clock:
    """The stay on the provider's clock: where its days begin, and where clocks are put forward or back."""

    def __init__(self, start: dt.datetime, end: dt.datetime, zone: ZoneInfo, is_rolling: bool) -> None:
        # UTC throughout: Python compares and subtracts two local times of one zone by the clock on the wall.
        self.start, self.end = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
        self.zone = zone
        self.day_time = start.astimezone(zone).time() if is_rolling else MIDNIGHT

    def instants(self, day: dt.date, time: dt.time) -> list[dt.datetime]:
        """Return the instants at which the clock shows this: two on the night on which it is put back."""
        local = dt.datetime.combine(day, time.replace(fold=0), tzinfo=self.zone)
        return [local.astimezone(dt.UTC), local.replace(fold=1).astimezone(dt.UTC)]

    def day_of(self, at: dt.datetime) -> dt.datetime:
        """Return when the charged day of that instant began."""
        local_day = at.astimezone(self.zone).date()
        begun = [self.instants(local_day + ago * ONE_DAY, self.day_time)[0] for ago in (0, -1, -2)]
        return next(moment for moment in begun if moment <= at)

    def day_after(self, at: dt.datetime) -> dt.datetime:
        """Return when the next charged day begins."""
        local_day = at.astimezone(self.zone).date()
        coming = [self.instants(local_day + later * ONE_DAY, self.day_time)[0] for later in (0, 1, 2)]
        return next(moment for moment in coming if moment > at)

    def shift_between(self, after: dt.datetime, before: dt.datetime) -> dt.datetime | None:
        """Return the instant in (after, before) at which the clocks are changed, to the minute; None without one."""
        offset = after.astimezone(self.zone).utcoffset()
        if before.astimezone(self.zone).utcoffset() == offset:
            return None
        low, high = after, before
        while high - low > ONE_MINUTE:
            middle = low + (high - low) / 2
            if middle.astimezone(self.zone).utcoffset() == offset:
                low = middle
            else:
                high = middle
        shift = high.replace(second=0, microsecond=0)
        return shift if after < shift < before else None
