"""Recall the end of a rental, once."""

import datetime as dt

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F
from django.utils import timezone

from lockers import emails
from lockers.models import Rental, RentalStatus


def recall_next(now: dt.datetime | None = None, *, broken: set[int] | None = None) -> bool:
    """Write to one renter whose time is over in so many days as the area says; False when there is none.

    Who has renewed it needs no reminder. The mail and the note of it are one transaction.
    """
    now = now or timezone.now()
    ahead = ExpressionWrapper(F("sale__area__reminder_days") * dt.timedelta(days=1), output_field=DurationField())
    due = Rental.objects.filter(
        status=RentalStatus.ACTIVE, reminded_at=None, ends_at__gt=now, ends_at__lte=now + ahead
    ).filter(sale__area__reminder_days__gt=0)
    with transaction.atomic():
        rows = due.exclude(pk__in=broken or ()).order_by("ends_at")
        rental = rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
        if rental is None:
            return False
        Rental.objects.filter(pk=rental.pk).update(reminded_at=now)
        if not Rental.objects.live().filter(renews=rental).exists():
            emails.ends_soon(rental)
    return True
