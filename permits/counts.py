"""The office's figures by lot and permit type, each with the list that it counts, and how full a lot was day by day."""

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import tablib
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce, Least
from django.urls import reverse
from django.utils.translation import gettext as _

from opscom.provider.models import Lot, Term
from opscom.provider.selectors import start_of_day
from payments.journal import plain
from permits.models import EntryStatus, Permit, PermitStatus, PermitType, Slot, SlotState, Waitlist, WaitlistBucket
from permits.temporary import Stay, most_at_once

IN_USE = [state for state in SlotState.values if state != SlotState.RETIRED]
FIGURES = ("allotted", "held", "active", "temporary", "waiting", "offered")
ONE_DAY = dt.timedelta(days=1)
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the office filtered by; None: all."""

    lot: Lot | None = None
    permit_type: PermitType | None = None
    term: Term | None = None

    def of_sales(self, prefix: str = "sale__") -> Q:
        """Return the condition on rows that have a sale (an empty prefix: on waitlists, which have no term)."""
        wanted = {"lot": self.lot, "permit_type": self.permit_type, **({"term": self.term} if prefix else {})}
        return Q(**{f"{prefix}{name}": value for name, value in wanted.items() if value})


@dataclass(slots=True)
class CountRow:
    """The figures of one type in one lot, as things stand; `links` lead to what each counts."""

    lot: Lot
    permit_type: PermitType
    allotted: int = 0
    held: int = 0
    active: int = 0
    temporary: int = 0
    waiting: int = 0
    offered: int = 0
    links: dict[str, str] = field(default_factory=dict)

    @property
    def cells(self) -> list[tuple[int, str]]:
        """Each figure with its list."""
        return [(getattr(self, name), self.links.get(name, "")) for name in FIGURES]


def count_all(chosen: Chosen, now: dt.datetime) -> list[CountRow]:
    """Return every lot and type that has a figure: one aggregate for each kind of row, whatever there is of them."""
    figures: dict[Pair, dict[str, Any]] = {}
    for rows in (_slots(chosen), _permits(chosen, now), _waiting(chosen), _offered(chosen)):
        for row in rows:
            pair = (row.pop("lot_key"), row.pop("type_key"))
            figures.setdefault(pair, {}).update(row)
    lots = Lot.objects.in_bulk({lot for lot, _kind in figures})
    kinds = PermitType.objects.in_bulk({kind for _lot, kind in figures})
    found = []
    for (lot, kind), values in figures.items():
        lists = values.pop("list_key", None)
        if any(values.values()):
            figure = CountRow(lots[lot], kinds[kind], **values)
            figure.links = make_links(figure, chosen.term, lists, now)
            found.append(figure)
    return sorted(found, key=lambda one: (one.lot.position, one.lot.code, one.permit_type.code))


def _slots(chosen: Chosen) -> Iterable[Any]:
    rows = Slot.objects.filter(chosen.of_sales(), state__in=IN_USE).order_by()
    return rows.values(lot_key=F("sale__lot"), type_key=F("sale__permit_type")).annotate(
        allotted=Count("pk"), held=Count("pk", filter=Q(state=SlotState.HELD))
    )


def _permits(chosen: Chosen, now: dt.datetime) -> Iterable[Any]:
    rows = Permit.objects.filter(chosen.of_sales(), status=PermitStatus.ACTIVE).order_by()
    is_now = Q(is_temporary=True, valid_from__lte=now, valid_until__gt=now)
    return rows.values(lot_key=F("sale__lot"), type_key=F("sale__permit_type")).annotate(
        active=Count("pk"), temporary=Count("pk", filter=is_now)
    )


def _waiting(chosen: Chosen) -> Iterable[Any]:
    # The line's own counters: a list of a million costs what one of ten costs.
    buckets = WaitlistBucket.objects.filter(
        waitlist__in=Waitlist.objects.filter(chosen.of_sales("")).values("pk")
    ).order_by()
    return buckets.values(
        lot_key=F("waitlist__lot"), type_key=F("waitlist__permit_type"), list_key=F("waitlist")
    ).annotate(waiting=Coalesce(Sum("count"), 0))


def _offered(chosen: Chosen) -> Iterable[Any]:
    lists = Waitlist.objects.filter(chosen.of_sales(""), entries__status=EntryStatus.OFFERED).order_by()
    return lists.values(lot_key=F("lot"), type_key=F("permit_type"), list_key=F("pk")).annotate(
        offered=Count("entries")
    )


def make_links(row: CountRow, term: Term | None, list_key: int | None, now: dt.datetime) -> dict[str, str]:
    """Return, for each figure, the list that holds exactly what it counts."""
    place: dict[str, Any] = {
        "sale__lot__id__exact": row.lot.pk,
        "sale__permit_type__id__exact": row.permit_type.pk,
        **({"sale__term__id__exact": term.pk} if term else {}),
    }
    active = {"status__exact": PermitStatus.ACTIVE.value, **place}
    running = {"is_temporary__exact": 1, "valid_from__lte": now.isoformat(), "valid_until__gt": now.isoformat()}
    links = {
        "allotted": _list("slot", {"state__in": ",".join(IN_USE), **place}),
        "held": _list("slot", {"state__exact": SlotState.HELD.value, **place}),
        "active": _list("permit", active),
        "temporary": _list("permit", {**active, **running}),
    }
    if list_key:
        waitlist = {"waitlist__id__exact": list_key}
        links["waiting"] = _list("waitlistentry", waitlist)
        links["offered"] = _list("waitlistentry", {**waitlist, "queue": "offered"})
    return links


def _list(model: str, filters: Mapping[str, Any]) -> str:
    return f"{reverse(f'admin:permits_{model}_changelist')}?{urlencode(filters)}"


def as_table(rows: Iterable[CountRow]) -> tablib.Dataset:
    """Return the figures as a table for CSV or XLSX, in which no cell is a formula."""
    table = tablib.Dataset(headers=[_("Lot"), _("Permit type"), *count_headers()], title=_("Counts")[:31])
    for row in rows:
        table.append([plain(str(row.lot)), plain(str(row.permit_type)), *(count for count, _link in row.cells)])
    return table


def count_headers() -> list[str]:
    """Return the figures' names, in their order."""
    return [_("Allotted"), _("Held"), _("Active"), _("Temporary now"), _("Waiting"), _("Offered")]


@dataclass(frozen=True, slots=True)
class DayCount:
    """The most permits that were, are, or as things stand will be valid at one instant of the day."""

    day: dt.date
    standard: int
    temporary: int


def occupancy(lot: Lot, month: dt.date) -> list[DayCount]:
    """Return each day of the month with the most permits valid at one instant: one query, then counted by overlaps.

    What was ended before its last day counts until then; what was never paid does not count.
    """
    days = calendar.monthrange(month.year, month.month)[1]
    first = month.replace(day=1)
    start, end = start_of_day(first), start_of_day(first + days * ONE_DAY)
    rows = Permit.objects.filter(sale__lot=lot, activated_at__isnull=False, valid_from__lt=end, valid_until__gt=start)
    rows = rows.annotate(until=Least("valid_until", Coalesce("closed_at", "valid_until")))
    spans: dict[bool, list[tuple[dt.datetime, dt.datetime]]] = {False: [], True: []}
    for is_temporary, begins, until in rows.values_list("is_temporary", "valid_from", "until"):
        if begins < until:
            spans[is_temporary].append((begins, until))
    found = []
    for number in range(days):
        day = first + number * ONE_DAY
        stay = Stay(start_of_day(day), start_of_day(day + ONE_DAY))
        found.append(DayCount(day, most_at_once(spans[False], stay), most_at_once(spans[True], stay)))
    return found
