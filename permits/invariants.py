"""What must always be true of numbers and permits. Each function yields one sentence for each thing that is not."""

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise

from django.db.models import Count, F, Q
from django.utils import timezone

from payments.models import OrderLine, OrderStatus
from permits.models import LIVE, Permit, PermitStatus, Slot, SlotState

STUCK_AFTER = dt.timedelta(hours=3)


def check_permits() -> Iterator[str]:
    """Yield every broken rule of numbers and permits."""
    yield from _live_permits_have_their_number()
    yield from _slots_match_permits()
    yield from _settled_means_active()
    yield from _nothing_is_overdue()


def _live_permits_have_their_number() -> Iterator[str]:
    for permit in Permit.objects.filter(status__in=LIVE, slot__isnull=True).iterator():
        yield f"Permit {permit.code} is {permit.status} and has no number."
    for permit in Permit.objects.exclude(status__in=LIVE).filter(slot__isnull=False).iterator():
        yield f"Permit {permit.code} is {permit.status} and still has a number."
    live = Permit.objects.filter(status__in=LIVE)
    shared = live.values("number").annotate(times=Count("pk")).filter(times__gt=1).values("number")
    doubles = live.filter(number__in=shared).order_by("number", "valid_from")
    for one, other in pairwise(doubles):
        if one.number == other.number and (one.sale_id == other.sale_id or other.valid_from < one.valid_until):
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
