"""One person's history: newest first, from all parts, one page at a time whatever its length.

Each table is asked for one page and one row, before or after a place in the whole, and the answers are merged. The
place is (instant, table, row), so that rows of one instant keep their order from page to page.
"""

import calendar
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.person_parts import Feed, Happening, HistoryKind, all_parts
from opscom.core.models import AuditEntry
from opscom.provider.selectors import get_provider, local_date, start_of_day

PAGE = 25
# A provider may show two thousand years of history; the calendar has fewer.
FIRST_YEAR = 1970


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a row stands: rows are sorted by it, the greatest first."""

    at: dt.datetime
    source: str
    pk: int

    def __str__(self) -> str:
        return f"{self.at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%f}~{self.source}~{self.pk}"


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row as pages show it. `by`: who did it, when that was not the person; `record`: (table, pk), for the office."""

    at: dt.datetime
    kind: HistoryKind
    happening: Happening
    by: str
    record: tuple[str, int]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Rows, and the places from which the pages beside this one begin; empty where there is none."""

    rows: Sequence[HistoryRow]
    older: str = ""
    newer: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """What of the history is wanted: [since, until), one kind, older than one place or newer than another."""

    kind: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    before: Place | None = None
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A row with its feed and its place."""

    place: Place
    feed: Feed
    row: Any


def read_place(text: str) -> Place | None:
    """Return the place that `str(place)` wrote; None for anything else."""
    try:
        at, source, pk = text.split("~")
        return Place(dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC), source, int(pk[:18]))
    except (ValueError, OverflowError):
        return None


def first_instant() -> dt.datetime:
    """Return the instant from which on people see their history, by the provider's setting."""
    today, months = local_date(), get_provider().history_months
    year, month0 = divmod(today.year * 12 + today.month - 1 - months, 12)
    if year < FIRST_YEAR:
        return start_of_day(dt.date(FIRST_YEAR, 1, 1))
    return start_of_day(dt.date(year, month0 + 1, min(today.day, calendar.monthrange(year, month0 + 1)[1])))


def history_kinds(person: User) -> list[HistoryKind]:
    """Return what this installation's histories tell of, each once."""
    return list(dict.fromkeys(feed.kind for feed in _feeds(person, [])))


def read_history(person: User, window: Window) -> HistoryPage:
    """Return one page of the person's history: as many queries for 5,000 rows as for one."""
    ids = [person.pk, *person.merged.values_list("pk", flat=True)]
    feeds = [feed for feed in _feeds(person, ids) if window.kind in ("", feed.kind.code)]
    found = _merge(feeds, window)
    is_more = len(found) > PAGE
    found = found[:PAGE]
    if window.after:
        if not is_more:
            # Fewer than a page are newer: then this is the first page, whole.
            return read_history(person, Window(window.kind, window.since, window.until))
        found.reverse()
    older = str(found[-1].place) if found and (window.after or is_more) else ""
    newer = str(found[0].place) if found and (window.after or window.before) else ""
    return HistoryPage(_describe(found, ids), older, newer)


def _feeds(person: User, ids: Sequence[int]) -> list[Feed]:
    # Upper floors first: what a permit tells of itself goes before what `accounts` tells of every deed done for somebody.
    return [feed for part in reversed(all_parts()) for feed in part.feeds(person, ids)]


def _merge(feeds: Iterable[Feed], window: Window) -> list[Found]:
    """Return the page's rows and one more, each row once: the first feed that has it describes it."""
    found: dict[Place, Found] = {}
    for feed in feeds:
        for row in _slice(feed, window):
            place = Place(getattr(row, feed.at), feed.source, row.pk)
            found.setdefault(place, Found(place, feed, row))
    ordered = sorted(found, reverse=window.after is None)
    return [found[place] for place in ordered[: PAGE + 1]]


def _slice(feed: Feed, window: Window) -> Iterable[Any]:
    limits = Q()
    if window.since:
        limits &= Q(**{f"{feed.at}__gte": window.since})
    if window.until:
        limits &= Q(**{f"{feed.at}__lt": window.until})
    if window.before:
        limits &= _beyond(feed, window.before, "lt")
    if window.after:
        limits &= _beyond(feed, window.after, "gt")
    sign = "" if window.after else "-"
    return feed.rows.filter(limits).order_by(f"{sign}{feed.at}", f"{sign}pk")[: PAGE + 1]


def _beyond(feed: Feed, place: Place, side: str) -> Q:
    """Return the rows on one side of the place: `lt` are the older ones, `gt` the newer."""
    beyond = Q(**{f"{feed.at}__{side}": place.at})
    if feed.source == place.source:
        return beyond | Q(**{feed.at: place.at, f"pk__{side}": place.pk})
    is_on_side = feed.source < place.source if side == "lt" else feed.source > place.source
    return beyond | Q(**{feed.at: place.at}) if is_on_side else beyond


def _describe(found: Sequence[Found], ids: Sequence[int]) -> list[HistoryRow]:
    words: dict[Place, Happening] = {}
    for feed in {id(one.feed): one.feed for one in found}.values():
        mine = [one for one in found if one.feed is feed]
        happenings = feed.describe([one.row for one in mine])
        words |= {one.place: happening for one, happening in zip(mine, happenings, strict=True)}
    return [
        HistoryRow(one.place.at, one.feed.kind, words[one.place], _who(one.row, ids), _record(one.row)) for one in found
    ]


def _who(row: Any, ids: Sequence[int]) -> str:
    """Return who did it, when it was not the person; who acted for the person is named, the office's own deeds are not."""
    if not isinstance(row, AuditEntry) or row.actor is None or row.actor_id in ids:
        return ""
    if row.on_behalf_of_id in ids:
        return row.actor_label
    return _("the parking office") if row.actor.is_staff else _("somebody else")


def _record(row: Any) -> tuple[str, int]:
    if isinstance(row, AuditEntry):
        return row.object_kind, row.object_id
    return row._meta.label_lower, row.pk
