"""Closed lots for tests."""

import datetime as dt
from typing import Any

from django.utils import timezone

from opscom.provider.models import Lot
from permits.models import Closure
from permits.services.lot_closures import Terms, close_lot
from tests.factories.vehicles import make_owner

HOUR = dt.timedelta(hours=1)


def make_terms(*, start: dt.datetime | None = None, hours: int = 12, **terms: Any) -> Terms:
    """Return terms from an hour ago (from `start`) for so many hours."""
    start = start or timezone.now() - HOUR
    return Terms(start, start + hours * HOUR, **terms)


def close(lot: Lot, **terms: Any) -> Closure:
    """Close the lot as the office does."""
    return close_lot(lot=lot, terms=make_terms(**terms), actor=make_owner(first_name="Office"))
