"""Hold one of a lot's spaces for a stay. Counted and written under the lot's lock: two cannot take the last one."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import User
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.codes import make_code
from opscom.core.errors import Allowed, Decision, NotAllowed, Refused
from opscom.core.locks import lock_row, lock_rows
from opscom.provider.models import Lot
from opscom.provider.selectors import local_date
from payments.tax_sums import price_taxes
from payments.taxing import rates_for
from permits.closures import closures_touching
from permits.eligibility import limit_refusal, may_be_sold, write_moment
from permits.models import Permit, PermitStatus, PermitVehicle, Sale
from permits.services.closing import close_permit
from permits.services.holding import lapse_next
from permits.services.reserving import next_place
from permits.temporary import Stay, can_stay, count_free, fee_parts, overlapping, price
from vehicles.models import Vehicle


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody without an account: where the receipt goes, and in which language."""

    email: str
    language: str


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to park which vehicle where and when. `holder` or `guest`, never both."""

    sale: Sale
    stay: Stay
    vehicle: Vehicle
    by_hours: bool
    holder: User | None = None
    guest: Guest | None = None


def can_reserve_temporary(wish: Wish, now: dt.datetime) -> Decision:
    """Say whether the wish may be had now, or which rule refuses it, with the next thing to do."""
    lot = wish.sale.lot
    for decision in (
        may_be_sold(
            holder=wish.holder, sale=wish.sale, vehicles=[wish.vehicle], now=now, allotted=lot.temporary_spaces, free=1
        ),
        can_stay(wish.sale, wish.stay, by_hours=wish.by_hours, now=now),
    ):
        if not decision.is_allowed:
            return decision
    if wish.guest and not wish.sale.permit_type.is_for_guests:
        return Refused("no_guests", _("This permit is sold to people with an account. Please sign in."))
    return _is_free_of_others(wish)


def _is_free_of_others(wish: Wish) -> Decision:
    mine = Permit.objects.live().filter(
        is_temporary=True, sale__lot=wish.sale.lot_id, vehicle_links__vehicle=wish.vehicle
    )
    other = overlapping(list(mine), wish.stay)
    if other and (other.holder_id == getattr(wish.holder, "pk", None)):
        words = _("%(number)s is already valid for this vehicle here until %(moment)s.")
        return Refused(
            "twice", words % {"number": other.number, "moment": write_moment(other.valid_until)}, other.valid_until
        )
    if other:
        # Nobody learns that a stranger's vehicle is parked here.
        return Refused("twice", _("This vehicle cannot have another permit here at that time."))
    return is_space_free(wish.sale.lot, wish.stay)


def is_space_free(lot: Lot, stay: Stay) -> Decision:
    """Say whether the lot is open, and a space of it free, during the whole stay."""
    closed = next((one for one in closures_touching(lot, stay.start, stay.end) if one.is_whole), None)
    if closed:
        words = _("Please choose another time: the lot is closed from %(start)s until %(end)s")
        moments = {"start": write_moment(closed.starts_at), "end": write_moment(closed.ends_at)}
        return Refused("closed", words % moments, closed.ends_at)
    if count_free(lot, stay) > 0:
        return Allowed()
    return Refused("full", _("Full: no space is free during all of that time. Please choose another time."))


def reserve_temporary(
    wish: Wish, *, shown: Decimal, actor: User | None = None, now: dt.datetime | None = None
) -> Permit:
    """Hold a space for the stay until it is paid. `shown` is the price without tax that `Check Availability` showed.

    Raises NotAllowed with the rule that refuses, also when the last space went, or the price changed, a moment ago.
    """
    now = now or timezone.now()
    if wish.guest:
        _drop_earlier_try(wish, wish.guest)
    while lapse_next(now, lot=wish.sale.lot):
        # Holds of this lot that ran out, and that no worker has freed yet, take no space from anybody.
        pass
    try:
        with transaction.atomic():
            if wish.holder:
                # Their vehicles must not change or go while one of them is put on the permit.
                lock_person(wish.holder)
            lock_row(Lot.objects.filter(pk=wish.sale.lot_id), "product", "lot")
            can_reserve_temporary(wish, now).or_raise()
            return _hold(wish, shown, actor or wish.holder, now)
    except IntegrityError as error:
        if "permits_permit_limit_per_person" not in str(error):
            raise
        # Two clicks in one moment: the database let one through.
        raise NotAllowed(limit_refusal(wish.sale.permit_type.max_per_person).reason) from error


@transaction.atomic
def _drop_earlier_try(wish: Wish, guest: Guest) -> None:
    """A guest who comes back from the gateway and asks again need not wait for their own hold to run out.

    Money that still comes for the earlier one gets the space only if no other permit of the vehicle has it.
    """
    mine = Permit.objects.filter(
        holder=None, guest_email=guest.email, status=PermitStatus.RESERVED, vehicle_links__vehicle=wish.vehicle
    )
    for permit in lock_rows(mine.filter(sale__lot=wish.sale.lot_id), "product", "permit"):
        close_permit(permit, PermitStatus.LAPSED)
        audit.record("permit.lapsed", permit)


def _hold(wish: Wish, shown: Decimal, actor: User | None, now: dt.datetime) -> Permit:
    kind, stay, holder = wish.sale.permit_type, wish.stay, wish.holder
    place = next_place(holder, kind.limit_group) if holder else 1
    if place > kind.max_per_person:
        raise NotAllowed(limit_refusal(kind.max_per_person).reason)
    fee = price(wish.sale, stay)
    if fee.amount != shown:
        raise NotAllowed(_("The price has changed a moment ago. Please check the availability again."))
    permit = Permit(
        number=f"T-{make_code(7)}",
        holder=holder,
        guest_email=wish.guest.email if wish.guest else "",
        guest_language=wish.guest.language if wish.guest else "",
        sale=wish.sale,
        is_temporary=True,
        limit_group=kind.limit_group,
        holder_place=place,
        valid_from=stay.start,
        valid_until=stay.end,
        net=fee.amount,
        price_parts=fee_parts(fee),
        held_until=now + dt.timedelta(minutes=kind.hold_minutes),
    )
    with override(permit.language):
        rates, permit.exemption_number = rates_for(holder, kind.taxes.all(), local_date(now))
        permit.taxes = [part.as_json() for part in price_taxes(fee.amount, rates)]
    permit.save()
    PermitVehicle.objects.create(permit=permit, vehicle=wish.vehicle)
    audit.record("permit.reserved", permit, actor=actor, on_behalf_of=holder if holder and actor != holder else None)
    return permit
