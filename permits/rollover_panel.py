"""What a permit's page and `Manage Credit Cards` say of its rollover."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from opscom.core.errors import Refused
from opscom.provider.selectors import local_date
from payments.models import StoredMethod
from payments.switches import Switch
from permits.models import Permit, PermitStatus, Rollover
from permits.renewal_dates import ONE_DAY, first_charge_day, notice_at
from permits.renewals import (
    can_renew,
    holder_of,
    live_renewal,
    load_for_renewal,
    next_period,
    paying_method,
    price_period,
)
from permits.rollover_emails import amount_of


@dataclass(frozen=True, slots=True)
class Panel:
    """The rollover of one permit, as its holder sees it. `permit` carries the switch; `renewal` is its next period.

    `first_day` to `last_day`, `amount`, `charge_on`: of the next period, reserved or as it would be now.
    """

    permit: Permit
    is_on: bool
    renewal: Permit | None
    method: StoredMethod | None
    refusal: Refused | None
    first_day: dt.date
    last_day: dt.date
    amount: Decimal
    notice_on: dt.date
    charge_on: dt.date | None

    @property
    def is_paid(self) -> bool:
        return self.renewal is not None and self.renewal.status == PermitStatus.ACTIVE

    @property
    def ends_after(self) -> dt.date:
        """The last day of what is paid."""
        last = self.renewal if self.renewal is not None and self.is_paid else self.permit
        return local_date(last.valid_until) - ONE_DAY


def carrier_of(permit: Permit) -> Permit:
    """Return the permit that carries the switch: for a next period that waits, the one that it renews."""
    return permit.renews if permit.waits and permit.renews is not None else permit


def make_panel(permit: Permit, now: dt.datetime) -> Panel | None:
    """Return what the permit's page says; None where it is not active, or its type offers no rollover."""
    permit = carrier_of(permit)
    if permit.status != PermitStatus.ACTIVE or permit.holder is None or not permit.permit_type.is_rollover_offered:
        return None
    permit = load_for_renewal().get(pk=permit.pk)
    row = Rollover.objects.filter(permit=permit).first()
    is_on = row is not None and row.is_on
    renewal = live_renewal(permit)
    decision = can_renew(permit, now) if is_on and renewal is None else None
    charge_on = row.charge_on if row and renewal else first_charge_day(local_date(permit.valid_until), local_date(now))
    return Panel(
        permit=permit,
        is_on=is_on,
        renewal=renewal,
        method=paying_method(holder_of(permit)),
        refusal=decision if isinstance(decision, Refused) else None,
        notice_on=max(local_date(notice_at(local_date(permit.valid_until))), local_date(now)),
        charge_on=charge_on,
        **_next(permit, renewal, now),
    )


def _next(permit: Permit, renewal: Permit | None, now: dt.datetime) -> dict[str, Any]:
    if renewal is not None:
        first, after_last = local_date(renewal.valid_from), local_date(renewal.valid_until)
        amount = amount_of(renewal)
    else:
        first, after_last = next_period(permit)
        place = permit.holder_place or 1
        price = price_period(
            sale=permit.sale, holder=holder_of(permit), place=place, first=first, after_last=after_last, now=now
        )
        amount = price.amount
    return {"first_day": first, "last_day": after_last - ONE_DAY, "amount": amount}


def list_switches(person: Any) -> list[Switch]:
    """Return the switches of the person's running monthly permits, for `Manage Credit Cards`: one query."""
    permits = Permit.objects.visible_to(person).filter(
        status=PermitStatus.ACTIVE, valid_until__gt=timezone.now(), sale__permit_type__is_rollover_offered=True
    )
    rows = permits.counting().select_related("sale__lot", "sale__permit_type", "rollover").order_by("valid_until", "pk")
    return [_switch(permit) for permit in rows]


def _switch(permit: Permit) -> Switch:
    row = getattr(permit, "rollover", None)
    is_on = row is not None and row.is_on
    day = date_format(local_date(permit.valid_until) - (dt.timedelta(0) if is_on else ONE_DAY), "DATE_FORMAT")
    detail = _("Renews on %(day)s") if is_on else _("Ends after %(day)s")
    label = f"{permit.number} · {permit.lot}, {permit.permit_type}"
    return Switch(label, detail % {"day": day}, reverse("permits:rollover", args=[permit.code]), is_on)
