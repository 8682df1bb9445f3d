"""A permit is paid, or its money goes back."""

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import Busy, Refused
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_row
from opscom.core.transitions import advance
from opscom.provider.models import Lot
from payments.models import Order
from payments.purchasables import Done
from permits.eligibility import limit_refusal
from permits.models import (
    LIVE,
    PERMIT_MOVES,
    SLOT_MOVES,
    EntryStatus,
    Permit,
    PermitStatus,
    Sale,
    Slot,
    SlotState,
    WaitlistOffer,
)
from permits.services.closing import close_permit, is_orphaned, number_of
from permits.services.offering import later_offer, lock_offered, replaces_another, serve
from permits.services.reserving import next_place
from permits.services.temporary import is_space_free
from permits.slots import claim_number, claim_slot
from permits.temporary import Stay, overlapping
from permits.waitlists import is_waited_for


def activate_permit(*, permit_id: int, order: Order) -> Done | Refused:
    """Make a paid permit active, once. A hold that had lapsed gets its number back if that is free, else another one.

    Refused, to be refunded: given back meanwhile, its dates over, the sale full, or the holder at their limit. Raises
    Busy while the last numbers are being fought over.
    """
    permit = _lock_with_lot(permit_id)
    offer = lock_offered(permit)
    if permit.status in (PermitStatus.ACTIVE, PermitStatus.ENDED):
        _note_paid(permit, order)
        serve(offer)
        return Done()
    now = timezone.now()
    if permit.valid_until <= now:
        return Refused("over", _("Its dates were over before the payment arrived."))
    if is_orphaned(permit):
        return _refuse_orphan(permit)
    if permit.status == PermitStatus.RESERVED:
        advance(permit, PermitStatus.ACTIVE, table=PERMIT_MOVES, activated_at=now, held_until=None, promised_until=None)
        if slot := number_of(permit):
            advance(slot, SlotState.TAKEN, table=SLOT_MOVES, field="state")
    elif permit.status == PermitStatus.LAPSED:
        refused = _reactivate(permit, now, offer)
        if refused:
            return refused
    else:
        return Refused("closed", _("It was given back or cancelled before the payment arrived."))
    serve(offer)
    audit.record("permit.activated", permit, actor=order.payer, order=order.code)
    after_commit(prepare_document, permit.pk)
    return Done()


def _refuse_orphan(permit: Permit) -> Refused:
    if permit.status == PermitStatus.RESERVED:
        close_permit(permit, PermitStatus.CANCELLED)
        audit.record("permit.renewal_called_off", permit)
    return Refused("closed", _("The permit that it renews ended before its time."))


def _lock_with_lot(permit_id: int) -> Permit:
    """Lock the permit; before it its lot when it is temporary, because its space may have to be counted again.

    And the permit that it renews: whether that one has ended a moment ago decides who has its number.
    """
    found = Permit.objects.select_related("sale").get(pk=permit_id)
    if found.is_temporary:
        lock_row(Lot.objects.filter(pk=found.sale.lot_id), "product", "lot")
    if found.renews_id:
        lock_row(Permit.objects.filter(pk=found.renews_id), "product", "permit")
    return lock_row(Permit.objects.filter(pk=permit_id), "product", "permit")


def _note_paid(permit: Permit, order: Order) -> None:
    """Valid already because its money was promised: now it is in. The printed one names the promise: one print more."""
    if permit.promised_until is None:
        return
    more = 1 if permit.prints.exists() else 0
    Permit.objects.filter(pk=permit.pk).update(promised_until=None, extra_prints=F("extra_prints") + more)
    audit.record("permit.paid", permit, actor=order.payer, order=order.code)
    after_commit(prepare_document, permit.pk)


def _reactivate(permit: Permit, now: dt.datetime, offer: WaitlistOffer | None) -> Refused | None:
    if Permit.objects.live().filter(renews=permit.renews_id or 0).exists():
        return Refused("renewed", _("It was renewed by another payment before this one arrived."))
    if waits_for_number(permit):
        # The one that it renews still has the number, and hands it over at its end.
        advance(permit, PermitStatus.ACTIVE, table=PERMIT_MOVES, activated_at=now, closed_at=None, promised_until=None)
        return None
    place = _find_place(permit)
    if offer and (later_offer(offer) or offer.entry.status == EntryStatus.SERVED):
        return _take_over(permit, offer, now)
    limit = permit.permit_type.max_per_person
    if place is not None and place > limit and not (offer and replaces_another(offer)):
        return limit_refusal(limit)
    if permit.is_temporary:
        return _reactivate_temporary(permit, place, now)
    slot = claim_number(permit.sale, permit.number) or claim_slot(permit.sale)
    if slot is None:
        _raise_if_coming_free(permit.sale)
        return Refused("sold_out", _("The hold had run out before the payment arrived, and every permit is taken."))
    _revive(permit, slot, place, now)
    return None


def _raise_if_coming_free(sale: Sale) -> None:
    """Raise Busy when "sold out" may be wrong: a number came free since, or it did a moment ago and the list has yet to decide.

    One statement looks at both, because the list may decide between two.
    """
    states = set(sale.slots.filter(state__in=[SlotState.FREE, SlotState.FOR_LIST]).values_list("state", flat=True))
    if SlotState.FREE in states or (states and not is_waited_for(sale)):
        raise Busy


def _take_over(permit: Permit, offer: WaitlistOffer, now: dt.datetime) -> Refused | None:
    """Give the late money the number that was offered to the same place in line since; refuse it when that one was paid."""
    other = later_offer(offer)
    if other is None or other.sale_id != permit.sale_id:
        return Refused("offered_again", _("Another permit was offered to you before the payment arrived."))
    slot, place = other.slot, other.holder_place
    advance(other, PermitStatus.CANCELLED, table=PERMIT_MOVES, closed_at=now, held_until=None)
    audit.record("permit.cancelled", other, paid_with=permit.code)
    _revive(permit, slot, place, now)
    return None


def _revive(permit: Permit, slot: Slot, place: int | None, now: dt.datetime) -> None:
    try:
        with transaction.atomic():
            advance(
                permit,
                PermitStatus.ACTIVE,
                table=PERMIT_MOVES,
                activated_at=now,
                closed_at=None,
                promised_until=None,
                number=slot.number,
                holder_place=place,
            )
    except IntegrityError as error:
        # The holder reserved another one in this very moment: the next look finds another place, or none.
        raise Busy from error
    advance(slot, SlotState.TAKEN, table=SLOT_MOVES, field="state", permit=permit)


def waits_for_number(permit: Permit) -> bool:
    """Say whether it renews one of the same sale that still lives."""
    before = permit.renews
    return permit.waits and before is not None and before.status in LIVE and before.sale_id == permit.sale_id


def _find_place(permit: Permit) -> int | None:
    """Return the place among its holder's permits; None while the one that it follows is not over."""
    if permit.waits and permit.renews is not None and permit.renews.status in LIVE:
        return None
    return next_place(permit.holder, permit.limit_group) if permit.holder else 1


def _reactivate_temporary(permit: Permit, place: int | None, now: dt.datetime) -> Refused | None:
    stay = Stay(permit.valid_from, permit.valid_until)
    vehicles = [link.vehicle_id for link in permit.vehicle_links.all()]
    others = Permit.objects.live().filter(is_temporary=True, sale__lot=permit.lot, vehicle_links__vehicle__in=vehicles)
    if overlapping(list(others), stay):
        return Refused("twice", _("The vehicle has another permit there for that time already."))
    if not is_space_free(permit.lot, stay).is_allowed:
        return Refused("sold_out", _("The hold had run out before the payment arrived, and every space is taken."))
    try:
        with transaction.atomic():
            changes: dict[str, Any] = {"activated_at": now, "closed_at": None, "promised_until": None}
            advance(permit, PermitStatus.ACTIVE, table=PERMIT_MOVES, holder_place=place, **changes)
    except IntegrityError as error:
        raise Busy from error
    return None


def take_back_permit(*, permit_id: int, actor: User | None = None) -> None:
    """Cancel an active permit, because its money goes back; one that is already over stays as it is."""
    permit = lock_row(Permit.objects.filter(pk=permit_id), "product", "permit")
    if permit.status == PermitStatus.ACTIVE:
        close_permit(permit, PermitStatus.CANCELLED)
        audit.record("permit.cancelled", permit, actor=actor)


def prepare_document(permit_id: int) -> None:
    """Tell a worker to make the PDF."""
    from permits.tasks import make_document  # noqa: PLC0415 - tasks import services

    make_document.delay(permit_id)
