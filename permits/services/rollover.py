"""The switch `Permit Rollover` of one permit."""

import datetime as dt

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import Allowed, Decision, NotAllowed, Refused
from opscom.core.locks import lock_row, lock_rows
from opscom.provider.selectors import local_date
from payments.models import Order, OrderStatus, Payment, PaymentStatus
from permits.models import Permit, PermitStatus, Rollover
from permits.renewal_dates import notice_at
from permits.renewals import anchor_of, paying_method
from permits.services.closing import close_permit

UNDER_WAY = (PaymentStatus.CREATED, PaymentStatus.STARTED)


def can_switch_on(permit: Permit, now: dt.datetime) -> Decision:
    """Say whether the permit's rollover can be switched on now: a running monthly permit, and something that pays."""
    if permit.status != PermitStatus.ACTIVE or permit.valid_until <= now:
        return Refused("over", _("Only a permit that is active can be renewed."))
    if permit.holder is None or not permit.permit_type.is_rollover_offered:
        return Refused("not_offered", _("Permits of this type are not renewed."))
    if paying_method(permit.holder) is None:
        return Refused(
            "no_method", _("First choose what pays for Permit Rollover: a stored card, or what the office set up.")
        )
    return Allowed()


@transaction.atomic
def switch_on(*, permit: Permit, actor: User, now: dt.datetime | None = None) -> None:
    """Renew the permit from now on, seven days before it ends; raises NotAllowed as `can_switch_on` says. Twice is once."""
    now = now or timezone.now()
    permit = _lock(permit)
    can_switch_on(permit, now).or_raise()
    row, _made = Rollover.objects.get_or_create(permit=permit, defaults={"anchor_on": anchor_of(permit)})
    if row.is_on:
        return
    due = notice_at(local_date(permit.valid_until))
    Rollover.objects.filter(pk=row.pk).update(is_on=True, next_try_at=due, charge_on=None, tries=0)
    audit.record("permit.rollover_on", permit, actor=actor)


@transaction.atomic
def switch_off(*, permit: Permit, actor: User) -> None:
    """Renew it no more. A next period that is not paid is called off; one that is paid, or being paid, is the last one."""
    permit = _lock(permit)
    rows = Rollover.objects.filter(permit=permit, is_on=True)
    if not rows.update(is_on=False, next_try_at=None, charge_on=None):
        return
    audit.record("permit.rollover_off", permit, actor=actor)
    for renewal in lock_rows(Permit.objects.live().filter(renews=permit), "product", "permit"):
        is_unpaid = renewal.status == PermitStatus.RESERVED and renewal.promised_until is None
        if is_unpaid and not payments_under_way(renewal).exists() and not is_paid(renewal):
            close_permit(renewal, PermitStatus.CANCELLED)
            audit.record("permit.renewal_called_off", renewal, actor=actor)


def _lock(permit: Permit) -> Permit:
    """Lock the person and the permit; NotAllowed for a guest's, which nobody switches."""
    if permit.holder is None:
        raise NotAllowed(_("Permits of this type are not renewed."))
    lock_person(permit.holder)
    return lock_row(Permit.objects.filter(pk=permit.pk), "product", "permit")


def orders_of(renewal: Permit) -> QuerySet[Order]:
    """Return the orders in which it stood."""
    return Order.objects.filter(lines__kind="permit", lines__object_id=renewal.pk)


def is_paid(renewal: Permit) -> bool:
    """Say whether its money is in, delivered or not."""
    return orders_of(renewal).filter(lines__kind="permit", lines__object_id=renewal.pk, lines__settled=True).exists()


def payments_under_way(renewal: Permit) -> QuerySet[Payment]:
    """Return payments whose end nobody knows yet: of the renewal, or of what its holder is paying at this moment.

    One order of a payer is open at a time: another charge must not close the one with which they are at the bank.
    """
    here = Q(order__in=orders_of(renewal)) | Q(order__payer=renewal.holder, order__status=OrderStatus.OPEN)
    return Payment.objects.filter(here, status__in=UNDER_WAY)
