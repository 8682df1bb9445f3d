"""A permit is paid, or its money goes back."""

import datetime as dt

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
from payments.models import Order
from payments.purchasables import Done
from permits.eligibility import limit_refusal
from permits.models import PERMIT_MOVES, SLOT_MOVES, Permit, PermitStatus, SlotState
from permits.services.holding import close_permit
from permits.services.reserving import next_place
from permits.slots import claim_number, claim_slot


def activate_permit(*, permit_id: int, order: Order) -> Done | Refused:
    """Make a paid permit active, once. A hold that had lapsed gets its number back if that is free, else another one.

    Refused, to be refunded: given back meanwhile, its dates over, the sale full, or the holder at their limit. Raises
    Busy while the last numbers are being fought over.
    """
    permit = lock_row(Permit.objects.filter(pk=permit_id), "product", "permit")
    if permit.status in (PermitStatus.ACTIVE, PermitStatus.ENDED):
        _note_paid(permit, order)
        return Done()
    now = timezone.now()
    if permit.valid_until <= now:
        return Refused("over", _("Its dates were over before the payment arrived."))
    if permit.status == PermitStatus.RESERVED:
        slot = permit.slot
        advance(permit, PermitStatus.ACTIVE, table=PERMIT_MOVES, activated_at=now, held_until=None, promised_until=None)
        advance(slot, SlotState.TAKEN, table=SLOT_MOVES, field="state")
    elif permit.status == PermitStatus.LAPSED:
        refused = _reactivate(permit, now)
        if refused:
            return refused
    else:
        return Refused("closed", _("It was given back or cancelled before the payment arrived."))
    audit.record("permit.activated", permit, actor=order.payer, order=order.code)
    after_commit(prepare_document, permit.pk)
    return Done()


def _note_paid(permit: Permit, order: Order) -> None:
    """Valid already because its money was promised: now it is in. The printed one names the promise: one print more."""
    if permit.promised_until is None:
        return
    more = 1 if permit.prints.exists() else 0
    Permit.objects.filter(pk=permit.pk).update(promised_until=None, extra_prints=F("extra_prints") + more)
    audit.record("permit.paid", permit, actor=order.payer, order=order.code)
    after_commit(prepare_document, permit.pk)


def _reactivate(permit: Permit, now: dt.datetime) -> Refused | None:
    kind = permit.permit_type
    place = next_place(permit.holder, permit.limit_group)
    if place > kind.max_per_person:
        return limit_refusal(kind.max_per_person)
    slot = claim_number(permit.sale, permit.number) or claim_slot(permit.sale)
    if slot is None and permit.sale.slots.filter(state=SlotState.FOR_LIST).exists():
        # Came free a moment ago, and the list has not decided about it: "sold out" may be wrong.
        raise Busy
    if slot is None:
        return Refused("sold_out", _("The hold had run out before the payment arrived, and every permit is taken."))
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
    return None


def take_back_permit(*, permit_id: int, actor: User | None = None) -> None:
    """Cancel an active permit, because its money goes back; one that is already over stays as it is."""
    permit = lock_row(Permit.objects.filter(pk=permit_id), "product", "permit")
    if permit.status == PermitStatus.ACTIVE:
        close_permit(permit, PermitStatus.CANCELLED)
        audit.record("permit.cancelled", permit, actor=actor)


@transaction.atomic
def revoke_permit(*, permit: Permit, actor: User) -> None:
    """The office ends an active permit without giving money back; its number goes to who waits."""
    permit = lock_row(Permit.objects.filter(pk=permit.pk), "product", "permit")
    close_permit(permit, PermitStatus.REVOKED)
    audit.record("permit.revoked", permit, actor=actor, on_behalf_of=permit.holder)


def prepare_document(permit_id: int) -> None:
    """Tell a worker to make the PDF."""
    from permits.tasks import make_document  # noqa: PLC0415 - tasks import services

    make_document.delay(permit_id)
