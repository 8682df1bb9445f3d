"""Where and when a permit is valid: the one rule that the permit page, the PDF, the status page and the officer read."""

import datetime as dt
from collections.abc import Sequence

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import time_format
from django.utils.translation import gettext as _

from opscom.provider.models import Lot
from opscom.provider.selectors import get_time_zone
from permits.models import Permit, PermitStatus, PermitType, PermitValidity

MIDNIGHT = dt.time.min


def covers_time(rule: PermitValidity, local: dt.datetime) -> bool:
    """Say whether the rule's weekdays and hours hold at this local time; hours are half-open and may pass midnight."""
    time = local.time()
    start, end = rule.from_time, rule.until_time
    if start == end or (start == MIDNIGHT and end == MIDNIGHT):
        return _on(rule, local.date())
    if end == MIDNIGHT or start < end:
        return _on(rule, local.date()) and time >= start and (end == MIDNIGHT or time < end)
    evening = _on(rule, local.date()) and time >= start
    # 22:00 to 06:00 on Fridays still holds on Saturday at five.
    morning = _on(rule, local.date() - dt.timedelta(days=1)) and time < end
    return evening or morning


def _on(rule: PermitValidity, day: dt.date) -> bool:
    return not rule.weekdays or day.weekday() in rule.weekdays


def is_valid_in(permit: Permit, lot: Lot, at: dt.datetime) -> bool:
    """Say whether this permit lets its vehicles stand in the lot at that instant.

    The permit comes with its sale, type, validities and their lots loaded.
    """
    if permit.status != PermitStatus.ACTIVE or not permit.valid_from <= at < permit.valid_until:
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
    parts = [lots, _days(rule.weekdays), _hours(rule)]
    return ", ".join(part for part in parts if part)


def _days(weekdays: Sequence[int]) -> str:
    return "" if not weekdays else " ".join(str(WEEKDAYS_ABBR[day]) for day in sorted(weekdays))


def _hours(rule: PermitValidity) -> str:
    if rule.from_time == rule.until_time:
        return _("at all times")
    if rule.until_time == MIDNIGHT:
        return _("from %(start)s") % {"start": time_format(rule.from_time)}
    return _("%(start)s to %(end)s") % {"start": time_format(rule.from_time), "end": time_format(rule.until_time)}
