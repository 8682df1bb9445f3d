"""Hold one of a sale's numbers for a person."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import User
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.transitions import advance
from opscom.provider.selectors import local_date, start_of_day
from payments.tax_sums import price_taxes
from payments.taxing import rates_for
from permits.eligibility import can_reserve, held_already, limit_refusal, live_permits
from permits.models import SLOT_MOVES, Permit, PermitStatus, PermitVehicle, Sale, Slot, SlotState
from permits.proration import price_standard
from permits.services.holding import lapse_next
from permits.slots import claim_slot
from permits.terms import permit_dates
from vehicles.models import Vehicle


def reserve_permit(
    *, holder: User, sale: Sale, vehicles: Sequence[Vehicle], actor: User | None = None, now: dt.datetime | None = None
) -> Permit:
    """Hold a number of the sale for the holder until it is paid, at its price of this moment.

    Raises NotAllowed with the rule that refuses (also when the last number went a moment ago), Busy after three tries
    for the last numbers.
    """
    now = now or timezone.now()
    dead = Permit.objects.filter(holder=holder, status=PermitStatus.RESERVED, held_until__lte=now)
    while dead.exists() and lapse_next(now, holder=holder):
        # A hold of their own that ran out a moment ago, and that no worker has freed yet, must not stand in their way.
        pass
    try:
        with transaction.atomic():
            # Their vehicles must not change or go while one of them is put on the permit.
            lock_person(holder)
            can_reserve(holder=holder, sale=sale, vehicles=vehicles, now=now).or_raise()
            slot = claim_slot(sale)
            if slot is None:
                raise NotAllowed(_("Full: the last permit of this lot was taken a moment ago."))
            terms = Hold(now + dt.timedelta(minutes=sale.permit_type.hold_minutes), vehicles)
            return hold_number(slot=slot, holder=holder, terms=terms, actor=actor or holder, now=now)
    except IntegrityError as error:
        if "permits_permit_limit_per_person" not in str(error):
            raise
        # Two clicks in one moment: the database let one through.
        raise NotAllowed(limit_refusal(sale.permit_type.max_per_person).reason) from error


@dataclass(frozen=True, slots=True)
class Hold:
    """How a number is held: until when, for which vehicles; an offer from a waitlist may stand beside what it replaces."""

    until: dt.datetime
    vehicles: Sequence[Vehicle]
    may_exceed_limit: bool = False
    counts_others: bool = True


def hold_number(*, slot: Slot, holder: User, terms: Hold, actor: User | None, now: dt.datetime) -> Permit:
    """Reserve the locked number for the holder at its price of this moment; nothing is asked about who may have it.

    Raises NotAllowed above the limit of the type, IntegrityError when another permit takes the same place of the holder.
    """
    sale = slot.sale
    kind = sale.permit_type
    place = next_place(holder, kind.limit_group)
    if place > kind.max_per_person and not terms.may_exceed_limit:
        # Another click was committed after we looked; one that is still under way meets the database's own rule.
        raise NotAllowed(limit_refusal(kind.max_per_person).reason)
    first, after_last = permit_dates(sale, local_date(now))
    other = held_already(live_permits(holder, now), kind) if terms.counts_others else "none"
    price = price_standard(sale, first, after_last, other=other)
    with override(holder.language):
        rates, exemption_number = rates_for(holder, kind.taxes.all(), local_date(now))
        taxes = [part.as_json() for part in price_taxes(price.net, rates)]
    permit = Permit.objects.create(
        number=slot.number,
        holder=holder,
        sale=sale,
        limit_group=kind.limit_group,
        holder_place=place,
        valid_from=max(start_of_day(first), now),
        valid_until=start_of_day(after_last),
        net=price.net,
        price_parts=price.parts,
        taxes=taxes,
        exemption_number=exemption_number,
        held_until=terms.until,
    )
    advance(slot, SlotState.HELD, table=SLOT_MOVES, field="state", permit=permit)
    PermitVehicle.objects.bulk_create([PermitVehicle(permit=permit, vehicle=vehicle) for vehicle in terms.vehicles])
    audit.record("permit.reserved", permit, actor=actor, on_behalf_of=holder if actor != holder else None)
    return permit


def next_place(holder: User, limit_group: str) -> int:
    """Return the smallest place among the holder's live permits of the group that is empty."""
    taken = set(
        Permit.objects.filter(holder=holder, limit_group=limit_group).live().values_list("holder_place", flat=True)
    )
    return next(place for place in range(1, len(taken) + 2) if place not in taken)
