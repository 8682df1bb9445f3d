"""A number that came free belongs first to those who wait. Only this module makes a number free for sale."""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from opscom.core import audit
from opscom.core.errors import Refused, Stale
from opscom.core.locks import lock_rows
from opscom.core.models import AuditEntry
from opscom.core.transitions import advance
from opscom.provider.selectors import get_provider, local_date
from permits import waitlist_emails
from permits.eligibility import sale_conditions
from permits.models import (
    LIVE,
    SLOT_MOVES,
    EntryStatus,
    Sale,
    Slot,
    SlotState,
    Waitlist,
    WaitlistEntry,
)
from permits.services.lining_up import count_waiting, lock_list
from permits.services.offering import can_take, offer_number, settle_lapsed

log = logging.getLogger(__name__)
# So many are offered in one transaction; the beat goes on with the rest, and nobody waits long for the list's lock.
MOST_AT_ONCE = 100
# Who may not have it now is passed over and keeps the place; after so many the number waits for the next run.
MOST_LOOKED_AT = 1000
PAGE = 20


@transaction.atomic
def promote(sale_id: int) -> int:
    """Under the list's lock, decide about each kept number of the sale's type in its lot; returns how many left the shelf.

    Nobody waits: it is free for sale. Somebody waits: it is offered to the first in line who may have it, or, where the
    office picks, kept until it has. A sale that sells nothing now keeps a number for each who waits.
    """
    return hand_out(lock_list(Sale.objects.get(pk=sale_id)))


def hand_out(waitlist: Waitlist, now: dt.datetime | None = None) -> int:
    """Decide about the kept numbers of a list that the caller has locked: see `promote`."""
    now = now or timezone.now()
    settle_lapsed(waitlist)
    kept = lock_rows(kept_for(waitlist), "slot")
    ready = ready_of(kept, now)
    if get_provider().is_waitlist_managed:
        freed = _free_spare(waitlist, kept)
        _announce(waitlist, [slot for slot in ready if slot.state == SlotState.FOR_LIST])
        return freed
    offered = _offer_in_order(waitlist, ready, now)
    return offered + _free_spare(waitlist, kept)


def kept_for(waitlist: Waitlist) -> QuerySet[Slot]:
    """Return the numbers that are kept for the list, of all its sales."""
    kept = Slot.objects.filter(
        state=SlotState.FOR_LIST, sale__lot=waitlist.lot_id, sale__permit_type=waitlist.permit_type_id
    )
    return kept.select_related("sale__lot", "sale__permit_type")


def ready_of(slots: Iterable[Slot], now: dt.datetime) -> list[Slot]:
    """Return those of the numbers whose sale could sell them now."""
    slots = list(slots)
    sales = {slot.sale_id: slot.sale for slot in slots}
    selling = {pk for pk, sale in sales.items() if sells_now(sale, now)}
    return [slot for slot in slots if slot.sale_id in selling]


def sells_now(sale: Sale, now: dt.datetime) -> bool:
    """Say whether a number of the sale can be offered now: all that must hold before anybody may buy, whoever it is."""
    conditions = sale_conditions(sale, None, now=now, allotted=1, free=1)
    return all(condition.is_met for condition in conditions if condition.code != "user_type")


def _offer_in_order(waitlist: Waitlist, slots: Iterable[Slot], now: dt.datetime) -> int:
    """Offer the numbers down the line: who may not have one may have none of the others, so that the line is walked once.

    From whom the office took this very number back is not asked about it, and is the first to be asked about the next.
    """
    line: Iterator[WaitlistEntry] = _walk(waitlist)
    count = 0
    for slot in list(slots)[:MOST_AT_ONCE]:
        passed: list[WaitlistEntry] = []
        is_taken = False
        for entry in line:
            if _was_withdrawn(entry, slot):
                passed.append(entry)
            elif _takes(entry, slot, now):
                is_taken = True
                break
        line = chain(passed, line)
        count += is_taken
        if not is_taken and not passed:
            break
    return count


def _was_withdrawn(entry: WaitlistEntry, slot: Slot) -> bool:
    """Say whether the office took this very number back from this person."""
    back = entry.offers.filter(withdrawn_at__isnull=False, permit__sale=slot.sale_id, permit__number=slot.number)
    return back.exists()


def _walk(waitlist: Waitlist) -> Iterator[WaitlistEntry]:
    place = Q()
    for _page in range(MOST_LOOKED_AT // PAGE):
        rows = list(waitlist.entries.in_line().filter(place).select_related("person", "waitlist")[:PAGE])
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1]
        place = Q(priority__gt=last.priority) | Q(priority=last.priority, ticket__gt=last.ticket)


def _takes(entry: WaitlistEntry, slot: Slot, now: dt.datetime) -> bool:
    """Offer the number to this person, if they may have it now."""
    decision = can_take(entry, slot.sale, now)
    if isinstance(decision, Refused):
        _note_passed_over(entry, str(decision.reason), now)
        return False
    try:
        offer_number(entry=entry, slot=slot, now=now)
    except Stale:
        return False
    return True


def _free_spare(waitlist: Waitlist, kept: Iterable[Slot]) -> int:
    """Free for sale what no one who waits can need: of each sale, the numbers beyond one for each person in line."""
    waiting = count_waiting(waitlist)
    seen: Counter[int] = Counter()
    count = 0
    for slot in kept:
        if slot.state != SlotState.FOR_LIST:
            continue
        seen[slot.sale_id] += 1
        if seen[slot.sale_id] > waiting:
            advance(slot, SlotState.FREE, table=SLOT_MOVES, field="state")
            count += 1
    return count


def _note_passed_over(entry: WaitlistEntry, reason: str, now: dt.datetime) -> None:
    """Write down, once a day at most, why the first in line was not offered a number: the beat asks each minute."""
    noted = AuditEntry.objects.filter(object_kind=entry._meta.label_lower, object_id=entry.pk)
    if not noted.filter(action="waitlist.passed_over", at__gt=now - dt.timedelta(days=1)).exists():
        audit.record("waitlist.passed_over", entry, reason=reason)


def _announce(waitlist: Waitlist, ready: list[Slot]) -> None:
    """Tell the office once about each number that waits for its pick."""
    known = set(waitlist.announced)
    new = [slot for slot in ready if slot.pk not in known]
    waitlist.announced = [slot.pk for slot in ready]
    Waitlist.objects.filter(pk=waitlist.pk).update(announced=waitlist.announced)
    if new:
        waitlist_emails.numbers_to_pick(waitlist, new)


def promote_everywhere() -> int:
    """Promote every list that has something to decide; one that fails is logged and stops no other."""
    count = 0
    for sale_id in sales_to_promote(timezone.now()):
        try:
            moved = MOST_AT_ONCE
            while moved >= MOST_AT_ONCE:
                moved = promote(sale_id)
                count += moved
        except Exception:
            log.exception("the kept numbers of sale %s could not be promoted", sale_id)
    return count


def sales_to_promote(now: dt.datetime) -> list[int]:
    """Return one sale for each list with a kept number that can be offered or freed now, or an offer that is over."""
    waiting = WaitlistEntry.objects.filter(
        status=EntryStatus.WAITING,
        waitlist__lot=OuterRef("sale__lot"),
        waitlist__permit_type=OuterRef("sale__permit_type"),
    )
    today = local_date(now)
    is_open = Q(sale__opens_at__lte=now) & (Q(sale__closes_at__isnull=True) | Q(sale__closes_at__gt=now))
    is_open &= Q(sale__is_active=True, sale__permit_type__is_active=True, sale__lot__is_visible=True)
    is_open &= Q(sale__valid_until__isnull=True) | Q(sale__valid_until__gt=today)
    kept = Slot.objects.filter(state=SlotState.FOR_LIST).filter(is_open | ~Exists(waiting))
    sales = set(kept.values_list("sale_id", flat=True).distinct())
    for waitlist in lists_to_settle():
        sale = Sale.objects.filter(lot=waitlist.lot_id, permit_type=waitlist.permit_type_id).order_by("pk").first()
        if sale:
            sales.add(sale.pk)
    return sorted(sales)


def lists_to_settle() -> QuerySet[Waitlist]:
    """Return lists with somebody whose offer is over and who was not moved yet."""
    over = WaitlistEntry.objects.filter(status=EntryStatus.OFFERED).exclude(offers__permit__status__in=LIVE)
    return Waitlist.objects.filter(pk__in=over.values("waitlist"))
