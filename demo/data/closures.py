"""A closed lot, and one of which a part is to be closed: what holders read, and what the office sees."""

import datetime as dt

from django.utils import timezone

from accounts.models import User
from opscom.provider.models import Lot
from opscom.provider.selectors import local_date, start_of_day
from permits.models import ClosureReason
from permits.services.lot_closures import Terms, close_lot

EVENT_IN_DAYS = 9


def make_closures(office: User, lots: dict[str, Lot]) -> None:
    """Close the spaces beside the stage, and a whole lot for an event, both to come: nothing in the demo stops selling."""
    day = start_of_day(local_date() + dt.timedelta(days=EVENT_IN_DAYS))
    close_lot(
        lot=lots["101"],
        terms=Terms(
            day + dt.timedelta(hours=6),
            day + dt.timedelta(hours=22),
            reason=ClosureReason.EVENT,
            words={
                "en": "The open day fills the lot. Please park in the others; your permit is valid there.",
                "fr-ca": "La journée portes ouvertes occupe le parc. Stationnez dans les autres : votre permis y est valide.",
            },
            other_lots=[lots["105"]],
        ),
        actor=office,
    )
    now = timezone.now()
    close_lot(
        lot=lots["105"],
        terms=Terms(
            now,
            start_of_day(local_date() + dt.timedelta(days=3)),
            spaces=6,
            reason=ClosureReason.WORKS,
            words={"en": "New lamps along the north side.", "fr-ca": "Nouveaux lampadaires du côté nord."},
        ),
        actor=office,
    )
