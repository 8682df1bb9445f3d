"""How often a visitor may ask for the code of a boot. Payments are counted with those of tickets: `violations.throttles`."""

from django.http import HttpRequest

from opscom.core.addresses import throttle_address
from opscom.core.throttles import allow

MINUTES = 600


def may_ask_again(request: HttpRequest) -> bool:
    """Count one wish for a mail with the code, beside what is counted for the boot itself."""
    return allow("boot.again", throttle_address(request), limit=10, seconds=MINUTES)
