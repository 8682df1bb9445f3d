"""What becomes of a hold: prolonged once by its holder, given back, or lapsed."""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.locks import lock_row, lock_rows, note_lock
from opscom.provider.models import Lot
from payments.models import OrderLine
from permits.models import Permit, PermitStatus, WaitlistOffer
from permits.services.closing import close_permit

log = logging.getLogger(__name__)
# A payer may be sent to a gateway's page this often with the hold prolonged each time; then the clock runs out.
MOST_GATEWAY_HOLDS = 2


@transaction.atomic
def extend_hold(*, permit: Permit, actor: User, now: dt.datetime | None = None) -> Permit:
    """Give the holder the type's minutes once more from now; raises NotAllowed the second time or when it is over."""
    now = now or timezone.now()
    permit = lock_row(Permit.objects.filter(pk=permit.pk), "product", "permit")
    if permit.status != PermitStatus.RESERVED or permit.held_until is None or permit.held_until <= now:
        raise NotAllowed(_("The hold has run out. Please reserve again."))
    if WaitlistOffer.objects.filter(permit=permit).exists():
        raise NotAllowed(_("This was offered to you from a waitlist: it holds until its deadline."))
    if permit.was_extended:
        raise NotAllowed(_("The hold was already extended once. Please pay before it runs out."))
    longer = max(permit.held_until, now + dt.timedelta(minutes=permit.permit_type.hold_minutes))
    Permit.objects.filter(pk=permit.pk).update(held_until=longer, was_extended=True)
    audit.record("permit.hold_extended", permit, actor=actor, held_until=longer)
    permit.refresh_from_db()
    return permit


def hold_for_gateway(*, permit_ids: list[int], until: dt.datetime) -> None:
    """Keep reserved permits while their payer is at the bank, at most twice for each."""
    wanted = Permit.objects.filter(
        pk__in=permit_ids, status=PermitStatus.RESERVED, gateway_holds__lt=MOST_GATEWAY_HOLDS
    )
    # Locked by number first: an update alone takes them in the order in which they lie on disk.
    held = [permit.pk for permit in lock_rows(wanted, "product", "permit")]
    Permit.objects.filter(pk__in=held).update(
        held_until=Greatest("held_until", until), gateway_holds=F("gateway_holds") + 1
    )


@transaction.atomic
def give_back_reservation(*, permit: Permit, actor: User) -> None:
    """The holder does not want it any more: the number is free for others at once."""
    permit = lock_row(Permit.objects.filter(pk=permit.pk), "product", "permit")
    if permit.status != PermitStatus.RESERVED:
        raise NotAllowed(_("Only a reservation that is not paid can be given back."))
    if WaitlistOffer.objects.filter(permit=permit).exists():
        raise NotAllowed(_("This was offered to you from a waitlist: please decline the offer instead."))
    if permit.promised_until is not None:
        raise NotAllowed(_("You promised to bring the money for it. To give it back, take that promise back first."))
    close_permit(permit, PermitStatus.CANCELLED)
    audit.record("permit.given_back", permit, actor=actor)


def lapse_next(
    now: dt.datetime | None = None,
    *,
    holder: User | None = None,
    lot: Lot | None = None,
    broken: set[int] | None = None,
) -> bool:
    """Free what one hold that has run out kept; False when there is none, or another worker has it.

    `holder`: only of theirs; `lot`: only a temporary one there.

    What is paid and not yet delivered keeps its number, however long the delivery takes. `broken`: see `_close_next`.
    """
    paid = OrderLine.objects.filter(kind="permit", object_id=OuterRef("pk"), settled=True)
    due = Permit.objects.filter(~Exists(paid), status=PermitStatus.RESERVED, held_until__lte=now or timezone.now())
    due = due.filter(holder=holder) if holder else due
    due = due.filter(is_temporary=True, sale__lot=lot) if lot else due
    return _close_next(due.order_by("held_until"), PermitStatus.LAPSED, "permit.lapsed", broken)


def end_next(now: dt.datetime | None = None, *, broken: set[int] | None = None) -> bool:
    """End one active permit whose last instant has passed; False when there is none. `broken`: see `_close_next`."""
    due = Permit.objects.filter(status=PermitStatus.ACTIVE, valid_until__lte=now or timezone.now())
    return _close_next(due.order_by("valid_until"), PermitStatus.ENDED, "permit.ended", broken, now)


def _close_next(
    due: QuerySet[Permit], to: PermitStatus, action: str, broken: set[int] | None, now: dt.datetime | None = None
) -> bool:
    """Close the first of these in a transaction of its own.

    One that fails is noted in the caller's `broken` and passed over from then on, so that it stops nobody behind it;
    without `broken`, its exception is raised.
    """
    permit = None
    try:
        with transaction.atomic():
            note_lock("product", "permit")
            rows = due.exclude(pk__in=broken or ())
            permit = rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
            if permit is None:
                return False
            close_permit(permit, to, now=now)
            audit.record(action, permit)
    except Exception:
        if permit is None or broken is None:
            raise
        log.exception("permit %s could not be moved to %s", permit.code, to)
        broken.add(permit.pk)
    return True
