"""Claiming one of a sale's numbers: two index probes from a random place, never a queue on one row.

After a lock-free look whether any is free, a buyer takes the first unlocked free number at or after a random point, then
before it. Nothing found while a free one is visible means that others hold those rows' locks at this moment; the last
slot's claimer may still roll back, so the answer is then "busy", never "sold out".
"""

import random
import time

from opscom.core.errors import Busy
from opscom.core.locks import note_lock
from permits.models import Sale, Slot, SlotState

TRIES = 3
PAUSE_SECONDS = 0.05


def claim_slot(sale: Sale) -> Slot | None:
    """Lock one free slot of the sale and return it, still free, for the caller to take; None when sold out.

    Raises Busy when free slots are visible but all locked, three times in a row.
    """
    note_lock("slot")
    free = Slot.objects.filter(sale=sale, state=SlotState.FREE)
    for turn in range(TRIES):
        if not free.exists():
            return None
        start = random.random()  # noqa: S311 - spreads buyers over the rows, guards nothing
        for part in (free.filter(shuffle__gte=start), free.filter(shuffle__lt=start)):
            slot = part.order_by("shuffle").select_for_update(skip_locked=True, no_key=True).first()
            if slot is not None:
                return slot
        time.sleep(PAUSE_SECONDS * (turn + 1))
    raise Busy


def claim_number(sale: Sale, number: str) -> Slot | None:
    """Lock the slot of this very number if it is free and nobody is taking it; for money that comes late."""
    note_lock("slot")
    wanted = Slot.objects.filter(sale=sale, number=number, state=SlotState.FREE)
    return wanted.select_for_update(skip_locked=True, no_key=True).first()
