"""What must always be true of lockers. Each function yields one sentence for each thing that is not."""

import datetime as dt
from collections.abc import Iterator

from django.utils import timezone

from lockers.locking import KIND
from lockers.models import LIVE, Locker, Rental, RentalStatus
from payments.models import Deposit, DepositStatus, LineStatus, OrderLine

# The beat looks every minute.
LATE_AFTER = dt.timedelta(hours=6)


def check_lockers() -> Iterator[str]:
    """Yield every broken rule of lockers and their rentals."""
    yield from _paid_means_rented()
    yield from _deposits_are_asked_of_the_living()
    yield from _deposits_are_decided()
    yield from _ends_are_kept()


def _paid_means_rented() -> Iterator[str]:
    lines = OrderLine.objects.filter(kind=KIND, status=LineStatus.FULFILLED)
    rented = Rental.objects.filter(status__in=[RentalStatus.ACTIVE, RentalStatus.ENDED, RentalStatus.CANCELLED])
    for line in lines.exclude(object_id__in=rented.values("pk")).iterator():
        yield f"Line {line.pk} paid for a locker that was not rented by it."


def _deposits_are_asked_of_the_living() -> Iterator[str]:
    live = Rental.objects.live()
    for deposit in Deposit.objects.filter(about_kind=KIND, status=DepositStatus.DUE).iterator():
        if not live.filter(pk=deposit.about_id or 0).exists():
            yield f"Deposit {deposit.code} is asked for a locker that is not rented any more."


def _deposits_are_decided() -> Iterator[str]:
    waiting = Locker.objects.filter(left_by__isnull=False).values("left_by__deposit")
    living = Rental.objects.filter(status__in=LIVE, deposit__isnull=False).values("deposit")
    held = Deposit.objects.filter(about_kind=KIND, status=DepositStatus.HELD)
    for deposit in held.exclude(pk__in=waiting).exclude(pk__in=living).iterator():
        if not OrderLine.objects.filter(kind=KIND, object_id=deposit.about_id or 0, status=LineStatus.SETTLED).exists():
            yield f"Deposit {deposit.code} is held for a locker, and nobody will decide about it."


def _ends_are_kept() -> Iterator[str]:
    limit = timezone.now() - LATE_AFTER
    for rental in Rental.objects.filter(status=RentalStatus.ACTIVE, ends_at__lt=limit).iterator():
        yield f"Rental {rental.code} is over and still active."
    held = Rental.objects.filter(status=RentalStatus.RESERVED, held_until__lt=limit)
    paid = OrderLine.objects.filter(kind=KIND, settled=True).values("object_id")
    for rental in held.exclude(pk__in=paid).iterator():
        yield f"The hold of rental {rental.code} is over and still keeps its locker."
