"""What the office does to a waitlist: pick whom to offer a number to, take somebody off, change a class."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.locks import lock_rows
from permits import waitlist_emails
from permits.models import EntryStatus, Slot, SlotState, Waitlist, WaitlistEntry, WaitlistOffer
from permits.services.lining_up import count_in, count_out, leave_line, relock
from permits.services.offering import can_take, offer_number, settle_lapsed
from permits.services.promoting import kept_for, ready_of


def kept_slots(waitlist: Waitlist) -> list[Slot]:
    """Return the numbers that are kept for the list and can be offered now."""
    return ready_of(kept_for(waitlist).order_by("sale", "number"), timezone.now())


def is_next(entry: WaitlistEntry) -> bool:
    """Say whether the entry is the first in line."""
    first = entry.waitlist.entries.in_line().first()
    return first is not None and first.pk == entry.pk


@transaction.atomic
def pick(*, entry: WaitlistEntry, reason: str, actor: User) -> WaitlistOffer:
    """Offer a kept number to this person; who is not the first in line needs a reason, which is kept.

    Raises NotAllowed without a number, when the person may not have it now (with the rule), or without the reason.
    """
    waitlist = relock(entry.waitlist)
    settle_lapsed(waitlist)
    entry.refresh_from_db()
    if entry.status != EntryStatus.WAITING:
        raise NotAllowed(_("This person does not wait in line any more."))
    reason = reason.strip()
    if not is_next(entry) and not reason:
        raise NotAllowed(_("This person is not the first in line: please write down why they are picked."))
    chosen = [slot.pk for slot in kept_slots(waitlist)][:1]
    slots = lock_rows(Slot.objects.filter(pk__in=chosen, state=SlotState.FOR_LIST).select_related("sale__lot"), "slot")
    if not slots:
        raise NotAllowed(_("No number is kept for this list now."))
    now = timezone.now()
    can_take(entry, slots[0].sale, now).or_raise()
    return offer_number(entry=entry, slot=slots[0], now=now, offered_by=actor, skip_reason=reason)


@transaction.atomic
def take_off(*, entry: WaitlistEntry, reason: str, actor: User) -> None:
    """Take a waiting person off the list; they are told why. Raises NotAllowed for who does not wait."""
    relock(entry.waitlist)
    entry.refresh_from_db()
    if entry.status != EntryStatus.WAITING:
        raise NotAllowed(_("This person does not wait in line any more. An offer is withdrawn first."))
    leave_line(entry, EntryStatus.REMOVED)
    audit.record("waitlist.removed", entry, actor=actor, on_behalf_of=entry.person, reason=reason)
    waitlist_emails.removed(entry, reason)


@transaction.atomic
def change_class(*, entry: WaitlistEntry, priority: int, reason: str, actor: User) -> None:
    """Put a waiting person into another class, at the place that their joining gives them there."""
    relock(entry.waitlist)
    entry.refresh_from_db()
    if entry.status != EntryStatus.WAITING:
        raise NotAllowed(_("This person does not wait in line any more."))
    before = entry.priority
    count_out(entry)
    WaitlistEntry.objects.filter(pk=entry.pk).update(priority=priority)
    entry.priority = priority
    count_in(entry)
    audit.record("waitlist.class_changed", entry, actor=actor, before=before, now=priority, reason=reason)
