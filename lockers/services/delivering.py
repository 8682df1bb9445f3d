"""A rental is paid, promised, or its money goes back."""

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from lockers import emails
from lockers.locking import KIND, lock_locker, lock_rental, reread
from lockers.models import LIVE, RENTAL_MOVES, Locker, Rental, RentalStatus
from lockers.rules import limit_refusal
from lockers.services.closing import close_rental, has_begun
from lockers.services.reserving import next_place
from opscom.core import audit
from opscom.core.errors import Busy, Refused
from opscom.core.locks import lock_rows
from opscom.core.transitions import advance
from payments.models import Deposit, DepositStatus, Order
from payments.purchasables import Done
from payments.services.deposits import decide_locked


def activate_rental(*, rental_id: int, order: Order) -> Done | Refused:
    """Make a paid rental active, once. A hold that had lapsed gets its locker back if nobody else has it.

    Refused, to be refunded: given back, its term over, the locker let to somebody else, or its deposit asked no more.
    """
    locker_id = Rental.objects.values_list("locker", flat=True).get(pk=rental_id)
    lock_locker(locker_id)
    rental = reread(rental_id, locker_id)
    if rental.status in (RentalStatus.ACTIVE, RentalStatus.ENDED):
        return Done()
    now = timezone.now()
    if rental.status == RentalStatus.CANCELLED:
        return Refused("closed", _("It was given back or cancelled before the payment arrived."))
    if rental.ends_at <= now:
        return Refused("over", _("Its term was over before the payment arrived."))
    refused = _reactivate(rental, now) if rental.status == RentalStatus.LAPSED else None
    if refused:
        return refused
    if rental.status == RentalStatus.RESERVED:
        advance(rental, RentalStatus.ACTIVE, table=RENTAL_MOVES, activated_at=now, held_until=None, promised_until=None)
    audit.record("rental.activated", rental, actor=order.payer, order=order.code)
    emails.rented(rental)
    return Done()


def _reactivate(rental: Rental, now: dt.datetime) -> Refused | None:
    """Let late money bring a lapsed rental back."""
    locker = rental.locker
    if rental.deposit is not None and rental.deposit.status in (DepositStatus.CANCELLED, DepositStatus.CLOSED):
        return Refused("deposit", _("The hold had run out, with its deposit, before the payment arrived."))
    if locker.out_of_order or locker.to_empty_since or not locker.is_visible:
        return Refused("taken", _("The hold had run out before the payment arrived, and the locker is not to be let."))
    place = next_place(rental.renter, rental.sale)
    if place > rental.sale.area.max_per_person:
        return limit_refusal(rental.sale.area.max_per_person)
    if rental.renews is not None and rental.renews.status not in LIVE:
        return Refused("over", _("The rental that it renews was over before the payment arrived."))
    overlapping = Rental.objects.live().filter(starts_at__lt=rental.ends_at, ends_at__gt=rental.starts_at)
    if overlapping.filter(locker=locker).exists():
        return Refused("taken", _("The hold had run out before the payment arrived, and somebody else has the locker."))
    try:
        with transaction.atomic():
            changes: dict[str, Any] = {"activated_at": now, "closed_at": None, "promised_until": None, "place": place}
            advance(rental, RentalStatus.ACTIVE, table=RENTAL_MOVES, **changes)
    except IntegrityError as error:
        # They reserved another one in this very moment: the next look decides.
        raise Busy from error
    return None


def take_back_rental(*, rental_id: int, order: Order) -> None:
    """End an active rental, because its money goes back; one that is over stays as it is. The caller locks the order.

    Before it has begun nobody was in the locker: the deposit goes back with it.
    """
    rental = lock_rental_with_deposit(rental_id, order)
    if rental.status == RentalStatus.ACTIVE:
        close_rental(rental, RentalStatus.CANCELLED)
        audit.record("rental.cancelled", rental)


def lock_rental_with_deposit(rental_id: int, order: Order) -> Rental:
    """Return the locked rental; first its deposit goes back when it has not begun and this very order paid both."""
    rental = Rental.objects.select_related("deposit").get(pk=rental_id)
    own = Deposit.objects.filter(about_kind=KIND, about_id=rental_id, status=DepositStatus.HELD, line__order=order)
    begun = has_begun(rental, timezone.now())
    if rental.status == RentalStatus.ACTIVE and not begun and (deposit := own.first()):
        decide_locked(deposit=deposit, returned=deposit.amount, actor=None, reason="")
    return lock_rental(rental_id)


def promise_rentals(*, rental_ids: list[int], until: dt.datetime) -> None:
    """Hold reserved lockers until then for a payer who promised the money; they are not theirs to use before it is in."""
    wanted = Rental.objects.filter(pk__in=rental_ids, status=RentalStatus.RESERVED)
    lock_rows(Locker.objects.filter(pk__in=wanted.values("locker")), "product", KIND)
    wanted.update(held_until=Greatest("held_until", until), promised_until=until)


def end_promised_rentals(*, rental_ids: list[int], to: RentalStatus) -> None:
    """Free the lockers whose money did not come (lapsed: it may still come) or was called off (cancelled)."""
    promised = Rental.objects.filter(
        pk__in=rental_ids, promised_until__isnull=False, status=RentalStatus.RESERVED
    ).order_by("pk")
    lock_rows(Deposit.objects.filter(about_kind=KIND, about_id__in=rental_ids), "product", "deposit")
    lock_rows(Locker.objects.filter(pk__in=promised.values("locker")), "product", KIND)
    for rental in promised.select_related("locker", "renews"):
        close_rental(rental, to)
        audit.record(f"rental.{to}", rental)
