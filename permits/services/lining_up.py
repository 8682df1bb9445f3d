"""Places in line, and the counters of who waits. Everything here runs under the list's lock, in its caller's transaction."""

from typing import Any

from django.db.models import F, Sum
from django.utils import timezone

from opscom.core.locks import lock_row
from opscom.core.transitions import advance
from permits.models import BUCKET_SIZE, ENTRY_MOVES, EntryStatus, Sale, Waitlist, WaitlistBucket, WaitlistEntry

LIST = "list"


def lock_list(sale: Sale) -> Waitlist:
    """Lock the list of the sale's type in its lot; it is made when nobody needed it before."""
    waitlist, _made = Waitlist.objects.get_or_create(lot_id=sale.lot_id, permit_type_id=sale.permit_type_id)
    return relock(waitlist)


def relock(waitlist: Waitlist) -> Waitlist:
    """Lock a list that is known."""
    return lock_row(Waitlist.objects.filter(pk=waitlist.pk), "waitlist", LIST)


def take_ticket(waitlist: Waitlist) -> int:
    """Return the next place of the locked list."""
    ticket = waitlist.next_ticket
    waitlist.next_ticket = ticket + 1
    Waitlist.objects.filter(pk=waitlist.pk).update(next_ticket=ticket + 1)
    return ticket


def count_waiting(waitlist: Waitlist) -> int:
    """Return how many wait in line."""
    return WaitlistBucket.objects.filter(waitlist=waitlist).aggregate(n=Sum("count"))["n"] or 0


def count_in(entry: WaitlistEntry) -> None:
    """Count one more who waits."""
    key = {"waitlist_id": entry.waitlist_id, "priority": entry.priority, "bucket": entry.ticket // BUCKET_SIZE}
    if not WaitlistBucket.objects.filter(**key).update(count=F("count") + 1):
        WaitlistBucket.objects.create(**key, count=1)


def count_out(entry: WaitlistEntry) -> None:
    """Count one less who waits."""
    key = {"waitlist_id": entry.waitlist_id, "priority": entry.priority, "bucket": entry.ticket // BUCKET_SIZE}
    WaitlistBucket.objects.filter(**key).update(count=F("count") - 1)


def leave_line(entry: WaitlistEntry, to: EntryStatus) -> None:
    """Move a waiting entry to an offer, or off the list."""
    advance(entry, to, table=ENTRY_MOVES, closed_at=None if to == EntryStatus.OFFERED else timezone.now())
    count_out(entry)


def go_to_the_end(waitlist: Waitlist, entry: WaitlistEntry, **changes: Any) -> None:
    """Put an entry whose offer came to nothing behind everybody of its class."""
    advance(entry, EntryStatus.WAITING, table=ENTRY_MOVES, ticket=take_ticket(waitlist), **changes)
    count_in(entry)


def return_to_place(entry: WaitlistEntry) -> None:
    """Put an entry whose offer was taken back where it stood before."""
    advance(entry, EntryStatus.WAITING, table=ENTRY_MOVES)
    count_in(entry)


def close_entry(entry: WaitlistEntry, to: EntryStatus, **changes: Any) -> None:
    """Take an entry with an offer off the list: it was served, or is over."""
    advance(entry, to, table=ENTRY_MOVES, closed_at=timezone.now(), **changes)
