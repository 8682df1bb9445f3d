"""Whether and how a permit goes over into its next period: reads only."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.holds import can_buy
from accounts.models import User
from accounts.selectors import current_user_type
from opscom.core.errors import Allowed, Decision, Refused
from opscom.core.money import ZERO
from opscom.provider.selectors import local_date
from payments.models import MethodKind, StoredMethod, SubscriptionUse, TaxRate
from payments.stored import stored_for
from payments.tax_sums import price_taxes
from payments.taxing import rates_for
from permits.eligibility import conditions_hold, sale_conditions, vehicles_fit
from permits.models import LIVE, Permit, PermitStatus, Rollover, Sale
from permits.proration import Price as Standard
from permits.proration import price_standard
from permits.renewal_dates import next_end


@dataclass(frozen=True, slots=True)
class Price:
    """What a period costs its holder: net, how that was made, each tax on it."""

    net: Decimal
    taxes: list[dict[str, str]]
    exemption_number: str = ""
    parts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        """What the payer pays."""
        return self.net + sum((Decimal(tax["amount"]) for tax in self.taxes), ZERO)


def load_for_renewal() -> QuerySet[Permit]:
    """Return permits with all that renewing them reads."""
    loaded = Permit.objects.select_related("sale__lot", "sale__permit_type", "holder__user_type", "rollover")
    return loaded.prefetch_related("vehicle_links__vehicle", "sale__permit_type__user_types")


def live_renewal(permit: Permit) -> Permit | None:
    """Return the reserved or paid permit of the next period, if there is one."""
    return Permit.objects.filter(renews=permit, status__in=LIVE).select_related("sale__permit_type", "holder").first()


def holder_of(permit: Permit) -> User:
    """Return whose it is; a guest's permit is never renewed, so that there is always somebody."""
    if permit.holder is None:
        raise TypeError(f"Permit {permit.code} belongs to nobody.")
    return permit.holder


def is_switched_on(permit: Permit) -> bool:
    """Say whether its holder wants it renewed."""
    return Rollover.objects.filter(permit=permit, is_on=True).exists()


def paying_method(holder: User) -> StoredMethod | None:
    """Return what the holder chose to pay rollovers with: stored, still offered for that, not expired."""
    stored = stored_for(holder, SubscriptionUse.PERMIT_ROLLOVER)
    return stored if stored and is_chargeable(stored) else None


def is_chargeable(stored: StoredMethod) -> bool:
    """Say whether it can be charged: not a card that has expired."""
    return stored.kind != MethodKind.CARD or not stored.is_expired


def next_period(permit: Permit) -> tuple[dt.date, dt.date]:
    """Return the half-open dates of the period after this permit's."""
    start = local_date(permit.valid_until)
    kind = permit.permit_type
    return start, next_end(start, term_kind=kind.term_kind, months=kind.months, anchor=anchor_of(permit))


def anchor_of(permit: Permit) -> dt.date:
    """Return the day from which its months are counted."""
    row = Rollover.objects.filter(permit=permit).first()
    return row.anchor_on if row else local_date(permit.valid_from)


def price_period(
    *, sale: Sale, holder: User, place: int, first: dt.date, after_last: dt.date, now: dt.datetime
) -> Price:
    """Return what the sale's permit costs this holder for these dates, at the prices of this moment.

    `place`: their how manieth permit of its group it is; the price of a second one counts for all but the first.
    """
    rates, exemption_number = rates_for(holder, sale.permit_type.taxes.all(), local_date(now))
    made = price_standard(sale, first, after_last, other="active" if place > 1 else "none")
    return with_taxes(made, rates, exemption_number, holder.language)


def with_taxes(made: Standard, rates: Iterable[TaxRate], exemption_number: str, language: str) -> Price:
    """Return the price with these taxes on it, named in the language of who pays them."""
    with override(language):
        taxes = [part.as_json() for part in price_taxes(made.net, rates)]
    return Price(made.net, taxes, exemption_number, made.parts)


def can_renew(permit: Permit, now: dt.datetime) -> Decision:
    """Say whether this permit may go over into its next period, or why not; `load_for_renewal` loads what is asked."""
    if permit.status != PermitStatus.ACTIVE or permit.valid_until <= now:
        return Refused("over", _("It is not active."))
    if permit.promised_until is not None:
        return Refused("not_paid", _("The money for it has not come in yet."))
    if permit.suspended_at is not None:
        return Refused("suspended", _("It is suspended: %(reason)s") % {"reason": permit.suspension_reason})
    sale, holder = permit.sale, permit.holder
    if holder is None or not sale.permit_type.is_rollover_offered:
        return Refused("not_offered", _("Permits of this type are not renewed."))
    buying = can_buy(holder, now)
    if not buying.is_allowed:
        return buying
    start, end = next_period(permit)
    if sale.valid_until is not None and end > sale.valid_until:
        day = date_format(sale.valid_until - dt.timedelta(days=1), "DATE_FORMAT")
        return Refused("sale_ends", _("Permits of this sale end on %(day)s at the latest.") % {"day": day})
    conditions = sale_conditions(sale, current_user_type(holder, start), now=now, allotted=1, free=1)
    decision = conditions_hold(conditions)
    if not decision.is_allowed:
        return decision
    vehicles = [link.vehicle for link in permit.vehicle_links.all()]
    return vehicles_fit(holder, sale, vehicles, now) if vehicles else Allowed()
