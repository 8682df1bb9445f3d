"""One order of locks everywhere, so that no two transactions can wait for each other in a circle.

The order is: person, waitlist, order, payment, products by (kind, pk), slot. Rows are locked FOR NO KEY UPDATE: a plain FOR
UPDATE on a row that others reference blocks the inserts that reference it, too.
"""

from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, models, transaction

M = TypeVar("M", bound=models.Model)
RANKS = {"person": 5, "waitlist": 10, "order": 20, "payment": 30, "product": 40, "slot": 50}


class LockOrderError(AssertionError):
    """A lock was asked for after one that stands later in the order: a deadlock waiting to happen."""


def lock_rows(queryset: models.QuerySet[M], rank: str, key: str = "") -> list[M]:
    """Lock the rows, sorted by pk, until the transaction ends, and return them as the database has them now.

    `key` orders locks of one rank (a product's kind). Raises LockOrderError in tests when the order is broken.
    """
    note_lock(rank, key)
    return list(queryset.select_for_update(no_key=True, of=("self",)).order_by("pk"))


def lock_row(queryset: models.QuerySet[M], rank: str, key: str = "") -> M:
    """Lock exactly one row; raises the model's DoesNotExist when there is none."""
    note_lock(rank, key)
    return queryset.select_for_update(no_key=True, of=("self",)).get()


def note_lock(rank: str, key: str = "") -> None:
    """Remember that a lock of this rank is taken in this transaction; `lock_rows` and `lock_row` call it themselves."""
    if not settings.LOCK_ORDER_CHECKED or getattr(connection.atomic_blocks[0], "_from_testcase", False):
        return
    place = (RANKS[rank], key)
    held = _held_places()
    if held and max(held) > place:
        raise LockOrderError(f"{rank} {key} is locked after {max(held)}; the order is {', '.join(RANKS)}.")

    def marker() -> None:
        """Do nothing at commit: while this hook is still registered, the lock is still held."""

    marker.lock_place = place  # type: ignore[attr-defined]
    transaction.on_commit(marker)


def _held_places() -> list[tuple[int, str]]:
    # Hooks vanish when their savepoint rolls back, exactly as PostgreSQL lets the locks go.
    hooks: list[Any] = [entry[1] for entry in connection.run_on_commit]
    return [hook.lock_place for hook in hooks if hasattr(hook, "lock_place")]
