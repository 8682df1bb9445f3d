"""Hold one locker for a person until it is paid."""

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import User
from accounts.services.people import lock_person
from lockers.locking import KIND, lock_locker
from lockers.models import Locker, LockerSale, Rental, RentalStatus
from lockers.rules import can_rent, limit_refusal, period_of, renewable_by, taken
from lockers.services.holding import lapse_next
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.provider.selectors import local_date
from payments.models import DepositKind, DepositStatus
from payments.services.deposits import ask_deposit
from payments.tax_sums import price_taxes
from payments.taxing import rates_for


def reserve_locker(
    *, renter: User, sale: LockerSale, locker: Locker, actor: User | None = None, now: dt.datetime | None = None
) -> Rental:
    """Hold the locker for the sale's term until it is paid, at the price of this moment; with its deposit, if one is asked.

    Who rents that very locker in the term before renews it. Raises NotAllowed with the rule that refuses, also when
    somebody else took the locker a moment ago.
    """
    now = now or timezone.now()
    _free_dead_holds(renter, locker, now)
    try:
        with transaction.atomic():
            renter = lock_person(renter)
            locker = lock_locker(locker.pk)
            renews = next((one for one in renewable_by(renter, sale) if one.locker_id == locker.pk), None)
            can_rent(person=renter, sale=sale, locker=locker, renews=renews, now=now).or_raise()
            rental = _create(renter, sale, locker, renews, now)
            audit.record("rental.reserved", rental, actor=actor or renter)
            _settle_deposit(rental, actor or renter)
            return rental
    except IntegrityError as error:
        # The locks of person and locker let one through at a time; behind them stands the database's own rule.
        if "lockers_rental_no_overlap" in str(error):
            raise NotAllowed(taken(locker).reason) from error
        if "lockers_rental_limit_per_person" in str(error):
            raise NotAllowed(limit_refusal(sale.area.max_per_person).reason) from error
        raise


def _free_dead_holds(renter: User, locker: Locker, now: dt.datetime) -> None:
    """Holds that ran out a moment ago, and that no worker has freed yet, must not stand in the way."""
    dead = {"status": RentalStatus.RESERVED, "held_until__lte": now}
    for which in ({"locker": locker}, {"renter": renter}):
        while Rental.objects.filter(**dead, **which).exists() and lapse_next(now, **which):
            pass


def _create(renter: User, sale: LockerSale, locker: Locker, renews: Rental | None, now: dt.datetime) -> Rental:
    period = period_of(sale, now)
    place = next_place(renter, sale)
    if place > sale.area.max_per_person:
        raise NotAllowed(limit_refusal(sale.area.max_per_person).reason)
    with override(renter.language):
        rates, exemption_number = rates_for(renter, sale.area.taxes.all(), local_date(now))
        taxes = [part.as_json() for part in price_taxes(sale.price, rates)]
    return Rental.objects.create(
        locker=locker,
        renter=renter,
        sale=sale,
        place=place,
        renews=renews,
        starts_at=period.start,
        ends_at=period.end,
        net=sale.price,
        taxes=taxes,
        exemption_number=exemption_number,
        held_until=now + dt.timedelta(minutes=sale.area.hold_minutes),
    )


def next_place(renter: User, sale: LockerSale) -> int:
    """Return the smallest place among the renter's live rentals of the sale that is empty."""
    used = set(Rental.objects.live().filter(renter=renter, sale=sale).values_list("place", flat=True))
    return next(place for place in range(1, len(used) + 2) if place not in used)


def _settle_deposit(rental: Rental, actor: Any) -> None:
    """Carry the deposit of the term before over, or ask for one."""
    before = rental.renews.deposit if rental.renews else None
    area = rental.sale.area
    if before is not None and before.status == DepositStatus.HELD:
        rental.deposit = before
    elif area.deposit:
        rental.deposit = ask_deposit(
            person=rental.renter,
            kind=DepositKind.LOCKER,
            amount=area.deposit,
            actor=actor,
            label=_("Locker %(number)s, %(area)s") % {"number": rental.locker, "area": area},
            about_kind=KIND,
            about_id=rental.pk,
        )
    rental.save(update_fields=["deposit"])
