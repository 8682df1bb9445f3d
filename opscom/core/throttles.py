"""How often something may be tried. Counted in the cache with one atomic step, so parallel tries count too."""

import hashlib
import time

from django.core.cache import cache


def allow(name: str, key: str, *, limit: int, seconds: int) -> bool:
    """Count one try of `name` by `key`, and say whether it is among the first `limit` of this window of `seconds`.

    Windows are fixed, so at their border twice the limit passes. With the cache away every try is allowed: nobody may
    be locked out by a broken Redis.
    """
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    place = f"throttle:{name}:{digest}:{int(time.time() // seconds)}"
    cache.add(place, 0, seconds * 2)
    try:
        return cache.incr(place) <= limit
    except ValueError:  # the server came back between the two steps, or threw the key out
        return True
