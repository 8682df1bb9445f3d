"""Which closures touch a time, what they take from a lot, and how they are worded: the one place that reads them."""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opscom.provider.models import Lot
from opscom.provider.templatetags.portal import local_datetime
from permits.models import Closure, Permit

# How early the portal speaks of a closure that is to come.
SHOWN_AHEAD = dt.timedelta(days=30)


def closures_at(at: dt.datetime) -> list[Closure]:
    """Return what is closed at that instant, in all lots, with the lots that are valid instead: two queries at most."""
    return closures_touching(None, at, at + dt.timedelta(microseconds=1))


def closures_touching(lot: Lot | None, start: dt.datetime, end: dt.datetime) -> list[Closure]:
    """Return what is closed at some instant of [start, end) in the lot (None: in all lots), the earliest first."""
    rows = Closure.objects.touching(start, end).select_related("lot").prefetch_related("other_lots")
    rows = rows.filter(lot=lot) if lot else rows
    return list(rows.order_by("starts_at", "pk"))


def coming_closures(now: dt.datetime) -> list[Closure]:
    """Return what is closed now or within a month, in all lots: what pages show."""
    return closures_touching(None, now, now + SHOWN_AHEAD)


def spaces_lost(lot: Lot, start: dt.datetime, end: dt.datetime) -> list[tuple[dt.datetime, dt.datetime, int]]:
    """Return (from, until, spaces) of each closure of the lot in [start, end): a whole lot loses all temporary spaces."""
    return [
        (one.starts_at, one.ends_at, lot.temporary_spaces if one.spaces is None else one.spaces)
        for one in Closure.objects.touching(start, end).filter(lot=lot).order_by("starts_at", "pk")
    ]


def closed_wholly(closures: Iterable[Closure], lot_id: int, at: dt.datetime) -> Closure | None:
    """Return the closure of the whole lot that holds at that instant; of several, the one that ends last."""
    holding = [one for one in closures if one.lot_id == lot_id and one.is_whole and one.covers(at)]
    return max(holding, key=lambda one: one.ends_at, default=None)


def other_places(closure: Closure) -> str:
    """Name the lots that are valid instead; empty when there are none."""
    return ", ".join(str(lot) for lot in closure.other_lots.all())


def describe_closed(closure: Closure) -> str:
    """Say until when the lot is closed, and where its permits are valid meanwhile: what the officer reads."""
    words = {"moment": local_datetime(closure.ends_at), "lots": other_places(closure)}
    if words["lots"]:
        return _("Closed until %(moment)s; valid in %(lots)s meanwhile") % words
    return _("Closed until %(moment)s") % words


def describe_closure(closure: Closure) -> str:
    """Say what of the lot is closed from when until when, and where its permits are valid meanwhile, in one line."""
    return " · ".join(filter(None, [describe_times(closure), describe_elsewhere(closure)]))


def describe_times(closure: Closure) -> str:
    """Say what of the lot is closed from when until when."""
    words = {
        "lot": closure.lot,
        "start": local_datetime(closure.starts_at),
        "end": local_datetime(closure.ends_at),
        "spaces": closure.spaces,
    }
    if closure.spaces is None:
        return _("%(lot)s is closed from %(start)s until %(end)s") % words
    return (
        ngettext(
            "%(spaces)d space of %(lot)s is closed from %(start)s until %(end)s",
            "%(spaces)d spaces of %(lot)s are closed from %(start)s until %(end)s",
            closure.spaces,
        )
        % words
    )


def describe_elsewhere(closure: Closure) -> str:
    """Say where the lot's permits are valid meanwhile; empty when nowhere else."""
    lots = other_places(closure)
    return _("Meanwhile permits of this lot are valid in %(lots)s") % {"lots": lots} if lots else ""


def closures_for(permit: Permit, now: dt.datetime) -> list[Closure]:
    """Return the closures of the permit's own lot, now or to come, that fall into its time."""
    if permit.valid_until <= now:
        return []
    end = min(permit.valid_until, max(now, permit.valid_from) + SHOWN_AHEAD)
    return closures_touching(permit.lot, max(now, permit.valid_from), end)


def concerns(closure: Closure, permit: Permit) -> bool:
    """Say whether the closure of the permit's own lot falls into its time."""
    is_in_time = closure.starts_at < permit.valid_until and permit.valid_from < closure.ends_at
    return closure.lot_id == permit.sale.lot_id and is_in_time


def of_lot(closures: Sequence[Closure], lot_id: int) -> list[Closure]:
    """Keep those of one lot."""
    return [one for one in closures if one.lot_id == lot_id]
