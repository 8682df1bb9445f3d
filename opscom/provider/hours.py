"""Weekly hours: when a rule with weekdays and a time span holds, in words too, and when a lot needs no permit."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import time_format
from django.utils.translation import gettext as _

from opscom.provider.models import FreeHours, Lot
from opscom.provider.selectors import get_time_zone, is_holiday

MIDNIGHT = dt.time.min


class WeeklyHours(Protocol):
    """Weekdays (0 is Monday; none: every day) and half-open hours; 00:00 to 00:00 is the whole day."""

    weekdays: Sequence[int]
    from_time: dt.time
    until_time: dt.time


@dataclass(slots=True)
class Hours:
    """Weekly hours that no row of their own keeps."""

    weekdays: Sequence[int]
    from_time: dt.time
    until_time: dt.time


def covers_time(rule: WeeklyHours, local: dt.datetime) -> bool:
    """Say whether the rule's weekdays and hours hold at this local time; hours may pass midnight."""
    time = local.time()
    start, end = rule.from_time, rule.until_time
    if start == end:
        return _on(rule, local.date())
    if end == MIDNIGHT or start < end:
        return _on(rule, local.date()) and time >= start and (end == MIDNIGHT or time < end)
    evening = _on(rule, local.date()) and time >= start
    # 22:00 to 06:00 on Fridays still holds on Saturday at five.
    morning = _on(rule, local.date() - dt.timedelta(days=1)) and time < end
    return evening or morning


def _on(rule: WeeklyHours, day: dt.date) -> bool:
    return not rule.weekdays or day.weekday() in rule.weekdays


def describe_days(weekdays: Sequence[int]) -> str:
    """Return the days in short words, nothing for every day."""
    return " ".join(str(WEEKDAYS_ABBR[day]) for day in sorted(weekdays))


def describe_span(rule: WeeklyHours) -> str:
    """Return the hours in words."""
    if rule.from_time == rule.until_time:
        return _("at all times")
    if rule.until_time == MIDNIGHT:
        return _("from %(start)s") % {"start": time_format(rule.from_time)}
    return _("%(start)s to %(end)s") % {"start": time_format(rule.from_time), "end": time_format(rule.until_time)}


def is_free(lot: Lot, at: dt.datetime) -> bool:
    """Say whether nobody needs a permit in the lot at that instant: its free hours, and holidays where they say so."""
    local = at.astimezone(get_time_zone())
    rules = list(lot.free_hours.all())
    if any(covers_time(rule, local) for rule in rules):
        return True
    return any(rule.also_holidays for rule in rules) and is_holiday(local.date())


def describe_free_hours(lot: Lot) -> list[str]:
    """Return one line for each time in which nobody needs a permit here, in the active language."""
    return [_describe(rule) for rule in lot.free_hours.all()]


def _describe(rule: FreeHours) -> str:
    parts = [describe_days(rule.weekdays), describe_span(rule), _("and on holidays") if rule.also_holidays else ""]
    return ", ".join(part for part in parts if part)
