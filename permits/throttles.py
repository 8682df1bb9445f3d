"""How often somebody without an account may ask."""

from django.http import HttpRequest

from opscom.core.addresses import throttle_address
from opscom.core.throttles import allow


def may_buy_as_guest(request: HttpRequest) -> bool:
    """Count one space that a guest holds: each is kept from others until it is paid, and opens a page at the gateway."""
    client = throttle_address(request)
    return allow("guest.park", client, limit=6, seconds=600) and allow(
        "guest.park.day", client, limit=40, seconds=86400
    )
