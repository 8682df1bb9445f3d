"""The locks that every deed about a locker takes: after orders and deposits."""

from lockers.models import Locker, Rental
from opscom.core.errors import Busy
from opscom.core.locks import lock_row, lock_rows
from payments.models import Deposit

KIND = "locker"


def lock_locker(pk: int) -> Locker:
    """Lock the locker until the transaction ends: it and its rentals change only under this lock."""
    return lock_row(Locker.objects.filter(pk=pk), "product", KIND)


def lock_rental(pk: int) -> Rental:
    """Lock the rental's unpaid deposit, then its locker, and return the rental as it stands now.

    Raises Busy when the office moved it to another locker in this very moment.
    """
    lock_rows(Deposit.objects.filter(about_kind=KIND, about_id=pk), "product", "deposit")
    locker_id = Rental.objects.values_list("locker", flat=True).get(pk=pk)
    lock_locker(locker_id)
    return reread(pk, locker_id)


def reread(pk: int, locker_id: int) -> Rental:
    """Return the rental of the locked locker; Busy when it is not in that one any more."""
    rental = Rental.objects.select_related("locker__area", "sale__term", "renter", "deposit", "renews").get(pk=pk)
    if rental.locker_id != locker_id:
        raise Busy
    return rental
