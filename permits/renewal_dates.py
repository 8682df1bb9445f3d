"""When monthly permits renew themselves, and for which dates. Pure, but for the provider's clock: days in, days out."""

import datetime as dt

from opscom.provider.selectors import get_time_zone
from permits.models import TermKind
from permits.terms import add_months

# Days before the end: the notice goes out, then the money is asked for; a refused charge is tried again on the next days.
NOTICE_BEFORE = dt.timedelta(days=7)
CHARGE_BEFORE = dt.timedelta(days=3)
MOST_TRIES = 3
ONE_DAY = dt.timedelta(days=1)
# At the provider's place: people are up, the office opens soon, and no clock changes.
HOUR = dt.time(8)


def next_end(start: dt.date, *, term_kind: str, months: int, anchor: dt.date) -> dt.date:
    """Return the day after the last of the period that begins on `start`.

    Calendar months end with a month. Rolling months are counted from `anchor`, the first day of the first period, so that
    a permit of January 31 ends on the last day of each month before the 31st, and never drifts to the 28th. Where
    `start` is none of the anchor's days (the office moved an end), they are counted from `start`.
    """
    if term_kind == TermKind.CALENDAR_MONTHS:
        return add_months(start.replace(day=1), months)
    gone = (start.year - anchor.year) * 12 + start.month - anchor.month
    if gone % months == 0 and add_months(anchor, gone) == start:
        return add_months(anchor, gone + months)
    return add_months(start, months)


def at_work(day: dt.date) -> dt.datetime:
    """Return the instant of the day at which renewals are looked at."""
    return dt.datetime.combine(day, HOUR, tzinfo=get_time_zone())


def notice_at(end: dt.date) -> dt.datetime:
    """Return when a permit that ends before `end` is renewed, and its holder is told."""
    return at_work(end - NOTICE_BEFORE)


def first_charge_day(end: dt.date, today: dt.date) -> dt.date:
    """Return the day of the first charge: three days before the end, a day after a late notice, in time in any case."""
    return max(end - CHARGE_BEFORE, min(today + ONE_DAY, end - ONE_DAY))


def next_charge_day(charge_on: dt.date, *, tries: int, today: dt.date, before: dt.date) -> dt.date | None:
    """Return the day of the next try after so many that failed, the last one on `charge_on`; None: that was the last."""
    day = max(charge_on, today) + ONE_DAY
    return day if tries < MOST_TRIES and day < before else None
