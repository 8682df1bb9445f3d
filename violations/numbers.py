"""Numbers of tickets: how they are made, written and typed."""

from django.db import connection

from opscom.core.codes import clean_code
from opscom.provider.selectors import get_provider
from violations.models.tickets import PIN_LENGTH, Ticket

LONGEST_NUMBER = 20
# With its dashes and spaces.
LONGEST_WRITTEN = 24


def next_number() -> str:
    """Return the next number, with the provider's prefix: `TT-10133`. Numbers may be skipped, and never come twice."""
    prefix = get_provider().ticket_prefix
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('violations_ticket_number')")
            (value,) = cursor.fetchone()
        number = f"{prefix}-{value}"
        # Officers also write numbers of their own, from a paper book.
        if not Ticket.objects.filter(number_key=number_key(number)).exists():
            return number


def number_key(text: str) -> str:
    """Return what numbers are compared by: capitals and digits, nothing between them."""
    return clean_code(text)


def split_typed(text: str) -> tuple[str, str]:
    """Return the number's key and the PIN of what somebody typed; both empty when it is too short to have a PIN."""
    key = clean_code(text[: LONGEST_NUMBER * 2])
    if len(key) <= PIN_LENGTH:
        return "", ""
    return key[:-PIN_LENGTH], key[-PIN_LENGTH:]
