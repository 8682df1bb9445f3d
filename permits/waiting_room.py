"""The line before a sale on its first day: who comes takes a number, and so many numbers a minute are let in.

A turn follows from the number and the clock alone: nobody calls the next one, and a place is never lost by closing the page.
Numbers stand in the cache: when it is away everybody is let in, because what keeps a lot from being oversold is the
claim of a permit's number in the database, not this line.
"""

import datetime as dt
import math
from dataclasses import dataclass

from django.core.cache import cache

from accounts.models import User
from permits.models import Sale

# One may come so long before the sale opens; a day later there is no line any more.
OPENS_BEFORE = dt.timedelta(minutes=30)
LASTS = dt.timedelta(days=1)
KEEP_SECONDS = 2 * 86400


@dataclass(frozen=True, slots=True)
class Turn:
    """A person's place in the line of a sale. `ahead`: who is let in before them; `wait`: until it is their turn."""

    number: int
    ahead: int
    wait: dt.timedelta

    @property
    def is_in(self) -> bool:
        return self.ahead == 0 and self.wait <= dt.timedelta(0)

    @property
    def place(self) -> int:
        """Where they stand, from 1."""
        return self.ahead + 1

    @property
    def minutes(self) -> int:
        """Whole minutes until their turn, at least one."""
        return max(math.ceil(self.wait / dt.timedelta(minutes=1)), 1)


def has_line(sale: Sale, now: dt.datetime) -> bool:
    """Say whether one has to wait in line for this sale now, or may come to it already."""
    return sale.queue_per_minute is not None and sale.opens_at - OPENS_BEFORE <= now < sale.opens_at + LASTS


def take_number(sale: Sale, person: User) -> int | None:
    """Give the person a number, the one they have if they came before; None while the cache is away."""
    mine, counter = f"queue:{sale.pk}:of:{person.pk}", f"queue:{sale.pk}"
    known: int | None = cache.get(mine)
    if known is not None:
        return known
    cache.add(counter, 0, KEEP_SECONDS)
    try:
        number = cache.incr(counter)
    except ValueError:
        return None
    # Of two clicks at once one number is lost, and the person keeps the other.
    return number if cache.add(mine, number, KEEP_SECONDS) else cache.get(mine, number)


def find_number(sale: Sale, person: User) -> int | None:
    """Return the number that the person has; None for who never came."""
    known: int | None = cache.get(f"queue:{sale.pk}:of:{person.pk}")
    return known


def turn_of(sale: Sale, number: int, now: dt.datetime) -> Turn:
    """Return when it is this number's turn: the first `queue_per_minute` when the sale opens, as many with each minute."""
    per_minute = sale.queue_per_minute or 1
    since = (now - sale.opens_at) / dt.timedelta(minutes=1)
    let_in = per_minute + math.floor(since * per_minute) if since >= 0 else 0
    minutes_after = max(number - per_minute, 0) / per_minute
    wait = sale.opens_at + dt.timedelta(minutes=minutes_after) - now
    return Turn(number, max(number - max(let_in, 0) - 1, 0) if number > let_in else 0, wait)


def must_wait(sale: Sale, person: User, now: dt.datetime) -> bool:
    """Say whether the person has to stand in line before they may reserve; their number is taken for them."""
    if not has_line(sale, now):
        return False
    number = take_number(sale, person)
    return number is not None and not turn_of(sale, number, now).is_in
