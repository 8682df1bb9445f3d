"""Where people stand on waitlists, and how long that may take. Reads only.

One rule decides the order: class, then place, which is the order of joining. A position is a sum over counters of whole
stretches of places and a count inside one stretch, so that it costs the same in a list of a thousand and of a million.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from permits.models import (
    BUCKET_SIZE,
    EntryStatus,
    Permit,
    PermitStatus,
    Sale,
    Waitlist,
    WaitlistBucket,
    WaitlistEntry,
    WaitlistOffer,
)

# Fewer offers than these in a year say nothing about the next one.
ENOUGH_OFFERS = 5
ONE_YEAR = dt.timedelta(days=365)
# A lot and a permit type.
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """A place in line: `position` counts from 1, `waiting` is everybody in line; `days` None: not enough history."""

    position: int
    waiting: int
    days: int | None

    @property
    def wait_in_words(self) -> str:
        """How long it may take, in words; or that nobody can say."""
        return describe_wait(self.days)


def with_position(entries: QuerySet[WaitlistEntry]) -> QuerySet[Any]:
    """Add `before` to each entry: how many wait before its place; one query for all of them."""
    bucket = OuterRef("ticket") / BUCKET_SIZE
    ahead = Q(priority__lt=OuterRef("priority")) | Q(priority=OuterRef("priority"), bucket__lt=bucket)
    whole = WaitlistBucket.objects.filter(ahead, waitlist=OuterRef("waitlist")).order_by().values("waitlist")
    same = WaitlistEntry.objects.filter(
        waitlist=OuterRef("waitlist"),
        status=EntryStatus.WAITING,
        priority=OuterRef("priority"),
        ticket__gte=bucket * BUCKET_SIZE,
        ticket__lt=OuterRef("ticket"),
    )
    same_count = same.order_by().values("waitlist").annotate(n=Count("pk")).values("n")
    return entries.annotate(
        before=Coalesce(Subquery(whole.annotate(n=Sum("count")).values("n")), 0) + Coalesce(Subquery(same_count), 0)
    )


def open_offers(person: User) -> list[Permit]:
    """Return what is held for the person from waitlists and neither paid nor promised, the nearest deadline first."""
    permits = Permit.objects.visible_to(person).filter(
        offer__isnull=False, status=PermitStatus.RESERVED, promised_until=None, held_until__gt=timezone.now()
    )
    return list(permits.select_related("sale__lot").order_by("held_until", "pk"))


def is_waited_for(sale: Sale) -> bool:
    """Say whether somebody waits in line for a permit of the sale's type in its lot."""
    return (
        WaitlistEntry.objects.in_line()
        .filter(waitlist__lot=sale.lot_id, waitlist__permit_type=sale.permit_type_id)
        .exists()
    )


def standings_if_joining(pairs: Collection[Pair], *, priority: int, now: dt.datetime) -> dict[Pair, Standing]:
    """Return where somebody of this class would stand on each of these lists; one query. Nobody ever joined: the first."""
    lists = _with_counts(Waitlist.objects.filter(lot__in={lot for lot, _kind in pairs}), now)
    lists = lists.annotate(before=Coalesce(Sum("buckets__count", filter=Q(buckets__priority__lte=priority)), 0))
    found = {
        (row.lot_id, row.permit_type_id): Standing(
            row.before + 1, row.waiting, expected_days(row.before + 1, row.offers)
        )
        for row in lists
    }
    return {pair: found.get(pair, Standing(1, 0, None)) for pair in pairs}


def standings_of(entries: QuerySet[WaitlistEntry], now: dt.datetime) -> dict[int, Standing]:
    """Return where each of these waiting entries stands, by its row; two queries."""
    rows = list(with_position(entries.filter(status=EntryStatus.WAITING)))
    lists = {
        row.pk: row for row in _with_counts(Waitlist.objects.filter(pk__in={row.waitlist_id for row in rows}), now)
    }
    standings = {}
    for row in rows:
        position, counts = row.before + 1, lists[row.waitlist_id]
        standings[row.pk] = Standing(position, counts.waiting, expected_days(position, counts.offers))
    return standings


def _with_counts(lists: QuerySet[Waitlist], now: dt.datetime) -> QuerySet[Any]:
    offers = WaitlistOffer.objects.filter(entry__waitlist=OuterRef("pk"), offered_at__gt=now - ONE_YEAR)
    a_year = offers.order_by().values("entry__waitlist").annotate(n=Count("pk")).values("n")
    return lists.annotate(waiting=Coalesce(Sum("buckets__count"), 0), offers=Coalesce(Subquery(a_year), 0))


def expected_days(position: int, offers: int) -> int | None:
    """Return in how many days this position may be offered a permit, at the pace of a year's offers; None: too few."""
    return -(-position * 365 // offers) if offers >= ENOUGH_OFFERS else None


def describe_wait(days: int | None) -> str:
    """Return a length of time in rounded words of the active language."""
    if days is None:
        return _("not enough history")
    if days < 14:
        return ngettext("about %(count)d day", "about %(count)d days", days) % {"count": days}
    if days < 60:
        weeks = round(days / 7)
        return ngettext("about %(count)d week", "about %(count)d weeks", weeks) % {"count": weeks}
    if days < 730:
        months = round(days / 30.4)
        return ngettext("about %(count)d month", "about %(count)d months", months) % {"count": months}
    years = round(days / 365)
    return ngettext("about %(count)d year", "about %(count)d years", years) % {"count": years}
