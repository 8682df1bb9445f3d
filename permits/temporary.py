"""Temporary permits: which stay is meant, whether it may be had, what it costs, and how many spaces are free meanwhile.

Spaces are counted by overlaps at each instant, never by the day: a lot with one space sells it at 9:00 and again at 11:00.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opscom.core.errors import Allowed, Decision, Refused
from opscom.provider.models import Lot
from opscom.provider.selectors import get_time_zone, local_date, start_of_day
from payments.rates import Fee, price_stay
from permits.closures import spaces_lost
from permits.eligibility import write_moment
from permits.models import MOST_TEMPORARY_DAYS, Permit, PermitType, Sale

# What is shown stands for so long: a stay that begins "now" may be reserved a little later without being asked again.
PATIENCE = dt.timedelta(minutes=15)
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stay:
    """The half-open instants [start, end) of a wish to park, in UTC: Python compares local times by the clock on the wall."""

    start: dt.datetime
    end: dt.datetime


Interval = tuple[dt.datetime, dt.datetime]


def stay_by_dates(first: dt.date, last: dt.date, now: dt.datetime) -> Stay:
    """Return the stay over whole days of the provider's calendar, both included; today begins now."""
    start = max(start_of_day(first).astimezone(dt.UTC), now.astimezone(dt.UTC))
    return Stay(start, start_of_day(last + ONE_DAY).astimezone(dt.UTC))


def stay_by_hours(start: dt.datetime, hours: int) -> Stay:
    """Return the stay of so many real hours, also on nights on which clocks change."""
    start = start.astimezone(dt.UTC)
    return Stay(start, start + dt.timedelta(hours=hours))


def latest_end(start: dt.datetime) -> dt.datetime:
    """Return when 30 days from `start` are over: at the same time on the provider's clock."""
    local = start.astimezone(get_time_zone())
    return dt.datetime.combine(
        local.date() + MOST_TEMPORARY_DAYS * ONE_DAY, local.time().replace(fold=0), tzinfo=get_time_zone()
    )


def can_stay(sale: Sale, stay: Stay, *, by_hours: bool, now: dt.datetime) -> Decision:
    """Say whether this type is sold for these instants at all, whoever asks and whatever is free."""
    kind = sale.permit_type
    if not (kind.is_by_hours if by_hours else kind.is_by_dates):
        return Refused("way", _("This permit cannot be had in that way."))
    if stay.end <= stay.start:
        return Refused("order", _("The end must be after the start."))
    if stay.start < now - PATIENCE:
        return Refused("past", _("The start is over. Please choose a time from now on."))
    if stay.end > latest_end(stay.start):
        return Refused(
            "too_long",
            _(
                "Temporary permits are only valid for up to 30 days. If you need a permit for longer than 30 days, "
                "you’ll need to buy a standard permit."
            ),
        )
    return _fits_type(kind, stay, by_hours, now) or _fits_sale(sale, stay) or Allowed()


def _fits_type(kind: PermitType, stay: Stay, by_hours: bool, now: dt.datetime) -> Refused | None:
    if by_hours and stay.end - stay.start > dt.timedelta(hours=kind.most_hours):
        words = ngettext(
            "This permit is for %(hours)d hour at most.", "This permit is for %(hours)d hours at most.", kind.most_hours
        )
        return Refused("hours", words % {"hours": kind.most_hours})
    last_start = local_date(now) + kind.days_ahead * ONE_DAY
    if local_date(stay.start) > last_start:
        words = ngettext(
            "This permit can be had %(days)d day ahead at most.",
            "This permit can be had %(days)d days ahead at most.",
            kind.days_ahead,
        )
        return Refused("ahead", words % {"days": kind.days_ahead})
    return None


def _fits_sale(sale: Sale, stay: Stay) -> Refused | None:
    if sale.valid_from and stay.start < start_of_day(sale.valid_from):
        moment = write_moment(start_of_day(sale.valid_from))
        return Refused("before", _("It is sold for times from %(moment)s on.") % {"moment": moment})
    if sale.valid_until and stay.end > start_of_day(sale.valid_until):
        moment = write_moment(start_of_day(sale.valid_until))
        return Refused("after", _("It is sold for times until %(moment)s.") % {"moment": moment})
    return None


def most_at_once(intervals: Iterable[Interval], stay: Stay) -> int:
    """Return how many of these half-open intervals hold at one instant of the stay, at most."""
    steps: list[tuple[dt.datetime, int]] = []
    for start, end in intervals:
        if start < stay.end and stay.start < end:
            steps += [(max(start, stay.start), 1), (end, -1)]
    # Who leaves at an instant makes room for who comes at it: -1 sorts before 1.
    at_once = most = 0
    for _instant, step in sorted(steps):
        at_once += step
        most = max(most, at_once)
    return most


def taken_intervals(lot: Lot, stay: Stay) -> list[Interval]:
    """Return the times of the lot's live temporary permits, of every type, that touch the stay: one query."""
    rows = Permit.objects.live().filter(
        is_temporary=True, sale__lot=lot, valid_from__lt=stay.end, valid_until__gt=stay.start
    )
    return list(rows.values_list("valid_from", "valid_until"))


def closed_intervals(lot: Lot, stay: Stay) -> list[Interval]:
    """Return the times in which closures of the lot take spaces, each as often as it takes one: one query."""
    lost = spaces_lost(lot, stay.start, stay.end)
    return [(start, end) for start, end, spaces in lost for _space in range(min(spaces, lot.temporary_spaces))]


def count_free(lot: Lot, stay: Stay) -> int:
    """Return how many spaces are free in the lot during the whole stay; never below zero."""
    taken = taken_intervals(lot, stay) + closed_intervals(lot, stay)
    return max(lot.temporary_spaces - most_at_once(taken, stay), 0)


def price(sale: Sale, stay: Stay) -> Fee:
    """Return what the stay costs without tax by the type's rate table, which is loaded with its rates."""
    table = sale.permit_type.rate_table
    if table is None:
        raise ValueError(f"Permit type {sale.permit_type.code} is temporary and has no rates.")
    return price_stay(
        list(table.rates.all()),
        start=stay.start,
        end=stay.end,
        zone=get_time_zone(),
        maximum_fee=table.maximum_fee,
        rate_unit_period=table.rate_unit_period,
    )


def fee_parts(fee: Fee) -> list[dict[str, Any]]:
    """Return how the sum was made, as a permit keeps it: numbers without a language."""
    parts: list[dict[str, Any]] = [
        {
            "kind": "time",
            "count": part.count,
            "minutes": part.minutes,
            "unit": part.unit,
            "rate": str(part.rate),
            "amount": str(part.amount),
        }
        for part in fee.parts
    ]
    if fee.off:
        parts.append({"kind": "cap", "maximum": str(fee.maximum_fee), "amount": str(fee.off)})
    return parts


def overlapping(permits: Sequence[Permit], stay: Stay) -> Permit | None:
    """Return one of these permits that is valid during a part of the stay."""
    return next((one for one in permits if one.valid_from < stay.end and stay.start < one.valid_until), None)
