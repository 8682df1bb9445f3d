"""How often tickets may be looked for. Wrong tries slow the sender, and the ticket only for strangers."""

from django.http import HttpRequest

from opscom.core.addresses import throttle_address
from opscom.core.throttles import allow

MINUTE, HOUR = 60, 3600


def may_look_up(request: HttpRequest) -> bool:
    """Count one search by this client, right or wrong: a family pays several tickets, a script walks through numbers."""
    client = throttle_address(request)
    return allow("ticket.client", client, limit=20, seconds=10 * MINUTE) and allow(
        "ticket.client.hour", client, limit=60, seconds=HOUR
    )


def may_try_pin(number_key: str) -> bool:
    """Count one try of the PIN of one number, from wherever it comes: there are 625 of them."""
    return allow("ticket.pin", number_key, limit=20, seconds=HOUR)


def may_search_plates(person_code: str) -> bool:
    """Count one search of `Lookup All Tickets` by somebody signed in."""
    return allow("ticket.person", person_code, limit=30, seconds=HOUR)


def may_upload_evidence(person_code: str) -> bool:
    """Count one upload: each costs the time to read a picture of fifty million pixels, perhaps six of them."""
    return allow("evidence", person_code, limit=60, seconds=HOUR)


def may_begin_payment(request: HttpRequest) -> bool:
    """Count one payment that a guest begins: each opens a page at the gateway."""
    return allow("guest.pay", throttle_address(request), limit=20, seconds=10 * MINUTE)
