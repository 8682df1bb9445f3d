"""What becomes of a hold, and of a rental whose time is over."""

import datetime as dt
import logging
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from lockers import emails
from lockers.locking import KIND, lock_rental
from lockers.models import Locker, Rental, RentalStatus
from lockers.services.closing import close_rental, has_begun
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.locks import lock_rows
from payments.models import OrderLine

log = logging.getLogger(__name__)
# A payer may be sent to a gateway's page this often with the hold prolonged each time; then the clock runs out.
MOST_GATEWAY_HOLDS = 2


@transaction.atomic
def extend_hold(*, rental: Rental, actor: User, now: dt.datetime | None = None) -> Rental:
    """Give the renter the area's minutes once more from now; raises NotAllowed the second time or when it is over."""
    now = now or timezone.now()
    rental = lock_rental(rental.pk)
    if rental.status != RentalStatus.RESERVED or rental.held_until is None or rental.held_until <= now:
        raise NotAllowed(_("The hold has run out. Please reserve again."))
    if rental.was_extended:
        raise NotAllowed(_("The hold was already extended once. Please pay before it runs out."))
    longer = max(rental.held_until, now + dt.timedelta(minutes=rental.sale.area.hold_minutes))
    Rental.objects.filter(pk=rental.pk).update(held_until=longer, was_extended=True)
    audit.record("rental.hold_extended", rental, actor=actor, held_until=longer)
    rental.refresh_from_db()
    return rental


def hold_for_gateway(*, rental_ids: list[int], until: dt.datetime) -> None:
    """Keep reserved lockers while their payer is at the bank, at most twice for each."""
    wanted = Rental.objects.filter(
        pk__in=rental_ids, status=RentalStatus.RESERVED, gateway_holds__lt=MOST_GATEWAY_HOLDS
    )
    lock_rows(Locker.objects.filter(pk__in=wanted.values("locker")), "product", KIND)
    wanted.update(held_until=Greatest("held_until", until), gateway_holds=F("gateway_holds") + 1)


@transaction.atomic
def give_back(*, rental: Rental, actor: User) -> None:
    """The renter does not want it any more: the locker is free for others at once. Raises NotAllowed once it is paid."""
    rental = lock_rental(rental.pk)
    if rental.status != RentalStatus.RESERVED or is_paid(rental):
        raise NotAllowed(_("Only a locker that is not paid can be given back."))
    if rental.promised_until is not None:
        raise NotAllowed(_("You promised to bring the money for it. To give it back, take that promise back first."))
    close_rental(rental, RentalStatus.CANCELLED)
    audit.record("rental.given_back", rental, actor=actor)


@transaction.atomic
def leave_early(*, rental: Rental, actor: User, now: dt.datetime | None = None) -> None:
    """End a running rental before its time, without money back; raises NotAllowed for one that is not running."""
    now = now or timezone.now()
    rental = lock_rental(rental.pk)
    if rental.status != RentalStatus.ACTIVE or not has_begun(rental, now):
        raise NotAllowed(_("Only a rental that has begun can be ended."))
    if Rental.objects.live().filter(renews=rental).exists():
        raise NotAllowed(_("It is renewed already. Please give the renewal back first, or ask the office."))
    close_rental(rental, RentalStatus.ENDED, now=now)
    audit.record("rental.ended", rental, actor=actor)
    emails.ended(rental)


def is_paid(rental: Rental) -> bool:
    """Say whether its money is in, delivered or not."""
    return OrderLine.objects.filter(kind=KIND, object_id=rental.pk, settled=True).exists()


def lapse_next(
    now: dt.datetime | None = None,
    *,
    renter: User | None = None,
    locker: Locker | None = None,
    broken: set[int] | None = None,
) -> bool:
    """Free the locker of one hold that has run out; False when there is none. Only of that renter or locker, if given.

    What is paid and not yet delivered keeps its locker, however long the delivery takes.
    """
    paid = OrderLine.objects.filter(kind=KIND, object_id=OuterRef("pk"), settled=True)
    due = Rental.objects.filter(~Exists(paid), status=RentalStatus.RESERVED, held_until__lte=now or timezone.now())
    due = due.filter(renter=renter) if renter else due
    due = due.filter(locker=locker) if locker else due
    return _close_next(due.order_by("held_until"), RentalStatus.LAPSED, "rental.lapsed", broken)


def end_next(now: dt.datetime | None = None, *, broken: set[int] | None = None) -> bool:
    """End one rental whose last instant has passed; False when there is none."""
    due = Rental.objects.filter(status=RentalStatus.ACTIVE, ends_at__lte=now or timezone.now())
    return _close_next(due.order_by("ends_at"), RentalStatus.ENDED, "rental.ended", broken, now)


def _close_next(
    due: Any, to: RentalStatus, action: str, broken: set[int] | None, now: dt.datetime | None = None
) -> bool:
    """Close the first of these in a transaction of its own; one that fails is noted in `broken`, and stops nobody."""
    first = due.exclude(pk__in=broken or ()).values_list("pk", flat=True).first()
    if first is None:
        return False
    try:
        with transaction.atomic():
            rental = lock_rental(first)
            # While we waited for the lock it may have been paid, or prolonged.
            if due.filter(pk=first).exists():
                close_rental(rental, to, now=now)
                audit.record(action, rental)
                if to == RentalStatus.ENDED:
                    emails.ended(rental)
    except Exception:
        if broken is None:
            raise
        log.exception("rental %s could not be moved to %s", first, to)
        broken.add(first)
    return True
