"""Renew permits, step by step: the next period is made and announced, charged, tried again. The beat takes each step.

A step looks at what is there and does the next thing, so that a worker may die anywhere, and come twice or late. What it
must not do twice has its own guard: one live renewal of a permit, one open order of a payer, one charge under way of an
order, one settled line of a permit.
"""

import datetime as dt
import logging
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed, Refused
from opscom.core.locks import lock_row
from opscom.provider.selectors import local_date, start_of_day
from payments.models import LineStatus, MethodKind, Order, OrderLine, OrderStatus, Payment, PaymentStatus, RefundReason
from payments.services.attempts import ChargeUnderWay
from payments.services.charging import charge_stored
from payments.services.deducting import deduct_order
from payments.services.orders import place_order
from payments.services.settling import finish_order, owe_line, settle_free_order
from permits import rollover_emails as emails
from permits.models import LIVE, Permit, PermitStatus, PermitVehicle, Rollover
from permits.renewal_dates import ONE_DAY, at_work, first_charge_day, next_charge_day, notice_at
from permits.renewals import (
    can_renew,
    holder_of,
    live_renewal,
    load_for_renewal,
    next_period,
    paying_method,
    price_period,
)
from permits.services.closing import close_permit
from permits.services.delivering import take_back_permit
from permits.services.rollover import orders_of, payments_under_way

log = logging.getLogger(__name__)
# Longer than a gateway's answer may take: until then no other worker takes the same step.
LEASE = dt.timedelta(minutes=10)
# Money under way is looked at again after this; the reconciler asks the gateway meanwhile.
WAIT = dt.timedelta(minutes=15)
REFUSED = (PaymentStatus.DECLINED, PaymentStatus.EXPIRED)


def take_next_step(now: dt.datetime | None = None, *, broken: set[int] | None = None) -> bool:
    """Take the step that has been due longest; False when none is due. One that fails is noted in `broken`, and waits."""
    now = now or timezone.now()
    due = Rollover.objects.filter(next_try_at__lte=now).exclude(permit__in=broken or ())
    row = due.order_by("next_try_at").first()
    if row is None:
        return False
    # Claimed by moving it: of two workers one does.
    if Rollover.objects.filter(pk=row.pk, next_try_at=row.next_try_at).update(next_try_at=now + LEASE):
        try:
            take_step(row.permit_id, now)
        except Exception:
            if broken is None:
                raise
            log.exception("the renewal of permit %s failed", row.permit_id)
            broken.add(row.permit_id)
    return True


def take_step(permit_id: int, now: dt.datetime) -> None:
    """Do what is next for the renewal of this permit: make it, or take its money."""
    permit = load_for_renewal().get(pk=permit_id)
    renewal = live_renewal(permit)
    with override(permit.language):
        if renewal is None:
            prepare_renewal(permit, now)
        elif renewal.status == PermitStatus.ACTIVE or renewal.promised_until is not None:
            _look_again(permit, None)
        else:
            collect_renewal(permit, renewal, now)


def _look_again(permit: Permit, at: dt.datetime | None, **changes: Any) -> None:
    Rollover.objects.filter(permit=permit).update(next_try_at=at, **changes)


# The next period


@transaction.atomic
def prepare_renewal(permit: Permit, now: dt.datetime) -> None:
    """Reserve the next period, with the notice of what it costs and when that is taken; or tell why it is not renewed.

    Nothing is done when it is too early or too late, switched off, or renewed already. What is refused is looked at again
    each day.
    """
    lock_person(holder_of(permit))
    lock_row(Permit.objects.filter(pk=permit.pk), "product", "permit")
    permit = load_for_renewal().get(pk=permit.pk)
    due = notice_at(local_date(permit.valid_until))
    if permit.status != PermitStatus.ACTIVE or permit.valid_until <= now or not permit.rollover.is_on:
        _look_again(permit, None)
    elif live_renewal(permit):
        _look_again(permit, now)
    elif now < due:
        _look_again(permit, due)
    elif isinstance(decision := can_renew(permit, now), Refused):
        _tell_refusal(permit, decision, now)
    else:
        _announce(permit, now)


def _announce(permit: Permit, now: dt.datetime) -> None:
    renewal = _reserve_next(permit, now)
    charge_on = first_charge_day(local_date(permit.valid_until), local_date(now))
    _look_again(permit, at_work(charge_on), charge_on=charge_on, tries=0)
    emails.announced(renewal, charge_on=charge_on, stored=paying_method(holder_of(permit)))


def _tell_refusal(permit: Permit, refused: Refused, now: dt.datetime) -> None:
    """Tell the reason once, and look again tomorrow: what stands in the way may be gone by then."""
    emails.refused(permit, code=refused.code, reason=str(refused.reason))
    tomorrow = local_date(now) + ONE_DAY
    _look_again(permit, at_work(tomorrow) if tomorrow < local_date(permit.valid_until) else None, charge_on=None)


def _reserve_next(permit: Permit, now: dt.datetime) -> Permit:
    first, after_last = next_period(permit)
    price = price_period(
        sale=permit.sale,
        holder=holder_of(permit),
        place=permit.holder_place or 1,
        first=first,
        after_last=after_last,
        now=now,
    )
    renewal = Permit.objects.create(
        number=permit.number,
        holder=permit.holder,
        sale=permit.sale,
        limit_group=permit.limit_group,
        holder_place=None,
        renews=permit,
        valid_from=permit.valid_until,
        valid_until=start_of_day(after_last),
        net=price.net,
        price_parts=price.parts,
        taxes=price.taxes,
        exemption_number=price.exemption_number,
        held_until=permit.valid_until,
    )
    links = [PermitVehicle(permit=renewal, vehicle=link.vehicle) for link in permit.vehicle_links.all()]
    PermitVehicle.objects.bulk_create(links)
    audit.record("permit.renewal_reserved", renewal, renews=permit.code)
    return renewal


# Its money


def collect_renewal(permit: Permit, renewal: Permit, now: dt.datetime) -> None:
    """Charge the next period when its day has come, unless that is under way or done; note a charge that was refused."""
    row = Rollover.objects.get(permit=permit)
    # Money that is in and not delivered, or that the office must look at, is not asked for again, either.
    is_in = Payment.objects.filter(order__in=orders_of(renewal), status=PaymentStatus.APPROVED).exists()
    if is_in or payments_under_way(renewal).exists():
        return _look_again(permit, now + WAIT)
    if row.charge_on is None:
        return _look_again(permit, None)
    if refused := _refused_today(renewal, row.charge_on):
        return _note_refused(row, renewal, now, payment=refused)
    if now < at_work(row.charge_on):
        return _look_again(permit, at_work(row.charge_on))
    if renewal.sale_id == permit.sale_id and isinstance(decision := can_renew(permit, now), Refused):
        return _withdraw(permit, renewal, decision, now)
    return _charge(row, renewal, now)


def _refused_today(renewal: Permit, charge_on: dt.date) -> Payment | None:
    """Return the charge of this try that was refused and perhaps not yet told of: a worker may have died in between."""
    charges = Payment.objects.filter(order__in=orders_of(renewal), stored_method__isnull=False, status__in=REFUSED)
    return charges.filter(created_at__gte=start_of_day(charge_on)).order_by("-pk").first()


@transaction.atomic
def _withdraw(permit: Permit, renewal: Permit, refused: Refused, now: dt.datetime) -> None:
    """What allowed the renewal a few days ago does so no more: the reservation is called off, the switch stays on."""
    lock_row(Permit.objects.filter(pk=permit.pk), "product", "permit")
    renewal = lock_row(Permit.objects.filter(pk=renewal.pk), "product", "permit")
    if renewal.status == PermitStatus.RESERVED and not payments_under_way(renewal).exists():
        close_permit(renewal, PermitStatus.CANCELLED)
        audit.record("permit.renewal_called_off", renewal, reason=refused.code)
        Rollover.objects.filter(permit=permit).update(is_on=True)
        _tell_refusal(permit, refused, now)


def _charge(row: Rollover, renewal: Permit, now: dt.datetime) -> None:
    """Ask for the money once. The order and the try are written down before; what comes of it is read from the rows."""
    order = None
    try:
        order = order_renewal(renewal)
        payment = pay_renewal(order)
    except ChargeUnderWay:
        return _look_again(row.permit, now + WAIT)
    except NotAllowed as error:
        if order is None or Order.objects.get(pk=order.pk).status == OrderStatus.CLOSED:
            # Its holder began to pay something in this very moment, or gave it back.
            return _look_again(row.permit, now + WAIT)
        return _note_refused(row, renewal, now, reason=str(error))
    except DomainError:
        return _look_again(row.permit, now + WAIT)
    if payment is not None and payment.status in REFUSED:
        return _note_refused(row, renewal, now, payment=payment)
    return _look_again(row.permit, now + WAIT)


def order_renewal(renewal: Permit) -> Order:
    """Place the order for it, or return the one that is open. Raises what `place_order` raises."""
    holder = holder_of(renewal)
    return place_order(
        payer=holder, selection={"permit": [renewal.pk]}, email=holder.contact_email or "", language=holder.language
    )


def pay_renewal(order: Order) -> Payment | None:
    """Pay the order by what its payer chose for rollovers; None when there was nothing to pay. Raises NotAllowed.

    Source: the manual, `If you want to enable your card to pay for monthly permits that recur, toggle on Permit Rollover`.
    """
    if order.due == 0:
        settle_free_order(order=order)
        finish_order(order.pk)
        return None
    stored = paying_method(order.payer) if order.payer else None
    if stored is None:
        raise NotAllowed(_("Nothing that is stored pays for Permit Rollover any more."))
    if stored.kind == MethodKind.CARD:
        return charge_stored(order=order, stored_method=stored, reason="recurring")
    payment = deduct_order(order=order, stored_method=stored, actor=None)
    finish_order(order.pk)
    return payment


@transaction.atomic
def _note_refused(
    row: Rollover, renewal: Permit, now: dt.datetime, *, payment: Payment | None = None, reason: str = ""
) -> None:
    """Count the try, plan the next one, and tell the holder how to mend it: once for each try."""
    tries, today = row.tries + 1, local_date(now)
    before = local_date(renewal.held_until or now)
    day = next_charge_day(row.charge_on or today, tries=tries, today=today, before=before)
    mine = Rollover.objects.filter(pk=row.pk, charge_on=row.charge_on, tries=row.tries, is_on=row.is_on)
    if not mine.update(tries=tries, charge_on=day, next_try_at=at_work(day) if day else None):
        return
    asks = payment is not None and payment.needs_customer
    emails.declined(renewal, key=str(tries), reason=reason, next_on=day, asks_holder=asks)
    audit.record("permit.renewal_not_charged", renewal, tries=tries, reason=reason)


# Called off after it was paid


@transaction.atomic
def refund_renewal(renewal_id: int) -> None:
    """Give the money of a paid renewal back, whole, because the permit that it renews is over before its time."""
    line = OrderLine.objects.filter(kind="permit", object_id=renewal_id, status=LineStatus.FULFILLED).first()
    if line is None:
        return
    order = lock_row(Order.objects.filter(pk=line.order_id), "order")
    line.refresh_from_db()
    if line.status == LineStatus.FULFILLED:
        take_back_permit(permit_id=renewal_id)
        owe_line(line, order.paying_payment, RefundReason.NOT_AVAILABLE)


def refund_orphans() -> int:
    """Give back what a crash left: paid renewals of permits that ended before their time. Returns how many were found."""
    before_time = ~Q(renews__status=PermitStatus.ENDED) | Q(renews__closed_at__lt=F("renews__valid_until"))
    renewals = Permit.objects.filter(before_time, status=PermitStatus.ACTIVE, renews__isnull=False)
    ids = list(renewals.exclude(renews__status__in=LIVE).values_list("pk", flat=True)[:200])
    for renewal_id in ids:
        try:
            refund_renewal(renewal_id)
        except Exception:
            log.exception("the money of renewal %s could not go back", renewal_id)
    return len(ids)
