"""Roll the holders of one sale into another: started by the office, done by a worker, one person in each transaction."""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import User
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import Allowed, Busy, Decision, DomainError, NotAllowed, Refused
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_row, lock_rows, note_lock
from opscom.core.transitions import advance
from opscom.provider.selectors import local_date, start_of_day
from permits import rollover_emails as emails
from permits.models import (
    ROLL_MOVES,
    ROW_MOVES,
    SLOT_MOVES,
    Permit,
    PermitVehicle,
    Rollover,
    RollRow,
    RollRun,
    RollStatus,
    RowStatus,
    Sale,
    Slot,
    SlotState,
)
from permits.renewal_dates import at_work
from permits.renewals import anchor_of, holder_of
from permits.rolling import Line, Plan, examine, no_number, permits_to_roll, plan_of
from permits.services.reserving import next_place
from permits.slots import claim_number, claim_slot

log = logging.getLogger(__name__)


def can_roll(plan: Plan, today: dt.date) -> Decision:
    """Say whether these two sales and these days make sense; who of the holders can is another question."""
    source, target = plan.source, plan.target
    if source.pk == target.pk or target.permit_type.is_temporary or source.permit_type.is_temporary:
        return Refused("target", _("Choose another sale, of standard permits."))
    if source.valid_until and target.valid_from and target.valid_from < source.valid_until:
        return Refused("overlaps", _("The new sale must not begin before the old one ends."))
    if plan.pay_by < today:
        return Refused("pay_by", _("The last day to pay is over."))
    if plan.charge_on is not None and not today < plan.charge_on <= plan.pay_by:
        return Refused("charge_on", _("Charge after today, and not after the last day to pay: people are told before."))
    return Allowed()


@transaction.atomic
def start_roll(*, plan: Plan, actor: User, now: dt.datetime | None = None) -> RollRun:
    """Write down whom the worker rolls, each once. Raises NotAllowed as `can_roll` says, or while the same is under way."""
    now = now or timezone.now()
    can_roll(plan, local_date(now)).or_raise()
    lock_rows(Sale.objects.filter(pk__in=[plan.source.pk, plan.target.pk]), "waitlist")
    if RollRun.objects.filter(source=plan.source, status=RollStatus.RUNNING).exists():
        raise NotAllowed(_("The holders of this sale are being rolled already. Please wait until that is done."))
    run = RollRun.objects.create(
        source=plan.source,
        target=plan.target,
        pay_by=plan.pay_by,
        charge_on=plan.charge_on,
        skips_switched_off=plan.skips_switched_off,
        started_by=actor,
    )
    run.user_types.set(plan.user_types)
    ids = permits_to_roll(plan.source).values_list("pk", flat=True)
    RollRow.objects.bulk_create([RollRow(run=run, permit_id=pk) for pk in ids], batch_size=2000)
    audit.record("roll.started", run, actor=actor, count=len(ids), pay_by=plan.pay_by)
    after_commit(_announce)
    return run


def _announce() -> None:
    from permits.tasks import roll_sales as task  # noqa: PLC0415 - tasks import services

    task.delay()


@transaction.atomic
def stop_roll(*, run: RollRun, actor: User) -> None:
    """Roll nobody more; who has a new permit keeps it. Raises IllegalMove when it is over."""
    advance(run, RollStatus.STOPPED, table=ROLL_MOVES, finished_at=timezone.now())
    audit.record("roll.stopped", run, actor=actor)


def roll_next(now: dt.datetime | None = None, *, broken: set[int] | None = None) -> bool:
    """Roll one person, in a transaction of their own; False when nobody waits, or other workers have them.

    One that fails is noted in the caller's `broken`, and waits for the next run; without `broken` its exception is raised.
    """
    row = None
    try:
        with transaction.atomic():
            # Only this function locks these rows, and before anything else.
            waiting = RollRow.objects.filter(status=RowStatus.WAITING, run__status=RollStatus.RUNNING)
            rows = waiting.exclude(pk__in=broken or ()).order_by("pk").select_related("run__source", "run__target")
            row = rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
            if row is None:
                return False
            _roll(row, now or timezone.now())
    except Exception as error:
        if row is None or broken is None:
            raise
        if not isinstance(error, Busy):
            log.exception("permit %s could not be rolled", row.permit_id)
        broken.add(row.pk)
    return True


def _roll(row: RollRow, now: dt.datetime) -> None:
    plan = plan_of(row.run)
    try:
        with transaction.atomic():
            successor = _reserve(plan, row.permit_id, now)
    except Busy:
        raise
    except DomainError as error:
        advance(row, RowStatus.SKIPPED, table=ROW_MOVES, reason=str(error)[:500])
    else:
        advance(row, RowStatus.ROLLED, table=ROW_MOVES, successor=successor)


def _reserve(plan: Plan, permit_id: int, now: dt.datetime) -> Permit:
    """Hold a number of the target for the permit's holder; raises NotAllowed with the reason of who cannot have one."""
    found = Permit.objects.select_related("holder").get(pk=permit_id)
    lock_person(holder_of(found))
    lock_row(Permit.objects.filter(pk=permit_id), "product", "permit")
    permit = permits_to_roll(plan.source).filter(pk=permit_id).first()
    if permit is None:
        raise NotAllowed(_("It is not active any more."))
    [line] = examine(plan, [permit], now)
    line.decision.or_raise()
    slot = claim_number(plan.target, permit.number) or claim_slot(plan.target) or _claim_kept(plan.target)
    if slot is None:
        no_number().or_raise()
    return _hold(plan, line, slot, now)


def _claim_kept(sale: Sale) -> Slot | None:
    """Lock a number that is kept for the list: whom the office rolls comes before those who wait."""
    note_lock("slot")
    kept = Slot.objects.filter(sale=sale, state=SlotState.FOR_LIST).order_by("shuffle")
    return kept.select_for_update(skip_locked=True, no_key=True).first()


def _hold(plan: Plan, line: Line, slot: Slot | None, now: dt.datetime) -> Permit:
    permit, price = line.permit, line.price
    if slot is None or price is None:
        raise TypeError("A line that is allowed has a price, and was given a number.")
    holder, group = holder_of(permit), plan.target.permit_type.limit_group
    successor = Permit.objects.create(
        number=slot.number,
        holder=holder,
        sale=plan.target,
        limit_group=group,
        # In another group it counts from now on; in the same, once the one that it follows is over.
        holder_place=None if group == permit.limit_group else next_place(holder, group),
        renews=permit,
        valid_from=start_of_day(line.first),
        valid_until=start_of_day(line.after_last),
        net=price.net,
        price_parts=price.parts,
        taxes=price.taxes,
        exemption_number=price.exemption_number,
        held_until=plan.held_until,
    )
    advance(slot, SlotState.HELD, table=SLOT_MOVES, field="state", permit=successor)
    links = [PermitVehicle(permit=successor, vehicle=link.vehicle) for link in permit.vehicle_links.all()]
    PermitVehicle.objects.bulk_create(links)
    if price.amount == 0:
        # Nothing to pay: the first look delivers it.
        _plan_charge(permit, local_date(now))
    elif line.method is not None and plan.charge_on is not None:
        _plan_charge(permit, plan.charge_on)
    with override(holder.language):
        emails.rolled(successor, charge_on=plan.charge_on, stored=line.method)
    audit.record("permit.rolled", successor, renews=permit.code)
    return successor


def _plan_charge(permit: Permit, charge_on: dt.date) -> None:
    """Let the beat take the money on that day, and again on the next ones, as it does for permits that renew themselves."""
    due = {"charge_on": charge_on, "tries": 0, "next_try_at": at_work(charge_on)}
    Rollover.objects.update_or_create(
        permit=permit, defaults=due, create_defaults={**due, "anchor_on": anchor_of(permit)}
    )


def finish_rolls() -> int:
    """Call those rolls done in which nobody waits any more; returns how many."""
    waiting = RollRow.objects.filter(run=OuterRef("pk"), status=RowStatus.WAITING)
    count = 0
    for run in RollRun.objects.filter(~Exists(waiting), status=RollStatus.RUNNING):
        with transaction.atomic():
            advance(run, RollStatus.DONE, table=ROLL_MOVES, finished_at=timezone.now())
            audit.record("roll.done", run, rolled=run.rows.filter(status=RowStatus.ROLLED).count())
            count += 1
    return count
