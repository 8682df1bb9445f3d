"""How a rental is described to people."""

import datetime as dt

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from lockers.models import Rental
from opscom.provider.selectors import get_time_zone


def describe_dates(rental: Rental) -> str:
    """Return its first and last day, as people say them."""
    zone = get_time_zone()
    last = rental.ends_at - dt.timedelta(microseconds=1)
    first, last_day = (date_format(moment.astimezone(zone), "DATE_FORMAT") for moment in (rental.starts_at, last))
    return _("%(first)s to %(last)s") % {"first": first, "last": last_day}
