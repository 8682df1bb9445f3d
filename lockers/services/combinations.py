"""Combinations: encrypted at rest, shown to who rents the locker now, looked at by name, void once a renter has gone.

No combination is ever handed to `audit.record`, to a log, or to a message.
"""

import datetime as dt
import re

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from lockers.locking import lock_locker
from lockers.models import Locker, LockKind, Rental, RentalStatus
from lockers.services.closing import has_begun
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.secrets import open_short, seal_short

COMBINATION = re.compile(r"[A-Za-z0-9 *#-]{3,20}")


class Combination(str):
    """A combination that whatever prints its surroundings, as logs and reports of errors do, does not print."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[secret]"


@transaction.atomic
def set_combination(*, locker: Locker, combination: str, actor: User) -> None:
    """Keep the locker's new combination. Raises DomainError for what is none, and for the one that it has."""
    locker = lock_locker(locker.pk)
    write_combination(locker, combination)
    audit.record("locker.combination_set", locker, actor=actor)


def write_combination(locker: Locker, combination: str) -> None:
    """Seal the combination into the locked locker; DomainError for what is none, and for the one that it has."""
    combination = combination.strip()
    if not COMBINATION.fullmatch(combination):
        raise DomainError(_("A combination has 3 to 20 letters, digits, spaces, * # or -."))
    if locker.has_combination and read_combination(locker) == combination:
        raise DomainError(_("The locker has this very combination. Set another one."))
    Locker.objects.filter(pk=locker.pk).update(sealed_combination=seal_short(combination.encode()))


def read_combination(locker: Locker) -> Combination:
    """Return the combination as it is set; only for `combination_for` and `look_at_combination`."""
    return Combination(open_short(locker.sealed_combination).decode())


def combination_for(rental: Rental, now: dt.datetime) -> Combination | None:
    """Return what opens the locker, to who has paid for it and whose time has begun; else None."""
    locker = rental.locker
    if rental.status != RentalStatus.ACTIVE or not has_begun(rental, now) or locker.to_empty_since:
        return None
    if locker.area.lock_kind != LockKind.COMBINATION or not locker.has_combination:
        return None
    return read_combination(locker)


@transaction.atomic
def look_at_combination(*, locker: Locker, actor: User) -> Combination:
    """Return the combination to somebody of the office, and write down who looked; NotAllowed when there is none."""
    locker = lock_locker(locker.pk)
    if not locker.has_combination:
        raise NotAllowed(_("Locker %(number)s has no combination.") % {"number": locker})
    audit.record("locker.combination_seen", locker, actor=actor)
    return read_combination(locker)
