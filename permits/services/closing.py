"""The end of a permit, whichever it is: its number, and the permit that was to renew it."""

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _

from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_rows
from opscom.core.transitions import advance
from opscom.provider.selectors import local_date
from payments.models import Order, OrderLine, Payment, PaymentStatus
from permits import rollover_emails as emails
from permits.models import (
    LIVE,
    PERMIT_MOVES,
    SLOT_MOVES,
    Permit,
    PermitStatus,
    PermitVehicle,
    Rollover,
    Slot,
    SlotState,
)
from permits.renewal_dates import notice_at


def close_permit(permit: Permit, to: PermitStatus, *, now: dt.datetime | None = None) -> None:
    """Move a locked live permit to its end. Its number goes to who renews it, else to the list, which decides who is next.

    A temporary permit has no number of a sale: its space is free at once. One that waited to renew another has none, either.
    """
    now = now or timezone.now()
    advance(permit, to, table=PERMIT_MOVES, closed_at=now, held_until=None)
    slot = number_of(permit)
    heir = None if permit.is_temporary else _settle_renewal(permit, to, now)
    if slot is not None and heir is not None and heir.sale_id == permit.sale_id:
        state = SlotState.TAKEN if heir.status == PermitStatus.ACTIVE else SlotState.HELD
        advance(slot, state, table=SLOT_MOVES, field="state", permit=heir)
    elif slot is not None:
        advance(slot, SlotState.FOR_LIST, table=SLOT_MOVES, field="state", permit=None)
        after_commit(promote_soon, slot.sale_id)
    if permit.renews_id is not None:
        _note_renewal_over(permit, to)


def promote_soon(sale_id: int) -> None:
    """Let the list decide right after the commit that freed a number; when this fails, the beat task does it."""
    from permits.services.promoting import promote  # noqa: PLC0415 - an offer that is declined is closed here

    promote(sale_id)


def number_of(permit: Permit) -> Slot | None:
    """Return its number; None for those that have none. Raises DoesNotExist for one that has lost its own."""
    slot = Slot.objects.filter(permit=permit).first()
    if slot is None and not (permit.is_temporary or permit.waits):
        raise Slot.DoesNotExist(f"Permit {permit.code} has no number.")
    return slot


def _settle_renewal(permit: Permit, to: PermitStatus, now: dt.datetime) -> Permit | None:
    """Let the permit that renews this one take its place, and return it; None when there is none, or it is called off.

    It goes on only when this one ended on its last day, not before, and still belongs to the same person.
    """
    renewal = next(iter(lock_rows(Permit.objects.live().filter(renews=permit), "product", "permit")), None)
    if renewal is None or renewal.status == PermitStatus.ACTIVE:
        Rollover.objects.filter(permit=permit).update(next_try_at=None, charge_on=None)
    if renewal is None:
        return None
    if to != PermitStatus.ENDED or permit.valid_until > now or not _still_follows(renewal, permit):
        call_off_renewal(renewal)
        return None
    place = permit.holder_place if renewal.waits else renewal.holder_place
    Permit.objects.filter(pk=renewal.pk).update(holder_place=place)
    if renewal.sale_id == permit.sale_id:
        # What changed meanwhile about the one that ends has changed about this one, too.
        Permit.objects.filter(pk=renewal.pk).update(
            number=permit.number,
            suspended_at=permit.suspended_at,
            suspension_reason=permit.suspension_reason,
        )
        copy_vehicles(permit, renewal)
    renewal.refresh_from_db()
    _hand_switch_on(permit, renewal)
    return renewal


def _still_follows(renewal: Permit, permit: Permit) -> bool:
    """Say whether it is still for the same person, and for a number that the other has or that it has itself."""
    has_number = renewal.sale_id == permit.sale_id or Slot.objects.filter(permit=renewal).exists()
    return renewal.holder_id == permit.holder_id and has_number


def copy_vehicles(permit: Permit, renewal: Permit) -> None:
    """Put the vehicles of the permit, and no others, on the one that renews it."""
    wanted = list(permit.vehicle_links.values_list("vehicle_id", flat=True))
    renewal.vehicle_links.exclude(vehicle__in=wanted).delete()
    links = [PermitVehicle(permit=renewal, vehicle_id=pk) for pk in wanted]
    PermitVehicle.objects.bulk_create(links, ignore_conflicts=True)


def _hand_switch_on(permit: Permit, renewal: Permit) -> None:
    """What the holder switched on stays on for the next period, and months are counted from the same day."""
    row = Rollover.objects.filter(permit=permit).first()
    if row is None or not renewal.permit_type.is_rollover_offered:
        return
    at = notice_at(local_date(renewal.valid_until)) if row.is_on else None
    Rollover.objects.get_or_create(
        permit=renewal, defaults={"is_on": row.is_on, "anchor_on": row.anchor_on, "next_try_at": at}
    )


def let_go_of_renewal(permit: Permit, *, is_switch_kept: bool) -> None:
    """Call the next period off, because the locked permit goes to another sale, or another person, a moment from now.

    With the switch kept it is renewed anew where it is then. Raises NotAllowed once the next period is paid, or being paid.
    """
    row = Rollover.objects.filter(permit=permit).first()
    for renewal in lock_rows(Permit.objects.live().filter(renews=permit), "product", "permit"):
        if renewal.status != PermitStatus.RESERVED or renewal.promised_until is not None or is_money_in(renewal):
            raise NotAllowed(_("Its next period is paid, or being paid. Please refund that one first."))
        close_permit(renewal, PermitStatus.CANCELLED)
        audit.record("permit.renewal_called_off", renewal)
    if row is not None and row.is_on:
        # At once: the beat finds out whether its day has come.
        due = timezone.now() if is_switch_kept else None
        Rollover.objects.filter(pk=row.pk).update(is_on=is_switch_kept, next_try_at=due, charge_on=None)


def is_money_in(renewal: Permit) -> bool:
    """Say whether money for it is in, or under way."""
    orders = Order.objects.filter(lines__kind="permit", lines__object_id=renewal.pk)
    waiting = [PaymentStatus.CREATED, PaymentStatus.STARTED, PaymentStatus.APPROVED]
    return Payment.objects.filter(order__in=orders, status__in=waiting).exists()


def call_off_renewal(renewal: Permit) -> None:
    """End the locked live permit that was to renew another: at once while it is not paid, else with its money back.

    The refund has its own transaction: orders are locked before permits.
    """
    paid = OrderLine.objects.filter(kind="permit", object_id=renewal.pk, settled=True).exists()
    if not paid:
        close_permit(renewal, PermitStatus.CANCELLED)
        audit.record("permit.renewal_called_off", renewal)
    else:
        after_commit(refund_soon, renewal.pk)


def refund_soon(renewal_id: int) -> None:
    """Give the money of a renewal back whose permit is over before its time; when this fails, the beat does it."""
    from permits.services.renewing import refund_renewal  # noqa: PLC0415 - which delivers, and so closes

    refund_renewal(renewal_id)


def _note_renewal_over(renewal: Permit, to: PermitStatus) -> None:
    """Tell of a renewal that was not paid in time; one that was called off before it began switches the rollover off."""
    if to == PermitStatus.LAPSED:
        emails.lapsed(renewal)
    else:
        rows = Rollover.objects.filter(permit=renewal.renews, permit__status__in=LIVE)
        rows.update(is_on=False, charge_on=None, next_try_at=None)


def is_orphaned(renewal: Permit) -> bool:
    """Say whether the permit that this one was to renew is over before its time: then this one can never begin.

    One that lapsed at that one's end is none: late money still gets it a number, if there is one.
    """
    before = renewal.renews
    if before is None or not renewal.waits or before.status in LIVE:
        return False
    return not (renewal.status == PermitStatus.LAPSED and before.status == PermitStatus.ENDED)
