"""The office gives numbers to a sale: here, and only here, a lot's capacity is checked."""

import random
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.locks import lock_row, lock_rows
from opscom.core.transitions import advance
from opscom.provider.models import Lot
from opscom.provider.selectors import get_provider
from permits.models import SLOT_MOVES, Sale, Slot, SlotState
from permits.services.lining_up import lock_list
from permits.services.promoting import hand_out

MOST_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class NumberRange:
    """prefix + first..last, filled with zeros to `width` digits: NG-, 1, 120, 3 gives NG-001 to NG-120."""

    prefix: str
    first: int
    last: int
    width: int = 3

    def numbers(self) -> list[str]:
        """Return every number of the range, as it stands on permits."""
        return [f"{self.prefix}{number:0{self.width}d}" for number in range(self.first, self.last + 1)]


def lot_capacity(lot: Lot) -> int:
    """Return how many numbers may be for sale at one time: the stalls, and the provider's percentage beyond them."""
    return lot.stalls * (100 + get_provider().oversell_percent) // 100


@transaction.atomic
def allot_numbers(*, sale: Sale, numbers: NumberRange, actor: User) -> int:
    """Add the range to the sale, as numbers kept for the list first; returns how many were added.

    Raises NotAllowed when the lot would exceed its capacity in the sale's dates, when a number is in use in a sale whose
    dates overlap, or when the range makes no sense.
    """
    wanted = numbers.numbers()
    if not 0 < len(wanted) <= MOST_AT_ONCE:
        raise NotAllowed(_("The range must hold between 1 and %(most)d numbers.") % {"most": MOST_AT_ONCE})
    waitlist = lock_list(sale)
    # All of them: two sales of two lots must not be given one number at once.
    lock_rows(Sale.objects.filter(pk__in={sale.pk, *overlapping_sales(sale)}), "waitlist", "sale")
    lot = lock_row(Lot.objects.filter(pk=sale.lot_id), "product", "lot")
    others = Slot.objects.filter(sale__in=overlapping_sales(sale)).exclude(state=SlotState.RETIRED)
    room = lot_capacity(lot) - others.filter(sale__lot=lot).count()
    if len(wanted) > room:
        raise NotAllowed(
            _("%(lot)s has room for %(room)d more permit numbers in these dates (stalls and oversell percentage).")
            % {"lot": lot, "room": max(room, 0)}
        )
    used = others.filter(number__in=wanted).values_list("number", flat=True).first()
    if used or Slot.objects.filter(sale=sale, number__in=wanted).exists():
        raise NotAllowed(_("Number %(number)s is already in use in these dates.") % {"number": used or wanted[0]})
    Slot.objects.bulk_create(
        [
            Slot(sale=sale, number=number, state=SlotState.FOR_LIST, shuffle=random.random())  # noqa: S311
            for number in wanted
        ],
        batch_size=2000,
    )
    audit.record("sale.numbers_allotted", sale, actor=actor, first=wanted[0], last=wanted[-1], count=len(wanted))
    hand_out(waitlist)
    return len(wanted)


def overlapping_sales(sale: Sale) -> list[int]:
    """Return the ids of sales (this one too) whose permits may be valid on a day on which this one's are."""
    overlap = Q()
    if sale.valid_until:
        overlap &= Q(valid_from__isnull=True) | Q(valid_from__lt=sale.valid_until)
    if sale.valid_from:
        overlap &= Q(valid_until__isnull=True) | Q(valid_until__gt=sale.valid_from)
    return list(Sale.objects.filter(overlap).values_list("pk", flat=True))


@transaction.atomic
def retire_numbers(*, slots: list[Slot], actor: User) -> int:
    """Take free or kept numbers out of use; numbers that somebody holds stay. Returns how many were retired."""
    idle = Slot.objects.filter(pk__in=[slot.pk for slot in slots], state__in=[SlotState.FREE, SlotState.FOR_LIST])
    rows = lock_rows(idle, "slot")
    for slot in rows:
        advance(slot, SlotState.RETIRED, table=SLOT_MOVES, field="state")
        audit.record("slot.retired", slot, actor=actor)
    return len(rows)
