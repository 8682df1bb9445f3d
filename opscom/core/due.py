"""Timed work in a worker: one due row after the other, each in a transaction of its own, until none is left."""

import time
from collections.abc import Callable

MOST_PER_RUN = 500


def while_due(take_next: Callable[..., bool], *, seconds: float = 3600) -> int:
    """Call `take_next(broken=...)` until it says False, or the time or the turn is up; returns how often it did something.

    In `broken` it notes the rows that failed, and passes them over from then on. The beat comes again for the rest.
    """
    broken: set[int] = set()
    count, until = 0, time.monotonic() + seconds
    while count < MOST_PER_RUN and time.monotonic() < until and take_next(broken=broken):
        count += 1
    return count
