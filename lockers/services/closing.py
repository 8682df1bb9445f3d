"""The end of a rental, whichever it is, and what is to be done about the locker then."""

import datetime as dt

from django.utils import timezone

from lockers.locking import KIND
from lockers.models import LIVE, RENTAL_MOVES, Locker, Rental, RentalStatus
from opscom.core import audit
from opscom.core.transitions import advance
from payments.models import DEPOSIT_MOVES, Deposit, DepositStatus


def close_rental(rental: Rental, to: RentalStatus, *, now: dt.datetime | None = None) -> None:
    """Move the locked live rental to its end: its unpaid deposit is asked no more, its locker is to be emptied.

    While it is renewed by its own renter nothing has to be emptied; when that renewal comes to nothing, it has to.
    """
    now = now or timezone.now()
    was = rental.status
    advance(rental, to, table=RENTAL_MOVES, closed_at=now, held_until=None, promised_until=None)
    _cancel_deposit(rental)
    before = rental.renews
    if was == RentalStatus.ACTIVE and has_begun(rental, now):
        if not Rental.objects.live().filter(renews=rental).exists():
            must_be_emptied(rental.locker, rental, now)
    elif before is not None and before.status not in LIVE:
        # The term before is over, and was to be followed by this one.
        must_be_emptied(rental.locker, before, now)


def has_begun(rental: Rental, now: dt.datetime) -> bool:
    """Say whether its renter may be in the locker: it has begun, or follows one of their own."""
    return rental.starts_at <= now or rental.renews_id is not None


def must_be_emptied(locker: Locker, left_by: Rental, now: dt.datetime) -> None:
    """Put the locked locker on the office's list: nobody rents it until somebody has looked inside."""
    Locker.objects.filter(pk=locker.pk).update(to_empty_since=now, left_by=left_by)
    audit.record("locker.to_empty", locker, rental=left_by.code)


def _cancel_deposit(rental: Rental) -> None:
    """Ask for its unpaid deposit no more; it is locked with its rental. Money that comes late for it is refunded."""
    for deposit in Deposit.objects.filter(about_kind=KIND, about_id=rental.pk, status=DepositStatus.DUE):
        advance(deposit, DepositStatus.CANCELLED, table=DEPOSIT_MOVES)
        audit.record("deposit.cancelled", deposit, rental=rental.code)
