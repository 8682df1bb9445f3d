"""Close a lot or a part of it, change that, call it off; and tell each holder once, a person at a time."""

import datetime as dt
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import Allowed, Decision, NotAllowed, Refused, Stale
from opscom.core.locks import lock_row, note_lock
from opscom.provider.models import Lot
from permits import closure_emails
from permits.models import Closure, ClosureNotice, ClosureReason, Permit, PermitQuerySet, PermitValidity, Sale

log = logging.getLogger(__name__)
# Each is given the closure and the permit of one person, and writes into the outbox; text messages join here.
CHANNELS = [closure_emails.tell_holder]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is closed from when until when, why, and where people park meanwhile. `spaces` None: the whole lot."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    spaces: int | None = None
    reason: str = ClosureReason.OTHER
    words: dict[str, str] = field(default_factory=dict)
    other_lots: Sequence[Lot] = ()


def can_close(lot: Lot, terms: Terms, now: dt.datetime) -> Decision:
    """Say whether the lot can be closed on these terms."""
    if terms.ends_at <= terms.starts_at:
        return Refused("order", _("The end must be after the start."))
    if terms.ends_at <= now:
        return Refused("past", _("That time is over."))
    if terms.spaces is not None and not 1 <= terms.spaces <= max(lot.stalls, lot.temporary_spaces):
        return Refused("spaces", _("The lot does not have so many spaces. For the whole lot, leave it empty."))
    if any(other.pk == lot.pk for other in terms.other_lots):
        return Refused("same_lot", _("The lot itself cannot take its place."))
    return Allowed()


@transaction.atomic
def close_lot(*, lot: Lot, terms: Terms, actor: User, now: dt.datetime | None = None) -> Closure:
    """Close it from now on for everybody who asks; the workers tell its holders. Raises NotAllowed as `can_close` says."""
    # Under the lot's lock: no temporary permit is counted and written at this moment.
    lot = lock_row(Lot.objects.filter(pk=lot.pk), "product", "lot")
    can_close(lot, terms, now or timezone.now()).or_raise()
    closure = Closure.objects.create(lot=lot, made_by=actor, **_fields(terms))
    closure.other_lots.set(terms.other_lots)
    audit.record("closure.made", closure, actor=actor, **_facts(closure))
    return closure


@transaction.atomic
def change_closure(
    *, closure: Closure, terms: Terms, edition: int, actor: User, now: dt.datetime | None = None
) -> Closure:
    """Write the closure anew and tell its holders again, also who was told and is not touched any more.

    `edition` is what the actor saw. Raises Stale when it was changed meanwhile, NotAllowed when it is over.
    """
    now = now or timezone.now()
    closure = _lock(closure, edition, now)
    can_close(closure.lot, terms, now).or_raise()
    for name, value in _fields(terms).items():
        setattr(closure, name, value)
    closure.edition = edition + 1
    closure.save()
    closure.other_lots.set(terms.other_lots)
    audit.record("closure.changed", closure, actor=actor, **_facts(closure))
    return closure


@transaction.atomic
def call_off(*, closure: Closure, edition: int, actor: User, now: dt.datetime | None = None) -> Closure:
    """The lot is open at once; who was told is told that. Raises Stale and NotAllowed as `change_closure` does."""
    now = now or timezone.now()
    closure = _lock(closure, edition, now)
    closure.cancelled_at, closure.edition = now, edition + 1
    closure.save(update_fields=["cancelled_at", "edition"])
    audit.record("closure.called_off", closure, actor=actor)
    return closure


def _lock(closure: Closure, edition: int, now: dt.datetime) -> Closure:
    # The closure before its lot: "closure" stands before "lot" among the products.
    locked = lock_row(Closure.objects.filter(pk=closure.pk), "product", "closure")
    lock_row(Lot.objects.filter(pk=locked.lot_id), "product", "lot")
    if locked.edition != edition:
        raise Stale(_("This closure changed while you were looking at it. Please look at it again."))
    if locked.cancelled_at is not None or locked.ends_at <= now:
        raise NotAllowed(_("This closure is over."))
    return locked


def _fields(terms: Terms) -> dict[str, object]:
    names = ("starts_at", "ends_at", "spaces", "reason", "words")
    return {name: getattr(terms, name) for name in names}


def _facts(closure: Closure) -> dict[str, object]:
    return {"from": closure.starts_at.isoformat(), "until": closure.ends_at.isoformat(), "spaces": closure.spaces}


def touched_permits(lot: Lot, start: dt.datetime, end: dt.datetime) -> PermitQuerySet:
    """Return the live permits that may stand in the lot at some instant of [start, end): its own, and other lots'."""
    welcome = PermitValidity.objects.filter(lots=lot).values("permit_type")
    # By sale first: an index finds them, however many permits other lots have.
    sales = Sale.objects.filter(Q(lot=lot) | Q(permit_type__in=welcome))
    return Permit.objects.live().filter(sale__in=sales, valid_from__lt=end, valid_until__gt=start)


def permits_to_tell(closure: Closure) -> PermitQuerySet:
    """Return whom this edition concerns and has not reached: permits it touches, and those told of an earlier one."""
    told = ClosureNotice.objects.filter(closure=closure)
    earlier = Q(pk__in=told.filter(edition__lt=closure.edition).values("permit"))
    if closure.cancelled_at is not None:
        return Permit.objects.filter(earlier)
    touched = touched_permits(closure.lot, closure.starts_at, closure.ends_at)
    now_in_it = Q(pk__in=touched.values("pk")) & ~Q(pk__in=told.values("permit"))
    return Permit.objects.filter(earlier | now_in_it)


def tell_holders(*, seconds: float = 20.0) -> int:
    """Tell who is still to be told, closure by closure, for so many seconds at the most; returns how many were."""
    until, count = time.monotonic() + seconds, 0
    due = Closure.objects.filter(told_edition__lt=F("edition")).order_by("pk")
    for closure_id in list(due.values_list("pk", flat=True)):
        broken: set[int] = set()
        while time.monotonic() < until and tell_next(closure_id, broken=broken):
            count += 1
    return count


def tell_next(closure_id: int, *, broken: set[int]) -> bool:
    """Tell the holder of one permit, in a transaction of its own; False when nobody is left whom this run can tell.

    Notice and message are written together: a worker that dies has written neither, and the next one goes on. One that
    fails is noted in `broken`, stops nobody else, and is tried in the next run. Two workers never tell of one closure.
    """
    permit = None
    try:
        with transaction.atomic():
            note_lock("product", "closure")
            due = Closure.objects.filter(pk=closure_id, told_edition__lt=F("edition"))
            closure = due.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
            if closure is None:
                return False
            rows = permits_to_tell(closure).exclude(pk__in=broken)
            permit = rows.select_related("holder", "sale__lot").order_by("pk").first()
            if permit is not None:
                _tell(closure, permit)
            elif not broken:
                Closure.objects.filter(pk=closure.pk).update(told_edition=closure.edition)
    except Exception:
        if permit is None:
            raise
        log.exception("the holder of permit %s could not be told of a closure", permit.code)
        broken.add(permit.pk)
    return permit is not None


def _tell(closure: Closure, permit: Permit) -> None:
    ClosureNotice.objects.update_or_create(closure=closure, permit=permit, defaults={"edition": closure.edition})
    for tell in CHANNELS:
        tell(closure, permit)
