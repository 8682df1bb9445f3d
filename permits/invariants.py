"""What must always be true of numbers and permits. Each function yields one sentence for each thing that is not."""

from collections.abc import Iterator

from django.db.models import Count, F

from payments.models import OrderLine
from permits.models import LIVE, Permit, PermitStatus, Slot, SlotState


def check_permits() -> Iterator[str]:
    """Yield every broken rule of numbers and permits."""
    yield from _live_permits_have_their_number()
    yield from _slots_match_permits()
    yield from _settled_means_active()


def _live_permits_have_their_number() -> Iterator[str]:
    for permit in Permit.objects.filter(status__in=LIVE, slot__isnull=True).iterator():
        yield f"Permit {permit.code} is {permit.status} and has no number."
    for permit in Permit.objects.exclude(status__in=LIVE).filter(slot__isnull=False).iterator():
        yield f"Permit {permit.code} is {permit.status} and still has a number."
    doubles = (
        Permit.objects.filter(status__in=LIVE).values("sale", "number").annotate(times=Count("pk")).filter(times__gt=1)
    )
    for row in doubles:
        yield f"Number {row['number']} of sale {row['sale']} is on {row['times']} live permits."


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
    for permit in Permit.objects.filter(status=PermitStatus.ACTIVE).exclude(pk__in=paid.values("object_id")).iterator():
        yield f"Permit {permit.code} is active and nobody paid for it."
