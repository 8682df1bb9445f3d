"""What a lot's card shows of its waitlists: where one would stand, where one stands, what was offered."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from accounts.models import User, UserType
from opscom.core.errors import Decision, Refused
from opscom.provider.selectors import get_provider
from permits.models import EntryStatus, Permit, Sale, WaitlistEntry
from permits.services.waiting import PLAIN_PRIORITY, JoinFacts, can_join, has_waitlist
from permits.waitlists import Standing, standings_if_joining, standings_of

# Refusals for which there is no list to show.
HIDDEN = {"no_list", "not_full", "not_closed", "holder"}


@dataclass(frozen=True, slots=True)
class WaitlistRow:
    """The waitlist of one sale's type in its lot, for one person. `standing` is None when the provider shows no ranks."""

    entry: WaitlistEntry | None
    standing: Standing | None
    decision: Decision

    @property
    def offered(self) -> Permit | None:
        """The permit that is held for them now."""
        if self.entry is None or self.entry.status != EntryStatus.OFFERED:
            return None
        offers = sorted(self.entry.offers.all(), key=lambda offer: offer.pk)
        return offers[-1].permit if offers else None


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What is known of the person who looks: whether they may buy, their user type, their live permits."""

    buying: Decision
    user_type: UserType | None
    live: Sequence[Permit]


class Counted(Protocol):
    """A sale's numbers."""

    @property
    def allotted(self) -> int: ...

    @property
    def free(self) -> int: ...


def waitlist_rows(
    person: User, counted: Sequence[tuple[Sale, Counted]], known: PersonFacts, *, now: dt.datetime
) -> dict[int, WaitlistRow]:
    """Return the row of each sale whose waitlist concerns the person, by the sale: a fixed number of queries.

    Two sales of one type in one lot share the list: it stands at the first.
    """
    counts = {sale.pk: count for sale, count in counted}
    sales = [sale for sale, _count in counted if has_waitlist(sale)]
    if not sales:
        return {}
    pairs = {(sale.lot_id, sale.permit_type_id) for sale in sales}
    entries = WaitlistEntry.objects.on_list().filter(person=person)
    mine = {
        (entry.waitlist.lot_id, entry.waitlist.permit_type_id): entry
        for entry in entries.select_related("waitlist").prefetch_related("offers__permit")
    }
    is_shown = get_provider().is_waitlist_rank_shown
    priority = known.user_type.waitlist_priority if known.user_type else PLAIN_PRIORITY
    joining = standings_if_joining(pairs, priority=priority, now=now) if is_shown else {}
    standing = standings_of(entries, now) if is_shown and mine else {}
    rows: dict[int, WaitlistRow] = {}
    for sale in sales:
        pair = (sale.lot_id, sale.permit_type_id)
        if pair not in pairs:
            continue
        entry, count = mine.get(pair), counts[sale.pk]
        facts = JoinFacts(known.buying, known.user_type, known.live, count.allotted, count.free, entry is not None)
        decision = can_join(person=person, sale=sale, facts=facts, now=now)
        if entry is None and isinstance(decision, Refused) and decision.code in HIDDEN:
            continue
        place = standing.get(entry.pk) if entry else joining.get(pair)
        rows[sale.pk] = WaitlistRow(entry, place, decision)
        pairs.discard(pair)
    return rows
