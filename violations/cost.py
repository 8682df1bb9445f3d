"""What a ticket costs on any day: arithmetic on the rule as it stood when the ticket was issued. No database, no clock.

Time is counted in the ticket's own days: whole calendar days at the provider's place since the day it was issued. They
stand still while an appeal is under review.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from opscom.core.money import ZERO


@dataclass(frozen=True, slots=True)
class Late:
    """What is added once more than `after_days` days have gone by."""

    after_days: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Review:
    """A time in which an appeal was under review: the days stand still in [first, end); `end` None: it goes on."""

    first: dt.date
    end: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What the office decided that the ticket costs, and on which of its days: late fees before it are in the sum."""

    amount: Decimal
    day: int


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule as it stood; sums in the provider's currency. `discount` is zero where there is none, or it was lost."""

    fine: Decimal
    fee: Decimal = ZERO
    discount: Decimal = ZERO
    discount_days: int = 0
    due_days: int = 30
    late_fees: Sequence[Late] = ()
    decided: Decided | None = None

    def amount(self, day: int) -> Decimal:
        """Return what the ticket costs on its `day`-th day (0: the day on which it was issued)."""
        late = sum((fee.amount for fee in self.late_fees if self._is_added(fee, day)), ZERO)
        if self.decided:
            return self.decided.amount + late
        discount = self.discount if day <= self.discount_days else ZERO
        return self.fine + self.fee - discount + late

    def _is_added(self, fee: Late, day: int) -> bool:
        is_new = self.decided is None or fee.after_days >= self.decided.day
        return is_new and day > fee.after_days

    def last_days(self) -> list[int]:
        """Return each day after which it costs more, ascending."""
        days = {fee.after_days for fee in self.late_fees}
        if self.discount and not self.decided:
            days.add(self.discount_days)
        return sorted(day for day in days if self.amount(day) != self.amount(day + 1))


@dataclass(frozen=True, slots=True)
class Calendar:
    """From the provider's dates to the ticket's own days, and back. Reviews do not overlap."""

    issued_on: dt.date
    reviews: Sequence[Review] = ()

    def day_on(self, on: dt.date) -> int:
        """Return which of the ticket's days that date is; 0 before it was issued."""
        stood_still = sum((_length(review, on) for review in self.reviews), 0)
        return max((on - self.issued_on).days - stood_still, 0)

    def last_date_of(self, day: int) -> dt.date:
        """Return the last date that is still the ticket's `day`-th day; a review that goes on counts until it began."""
        date = self.issued_on + dt.timedelta(days=day)
        for review in sorted(self.reviews, key=lambda one: one.first):
            if review.first <= date and review.end:
                date += review.end - review.first
        return date

    @property
    def is_standing_still(self) -> bool:
        return any(review.end is None for review in self.reviews)


@dataclass(frozen=True, slots=True)
class Period:
    """Days on which the ticket costs the same. `last_date` None: until it is paid. `days_ahead`: own days until it begins."""

    amount: Decimal
    first_day: int
    last_day: int | None
    last_date: dt.date | None
    first_date: dt.date
    is_past: bool
    is_now: bool
    days_ahead: int


def periods(rule: Rule, calendar: Calendar, on: dt.date) -> list[Period]:
    """Return the line of dates and sums, from the day of issue to the last late fee, and where `on` stands in it."""
    today = calendar.day_on(on)
    found, first = [], 0
    for last in [*rule.last_days(), None]:
        found.append(
            Period(
                amount=rule.amount(first),
                first_day=first,
                last_day=last,
                last_date=None if last is None else calendar.last_date_of(last),
                first_date=calendar.issued_on if not first else _day_after(calendar.last_date_of(first - 1)),
                is_past=last is not None and today > last,
                is_now=first <= today and (last is None or today <= last),
                days_ahead=max(first - today, 0),
            )
        )
        first = 0 if last is None else last + 1
    return found


def _day_after(date: dt.date) -> dt.date:
    return date + dt.timedelta(days=1)


def _length(review: Review, on: dt.date) -> int:
    end = min(review.end, on) if review.end else on
    return max((end - review.first).days, 0)
