"""A number that came free belongs first to those who wait. Only this module makes a number free for sale."""

import logging

from django.db import transaction

from opscom.core.locks import lock_row, lock_rows
from opscom.core.transitions import advance
from permits.models import SLOT_MOVES, Sale, Slot, SlotState

log = logging.getLogger(__name__)


@transaction.atomic
def promote(sale_id: int) -> int:
    """Under the list's lock, turn each kept number of the sale into a free one; returns how many.

    Nobody can wait yet, so every kept number becomes free.
    """
    return free_kept_numbers(lock_row(Sale.objects.filter(pk=sale_id), "waitlist"))


def free_kept_numbers(sale: Sale) -> int:
    """Free the kept numbers of a sale whose list the caller has locked; returns how many."""
    kept = lock_rows(Slot.objects.filter(sale=sale, state=SlotState.FOR_LIST), "slot")
    for slot in kept:
        advance(slot, SlotState.FREE, table=SLOT_MOVES, field="state")
    return len(kept)


def promote_soon(sale_id: int) -> None:
    """Promote right after the commit that freed a number; when this fails, the beat task does it."""
    promote(sale_id)


def promote_everywhere() -> int:
    """Promote in every sale that still has kept numbers; one that fails is logged and stops no other."""
    sales = Slot.objects.filter(state=SlotState.FOR_LIST).values_list("sale_id", flat=True).distinct()
    count = 0
    for sale_id in list(sales.order_by("sale_id")):
        try:
            count += promote(sale_id)
        except Exception:
            log.exception("the kept numbers of sale %s could not be promoted", sale_id)
    return count
