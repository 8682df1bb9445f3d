"""The office moves what a permit stands on: its number, its lot, its holder. Money and receipts stay with who paid."""

import random
import re
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed, Stale
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_row, lock_rows
from opscom.core.money import ZERO
from opscom.core.transitions import advance
from opscom.provider.selectors import local_date, start_of_day
from payments.models import Debt, DebtReason
from payments.services.debts import owe_again
from permits import change_emails
from permits.eligibility import limit_refusal, live_permits, vehicles_fit, within_person_limit
from permits.models import (
    SLOT_MOVES,
    NumberChange,
    NumberChangeReason,
    Permit,
    PermitStatus,
    PermitVehicle,
    ReplacementCar,
    Sale,
    Slot,
    SlotState,
    make_public_code,
)
from permits.services.allotting import overlapping_sales
from permits.services.closing import let_go_of_renewal, promote_soon
from permits.services.ending import lock_with_money
from permits.services.reserving import next_place
from permits.services.vehicles import give_another_print
from permits.slots import claim_number, claim_slot
from vehicles.models import Vehicle

KIND = "permit"
LONGEST_NUMBER = 20
REPLACEMENT = re.compile(r"-R\d+$")


def require_reason(reason: str) -> str:
    """Return the reason without spaces around it; DomainError when there is none."""
    if not reason.strip():
        raise DomainError(_("Please say why."))
    return reason.strip()[:300]


@transaction.atomic
def switch_permits(*, one: Permit, other: Permit, reason: str, actor: User) -> None:
    """Two holders trade numbers, and lots where those differ. Each keeps their own vehicles, dates, price and payments.

    Raises NotAllowed unless both are active permits of one type, of two people, whose dates fit the other's sale.
    """
    reason = require_reason(reason)
    both = lock_rows(Permit.objects.filter(pk__in=[one.pk, other.pk]), "product", KIND)
    for permit in both:
        _require_numbered(permit)
    if len(both) != 2 or both[0].holder_id == both[1].holder_id:
        raise NotAllowed(_("Choose the permit of another person."))
    if both[0].permit_type != both[1].permit_type:
        raise NotAllowed(_("Only permits of one type can be switched."))
    first, second = both
    _require_dates(first, second.sale)
    _require_dates(second, first.sale)
    if first.sale_id != second.sale_id:
        for permit in both:
            let_go_of_renewal(permit, is_switch_kept=True)
    slots = [first.slot, second.slot]
    # A number may carry one permit only, at each moment: the first one lets go, takes none, and takes the second's.
    advance(slots[0], SlotState.FOR_LIST, table=SLOT_MOVES, field="state", permit=None)
    Slot.objects.filter(pk=slots[1].pk).update(permit=first)
    advance(slots[0], SlotState.HELD, table=SLOT_MOVES, field="state", permit=second)
    advance(slots[0], SlotState.TAKEN, table=SLOT_MOVES, field="state")
    for permit, slot in ((first, slots[1]), (second, slots[0])):
        old = permit.number
        _renumber(permit, slot, NumberChangeReason.SWITCHED, reason, actor)
        audit.record("permit.switched", permit, actor=actor, on_behalf_of=permit.holder, old=old, reason=reason)
        change_emails.number_changed(permit, old_number=old, reason=reason)


@transaction.atomic
def move_permit(*, permit: Permit, sale: Sale, number: str, reason: str, actor: User) -> None:
    """Give the permit another free number, of its own sale or another one; "" is any. The price and the dates stay.

    Raises NotAllowed: not an active standard permit, the number is not free, its dates or vehicles do not fit the sale, or
    its holder is at the limit of the other type. Busy while the last numbers are being fought over.
    """
    reason = require_reason(reason)
    [holder] = _lock_people(permit.holder_id)
    permit = lock_row(Permit.objects.filter(pk=permit.pk), "product", KIND)
    _require_numbered(permit)
    _require_holder(permit, holder)
    sale = Sale.objects.select_related("lot", "permit_type").get(pk=sale.pk)
    _require_dates(permit, sale)
    place = permit.holder_place
    if sale.permit_type_id != permit.sale.permit_type_id:
        vehicles = [link.vehicle for link in permit.vehicle_links.select_related("vehicle")]
        vehicles_fit(holder, sale, vehicles, timezone.now()).or_raise()
        if sale.permit_type.limit_group != permit.limit_group:
            place = next_place(holder, sale.permit_type.limit_group)
            if place > sale.permit_type.max_per_person:
                raise NotAllowed(limit_refusal(sale.permit_type.max_per_person).reason)
    if sale.pk != permit.sale_id:
        let_go_of_renewal(permit, is_switch_kept=True)
    old, slot = permit.slot, claim_number(sale, number) if number else claim_slot(sale)
    if slot is None:
        raise NotAllowed(_("This number is not free: somebody holds it, or it is kept for who waits."))
    advance(old, SlotState.FOR_LIST, table=SLOT_MOVES, field="state", permit=None)
    advance(slot, SlotState.TAKEN, table=SLOT_MOVES, field="state", permit=permit)
    after_commit(promote_soon, old.sale_id)
    facts = {"old": old.number, "old_sale": str(permit.sale), "reason": reason}
    Permit.objects.filter(pk=permit.pk).update(limit_group=sale.permit_type.limit_group, holder_place=place)
    _renumber(permit, slot, NumberChangeReason.MOVED, reason, actor)
    audit.record("permit.moved", permit, actor=actor, on_behalf_of=holder, **facts)
    change_emails.number_changed(permit, old_number=old.number, reason=reason)


@transaction.atomic
def hand_over_permit(*, permit: Permit, to: User, vehicles: Sequence[Vehicle], reason: str, actor: User) -> None:
    """Let another person hold the permit, for vehicles of theirs. What was paid stays paid, by who paid it.

    Raises NotAllowed: not an active paid permit, that person may not hold one more, or the vehicles are not theirs.
    """
    reason = require_reason(reason)
    people = {person.pk: person for person in _lock_people(permit.holder_id, to.pk)}
    permit = lock_row(Permit.objects.filter(pk=permit.pk), "product", KIND)
    _require_numbered(permit)
    if permit.holder_id not in people or permit.holder_id == to.pk:
        raise NotAllowed(_("Choose another person."))
    former, to = people[permit.holder_id], people[to.pk]
    now = timezone.now()
    within_person_limit(to, permit.permit_type, live_permits(to, now)).or_raise()
    vehicles_fit(to, permit.sale, vehicles, now).or_raise()
    let_go_of_renewal(permit, is_switch_kept=False)
    ReplacementCar.objects.filter(permit=permit, starts_at__gte=now).delete()
    ReplacementCar.objects.filter(permit=permit, ends_at__gt=now).update(ends_at=now)
    permit.vehicle_links.all().delete()
    PermitVehicle.objects.bulk_create([PermitVehicle(permit=permit, vehicle=vehicle) for vehicle in vehicles])
    place = next_place(to, permit.limit_group)
    Permit.objects.filter(pk=permit.pk).update(holder=to, holder_place=place)
    permit.holder = to
    _renumber(permit, permit.slot, NumberChangeReason.HANDED_OVER, reason, actor)
    audit.record("permit.handed_over", permit, actor=actor, on_behalf_of=to, former=str(former), reason=reason)
    change_emails.handed_over(permit, to=to, former=former, reason=reason)


@transaction.atomic
def replace_permit(*, permit: Permit, why: NumberChangeReason, reason: str, with_fee: bool, actor: User) -> Debt | None:
    """A lost or stolen permit gets a number of its own; the old one is out of use, and what was printed is not valid.

    The new number is the old one with -R1, -R2 behind it: it takes no number from buyers or from who waits. Returns the
    fee, tax included, as a debt of who paid the permit. Raises NotAllowed when it is not active, or when its money is still
    promised and a fee is asked.
    """
    reason = require_reason(reason)
    permit, line = lock_with_money(permit)
    _require_numbered(permit)
    old = permit.slot
    number = _replacement_number(old)
    fee = permit.permit_type.replacement_fee if with_fee else ZERO
    if fee and line is None:
        raise NotAllowed(_("This permit is not paid yet: take the fee at the counter, and replace it without one."))
    advance(old, SlotState.RETIRED, table=SLOT_MOVES, field="state", permit=None)
    slot = Slot.objects.create(
        sale=permit.sale,
        number=number,
        state=SlotState.TAKEN,
        permit=permit,
        shuffle=random.random(),  # noqa: S311 - where buyers begin to look
    )
    debt = (
        owe_again(line=line, amount=fee, reason=DebtReason.REPLACED, actor=actor, note=reason) if line and fee else None
    )
    _renumber(permit, slot, why, reason, actor, debt)
    audit.record(
        "permit.replaced", permit, actor=actor, on_behalf_of=permit.holder, old=old.number, why=why, fee=str(fee)
    )
    change_emails.number_changed(permit, old_number=old.number, reason=reason, debt=debt)
    return debt


def _replacement_number(old: Slot) -> str:
    base = REPLACEMENT.sub("", old.number)
    had = Slot.objects.filter(sale=old.sale_id, number__startswith=f"{base}-R").count()
    number = f"{base}-R{had + 1}"
    others = Slot.objects.filter(sale__in=overlapping_sales(old.sale), number=number)
    if len(number) > LONGEST_NUMBER or others.exclude(state=SlotState.RETIRED).exists():
        raise NotAllowed(
            _("There is no number %(number)s to be had: move the permit to another one.") % {"number": number}
        )
    return number


def _renumber(
    permit: Permit, slot: Slot, why: NumberChangeReason, note: str, actor: User, debt: Debt | None = None
) -> None:
    """Write the change, and let the permit have the slot's number and a QR code of its own."""
    NumberChange.objects.create(
        permit=permit,
        old_number=permit.number,
        new_number=slot.number,
        old_public_code=permit.public_code,
        reason=why,
        note=note,
        debt=debt,
        changed_by=actor,
    )
    permit.number, permit.sale, permit.public_code = slot.number, slot.sale, make_public_code()
    permit.save(update_fields=["number", "sale", "public_code"])
    # The next period, which waits for this very number, has it then.
    Permit.objects.live().filter(renews=permit, holder_place=None, sale=slot.sale).update(number=slot.number)
    give_another_print(permit)


def _lock_people(*ids: int | None) -> list[User]:
    people = lock_rows(User.objects.filter(pk__in=[pk for pk in ids if pk is not None]), "person")
    if len(people) != len(set(ids)) or any(person.merged_into_id for person in people):
        raise Stale(_("This account was put together with another one. Please look at it again."))
    return people


def _require_holder(permit: Permit, holder: User) -> None:
    if permit.holder_id != holder.pk:
        raise Stale(_("This record changed while you were looking at it. Please reload."))


def _require_numbered(permit: Permit) -> None:
    """Raise NotAllowed unless it is an active standard permit whose money is in."""
    if permit.is_temporary:
        raise NotAllowed(_("A temporary permit has no number of a sale: this cannot be done with it."))
    if permit.status != PermitStatus.ACTIVE:
        raise NotAllowed(_("Only an active permit can be changed in this way."))
    if permit.waits:
        raise NotAllowed(
            _("This is the next period of a permit that is still running: change that one, and it follows.")
        )
    if permit.promised_until is not None:
        raise NotAllowed(_("The money for this permit is only promised: take it first."))


def _require_dates(permit: Permit, sale: Sale) -> None:
    if sale.permit_type.is_temporary:
        raise NotAllowed(_("Choose a sale of standard permits."))
    if sale.pk == permit.sale_id:
        # The office may have moved the sale's dates since: a permit that stays in it keeps its own.
        return
    first, end = local_date(permit.valid_from), permit.valid_until
    is_before = sale.valid_from is not None and first < sale.valid_from
    is_after = sale.valid_until is not None and end > start_of_day(sale.valid_until)
    if is_before or is_after:
        raise NotAllowed(_("The dates of permit %(number)s do not fit that sale.") % {"number": permit.number})
