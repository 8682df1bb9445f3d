"""Where and when a permit is valid: the one rule that the permit page, the PDF, the status page and the officer read."""

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _

from opscom.provider.hours import covers_time, describe_days, describe_span
from opscom.provider.models import Lot
from opscom.provider.selectors import get_time_zone
from permits.closures import describe_closure, of_lot
from permits.models import Closure, Permit, PermitStatus, PermitType, PermitValidity


def is_valid_in(permit: Permit, lot: Lot, at: dt.datetime, closures: Sequence[Closure]) -> bool:
    """Say whether this permit lets its vehicles stand in the lot at that instant.

    The permit comes with its sale, type, validities and their lots loaded. `closures` are those of that instant, in all
    lots: nobody stands in a lot that is closed wholly, and whose lot is closed stands in those that take its place.
    """
    if permit.status != PermitStatus.ACTIVE or not permit.valid_from <= at < permit.valid_until:
        return False
    if permit.suspended_at is not None or (permit.promised_until is not None and permit.promised_until <= at):
        return False
    return lot.pk in _open_places(permit, at, closures)


def has_place(permit: Permit, at: dt.datetime, closures: Sequence[Closure]) -> bool:
    """Say whether closures leave the permit a lot: its own, one that takes its place, or others in which it is welcome."""
    return bool(permit.permit_type.validities.all() or _open_places(permit, at, closures))


def _open_places(permit: Permit, at: dt.datetime, closures: Sequence[Closure]) -> set[int]:
    """Return the lots of the permit's type at that instant, and those that take the place of closed ones, less the closed."""
    places = _places(permit, at)
    running = [closure for closure in closures if closure.covers(at)]
    instead = {lot.pk for closure in running if closure.lot_id in places for lot in closure.other_lots.all()}
    return (places | instead) - {closure.lot_id for closure in running if closure.is_whole}


def _places(permit: Permit, at: dt.datetime) -> set[int]:
    """Return the lots of the permit's type at that instant, open or closed."""
    rules = list(permit.permit_type.validities.all())
    if not rules:
        return {permit.sale.lot_id}
    local = at.astimezone(get_time_zone())
    return {pk for rule in rules if covers_time(rule, local) for pk in _lot_ids(rule, permit.sale.lot_id)}


def _lot_ids(rule: PermitValidity, own_lot_id: int) -> set[int]:
    return {lot.pk for lot in rule.lots.all()} or {own_lot_id}


def describe_validity(permit_type: PermitType, own_lot: Lot, closures: Sequence[Closure] = ()) -> list[str]:
    """Return one line for each place and time, and one for each of these closures of the own lot, in the active language.

    Without `closures`: a calendar entry or a sheet that is kept for months names none.
    """
    rules = list(permit_type.validities.all())
    places = [_describe(rule, own_lot) for rule in rules] or [_("%(lot)s, at all times") % {"lot": own_lot}]
    return places + [describe_closure(one) for one in of_lot(closures, own_lot.pk)]


def _describe(rule: PermitValidity, own_lot: Lot) -> str:
    lots = ", ".join(str(lot) for lot in rule.lots.all()) or str(own_lot)
    return ", ".join(part for part in (lots, describe_days(rule.weekdays), describe_span(rule)) if part)
