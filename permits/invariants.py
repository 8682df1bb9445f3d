"""What must always be true of numbers and permits. Each function yields one sentence for each thing that is not."""

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, cast

from django.db.models import Count, Exists, F, Max, OuterRef, Q
from django.utils import timezone

from opscom.provider.models import Lot
from payments.models import LIVE_REFUNDS, OrderLine, OrderStatus, RefundReason
from permits.models import (
    BUCKET_SIZE,
    LIVE,
    EntryStatus,
    NumberChange,
    Permit,
    PermitStatus,
    PermitVehicle,
    ReplacementCar,
    Slot,
    SlotState,
    TermKind,
    WaitlistBucket,
    WaitlistEntry,
)
from permits.temporary import Stay, most_at_once

STUCK_AFTER = dt.timedelta(hours=3)


def check_permits() -> Iterator[str]:
    """Yield every broken rule of numbers and permits."""
    yield from _live_permits_have_their_number()
    yield from _slots_match_permits()
    yield from _settled_means_active()
    yield from _temporary_permits_fit()
    yield from _renewals_follow_what_they_renew()
    yield from _waitlists_are_counted()
    yield from _changes_are_true()
    yield from _nothing_is_overdue()


def _live_permits_have_their_number() -> Iterator[str]:
    numbered = Permit.objects.filter(status__in=LIVE, slot__isnull=True, is_temporary=False)
    for permit in numbered.exclude(holder_place=None, renews__sale=F("sale")).iterator():
        yield f"Permit {permit.code} is {permit.status} and has no number."
    for permit in Permit.objects.exclude(status__in=LIVE).filter(slot__isnull=False).iterator():
        yield f"Permit {permit.code} is {permit.status} and still has a number."
    live = Permit.objects.filter(status__in=LIVE)
    shared = live.values("number").annotate(times=Count("pk")).filter(times__gt=1).values("number")
    doubles = live.filter(number__in=shared).order_by("number", "valid_from")
    for one, other in pairwise(doubles):
        if one.number != other.number or (other.renews_id == one.pk and other.valid_from >= one.valid_until):
            continue
        if one.sale_id == other.sale_id or other.valid_from < one.valid_until:
            yield f"Number {one.number} is on two live permits: {one.code} and {other.code}."


def _slots_match_permits() -> Iterator[str]:
    held = Slot.objects.filter(state=SlotState.HELD).exclude(permit__status=PermitStatus.RESERVED)
    taken = Slot.objects.filter(state=SlotState.TAKEN).exclude(permit__status=PermitStatus.ACTIVE)
    for slot in [*held, *taken]:
        yield f"Number {slot.number} is {slot.state}, and its permit is not."
    wrong = Slot.objects.filter(permit__isnull=False).exclude(permit__number=F("number"), permit__sale=F("sale"))
    for slot in wrong.iterator():
        yield f"Number {slot.number} is given to a permit of another number or sale."


def _settled_means_active() -> Iterator[str]:
    """Who paid has a permit (active, or since ended), and who has an active permit paid for it."""
    delivered = OrderLine.objects.filter(kind="permit", status="fulfilled")
    lost = Permit.objects.filter(pk__in=delivered.values("object_id")).exclude(
        status__in=[PermitStatus.ACTIVE, PermitStatus.ENDED, PermitStatus.REVOKED]
    )
    for permit in lost.iterator():
        yield f"Permit {permit.code} is paid and delivered, but {permit.status}."
    paid = OrderLine.objects.filter(kind="permit", settled=True)
    unpaid = Permit.objects.filter(status=PermitStatus.ACTIVE).exclude(pk__in=paid.values("object_id"))
    for permit in unpaid.filter(promised_until=None).iterator():
        yield f"Permit {permit.code} is active and nobody paid for it."
    promised = OrderLine.objects.filter(kind="permit", order__status=OrderStatus.PROMISED)
    vouched = Permit.objects.filter(Q(pk__in=promised.values("object_id")) | Q(pk__in=paid.values("object_id")))
    waiting = Permit.objects.filter(status__in=LIVE, promised_until__isnull=False)
    for permit in waiting.exclude(pk__in=vouched.values("pk")).iterator():
        yield f"Permit {permit.code} waits for promised money, and nobody promises it."


def _renewals_follow_what_they_renew() -> Iterator[str]:
    """A renewal begins where the other ends, for the same person; it waits without a number, and only for one that lives."""
    live = Permit.objects.live().filter(renews__isnull=False)
    for permit in live.filter(valid_from__lt=F("renews__valid_until")).iterator():
        yield f"Permit {permit.code} renews one that ends after it has begun."
    waiting = live.filter(holder_place=None)
    for permit in waiting.filter(renews__sale=F("sale"), slot__isnull=False).iterator():
        yield f"Permit {permit.code} waits to renew another, and has a number of its own."
    # What is called off and paid goes back by a task of its own.
    old = timezone.now() - STUCK_AFTER
    lost = waiting.exclude(renews__status__in=LIVE).filter(renews__closed_at__lt=old)
    for permit in lost.iterator():
        yield f"Permit {permit.code} waits to renew one that was over hours ago."
    for permit in waiting.filter(renews__status__in=LIVE).exclude(holder=F("renews__holder")).iterator():
        yield f"Permit {permit.code} waits to renew somebody else's."


def _temporary_permits_fit() -> Iterator[str]:
    """A temporary permit has no number of a sale, and a lot never has more of them at one instant than spaces."""
    for permit in Permit.objects.filter(is_temporary=True, slot__isnull=False).iterator():
        yield f"Temporary permit {permit.code} has a number of a sale."
    temporary = Q(sale__permit_type__term_kind=TermKind.TEMPORARY)
    for permit in Permit.objects.filter(
        Q(is_temporary=True) & ~temporary | Q(is_temporary=False) & temporary
    ).iterator():
        yield f"Permit {permit.code} is not of its type's kind."
    live = Permit.objects.live().filter(is_temporary=True, valid_until__gt=timezone.now())
    for lot in Lot.objects.filter(sales__permits__in=live).distinct():
        times = live.filter(sale__lot=lot).values_list("valid_from", "valid_until")
        rows = list(times)
        stay = Stay(min(start for start, _end in rows), max(end for _start, end in rows))
        # What was sold stays when the office lowers the number later: the most that the lot ever had counts.
        spaces = cast(Any, lot).events.aggregate(most=Max("temporary_spaces"))["most"] or 0
        if (most := most_at_once(rows, stay)) > spaces:
            yield f"Lot {lot.code} has {most} temporary permits at one instant, and never had more than {spaces} spaces."


def _waitlists_are_counted() -> Iterator[str]:
    """The counters say who waits, and who has an offer has a permit that is held, or just was."""
    stretch = F("ticket") / BUCKET_SIZE
    waiting = WaitlistEntry.objects.filter(status=EntryStatus.WAITING).order_by()
    rows = waiting.values("waitlist", "priority", bucket=stretch).annotate(n=Count("pk"))
    real = {(row["waitlist"], row["priority"], row["bucket"]): row["n"] for row in rows}
    counters = WaitlistBucket.objects.values_list("waitlist", "priority", "bucket", "count")
    known = {(waitlist, priority, bucket): count for waitlist, priority, bucket, count in counters}
    for key in sorted(real.keys() | known.keys()):
        if real.get(key, 0) != known.get(key, 0):
            yield f"Waitlist counter {key} says {known.get(key, 0)}, and {real.get(key, 0)} wait."
    old = timezone.now() - STUCK_AFTER
    held = Q(offers__permit__status__in=LIVE) | Q(offers__permit__closed_at__gt=old)
    for entry in WaitlistEntry.objects.filter(status=EntryStatus.OFFERED).exclude(held).iterator():
        yield f"Waitlist entry {entry.code} is offered, and no offer of it is held."


def _changes_are_true() -> Iterator[str]:
    """A replacement stands in for a vehicle of its permit, dead paper is dead, money for ending early went back once."""
    running = ReplacementCar.objects.filter(permit__status__in=LIVE, ends_at__gt=timezone.now())
    on_it = PermitVehicle.objects.filter(permit=OuterRef("permit"), vehicle=OuterRef("stands_in_for"))
    for car in running.filter(~Exists(on_it)).select_related("permit").iterator():
        yield f"A replacement car stands in for a vehicle that is not on permit {car.permit.code}."
    old_codes = NumberChange.objects.values("old_public_code")
    for permit in Permit.objects.filter(public_code__in=old_codes).iterator():
        yield f"Permit {permit.code} has the QR code of paper that is not valid any more."
    live = Q(refunds__reason=RefundReason.ENDED_EARLY, refunds__status__in=LIVE_REFUNDS)
    lines = OrderLine.objects.filter(kind="permit").annotate(times=Count("refunds", filter=live))
    for line in lines.filter(times__gt=1).iterator():
        yield f"Line {line.pk}: its permit ended once, and its money went back {line.times} times."


def _nothing_is_overdue() -> Iterator[str]:
    """The beat lets holds lapse and permits end; what is paid and not yet delivered keeps its number."""
    old = timezone.now() - STUCK_AFTER
    paid = OrderLine.objects.filter(kind="permit", settled=True).values("object_id")
    holds = Permit.objects.filter(status=PermitStatus.RESERVED, held_until__lt=old).exclude(pk__in=paid)
    for permit in holds.iterator():
        yield f"Permit {permit.code}: its hold ran out hours ago, and its number is not free."
    late = Permit.objects.filter(status=PermitStatus.ACTIVE, promised_until__lt=old).exclude(pk__in=paid)
    for permit in late.iterator():
        yield f"Permit {permit.code} is active, and the money promised for it did not come in time."
    for permit in Permit.objects.filter(status=PermitStatus.ACTIVE, valid_until__lt=old).iterator():
        yield f"Permit {permit.code} is active, and its dates are over."
