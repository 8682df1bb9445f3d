"""What a plate or a VIN is once it is typed. Nothing here is stored.

A plate is compared by its key: capital letters and digits, nothing between them. What was typed is kept for the eye.
"""

import datetime as dt
import re
import unicodedata

from django.utils.translation import gettext_lazy as _

from opscom.core.errors import DomainError
from opscom.provider.selectors import local_date

PLATE_KEY = r"^[A-Z0-9]{1,10}$"
# Since 1981; without I, O and Q, which look like digits.
VIN = r"^[A-HJ-NPR-Z0-9]{17}$"
OLDEST_YEAR = 1900
LONGEST_KEY = 10
LONGEST_SHOWN = 16
# Dashes of every length, and characters that cannot be seen (pasted with a plate from elsewhere).
INVISIBLE = "Cf"
DROPPED = frozenset({"Pd", INVISIBLE})


class BadPlate(DomainError):
    """What was typed cannot be a plate or a VIN; the sentence says what to change."""


def normalise_plate(text: str) -> str:
    """Return what was typed in capitals without spaces and dashes; it need not be a possible plate."""
    return _without_gaps(text).upper()


def read_plate(text: str) -> str:
    """Return the key of a plate as typed; raises BadPlate when it is none."""
    letters = _without_gaps(text)
    if not letters:
        raise BadPlate(_("Enter the letters and digits of the plate."))
    # Before upper(), which would turn an 'ß' into a believable 'SS'.
    if not re.fullmatch("[A-Za-z0-9]+", letters):
        raise BadPlate(_("A plate has only the letters A to Z and digits. Spaces and dashes may be left out."))
    if len(letters) > LONGEST_KEY:
        raise BadPlate(_("A plate has at most 10 letters and digits."))
    return letters.upper()


def show_plate(text: str) -> str:
    """Return what was typed as it should stand on a page: capitals, single spaces; the key when that is too long.

    Nothing invisible is kept: a mark that turns the direction of writing would show one plate and mean another.
    """
    seen = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != INVISIBLE)
    shown = " ".join(seen.upper().split())
    return shown if len(shown) <= LONGEST_SHOWN else normalise_plate(text)


def read_vin(text: str) -> str:
    """Return the vehicle identification number as stored; raises BadPlate when it cannot be one."""
    vin = normalise_plate(text)
    if not re.match(VIN, vin):
        raise BadPlate(_("A VIN has 17 letters and digits, and never the letters I, O and Q."))
    return vin


def check_year(year: int) -> None:
    """Raise BadPlate unless a vehicle can be of that year; dealers sell next year's models."""
    newest = local_date().year + 1
    if not OLDEST_YEAR <= year <= newest:
        raise BadPlate(_("Enter a year from %(oldest)s to %(newest)s.") % {"oldest": OLDEST_YEAR, "newest": newest})


def check_last_day(day: dt.date) -> None:
    """Raise BadPlate unless a temporary plate can end on that day: from today to a year from now."""
    today = local_date()
    if day < today:
        raise BadPlate(_("This day is over. Enter the plate's last day, today or later."))
    if day > today + dt.timedelta(days=366):
        raise BadPlate(_("A temporary plate lasts at most a year."))


def _without_gaps(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    return "".join(c for c in plain if not c.isspace() and unicodedata.category(c) not in DROPPED)
