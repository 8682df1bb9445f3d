"""Where and when a permit is valid: the one rule that the permit page, the PDF, the status page and the officer read."""

import datetime as dt

from django.utils.translation import gettext as _

from opscom.provider.hours import covers_time, describe_days, describe_span
from opscom.provider.models import Lot
from opscom.provider.selectors import get_time_zone
from permits.models import Permit, PermitStatus, PermitType, PermitValidity


def is_valid_in(permit: Permit, lot: Lot, at: dt.datetime) -> bool:
    """Say whether this permit lets its vehicles stand in the lot at that instant.

    The permit comes with its sale, type, validities and their lots loaded.
    """
    if permit.status != PermitStatus.ACTIVE or not permit.valid_from <= at < permit.valid_until:
        return False
    if permit.promised_until is not None and permit.promised_until <= at:
        return False
    rules = list(permit.permit_type.validities.all())
    if not rules:
        return permit.sale.lot_id == lot.pk
    local = at.astimezone(get_time_zone())
    return any(covers_time(rule, local) and lot.pk in _lot_ids(rule, permit.sale.lot_id) for rule in rules)


def _lot_ids(rule: PermitValidity, own_lot_id: int) -> set[int]:
    return {lot.pk for lot in rule.lots.all()} or {own_lot_id}


def describe_validity(permit_type: PermitType, own_lot: Lot) -> list[str]:
    """Return one line for each place and time, in the active language."""
    rules = list(permit_type.validities.all())
    if not rules:
        return [_("%(lot)s, at all times") % {"lot": own_lot}]
    return [_describe(rule, own_lot) for rule in rules]


def _describe(rule: PermitValidity, own_lot: Lot) -> str:
    lots = ", ".join(str(lot) for lot in rule.lots.all()) or str(own_lot)
    return ", ".join(part for part in (lots, describe_days(rule.weekdays), describe_span(rule)) if part)
