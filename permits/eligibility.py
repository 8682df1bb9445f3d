"""Every condition that must hold before a user type sees a sale and may buy: one list for the page, the rule and the office."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.holds import can_buy
from accounts.models import User, UserType
from accounts.selectors import current_user_type
from opscom.core.errors import Allowed, Decision, Refused
from opscom.provider.selectors import get_time_zone, local_date
from opscom.provider.templatetags.portal import until as write_until
from permits.closures import closed_wholly, closures_at
from permits.models import Closure, Permit, PermitStatus, PermitType, Sale, TermKind
from permits.proration import Other
from vehicles.models import Ownership, Vehicle


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a sale. `hides`: when it fails, the portal does not show the sale at all."""

    code: str
    text: str
    is_met: bool
    refusal: str
    hides: bool = False
    until: dt.datetime | None = None


def write_moment(moment: dt.datetime) -> str:
    """Write an instant as the reader's calendar and clock at the provider's place."""
    return date_format(moment.astimezone(get_time_zone()), "DATETIME_FORMAT")


def sale_conditions(
    sale: Sale,
    user_type: UserType | None,
    *,
    now: dt.datetime,
    allotted: int,
    free: int,
    closures: Sequence[Closure] = (),
) -> list[Condition]:
    """Return every condition for this user type, met or not, in the order in which a person should hear of them.

    `sale` comes with its lot, type and the type's user types loaded. `allotted` and `free` count its numbers.
    `closures` are what is closed now: given wherever something is sold; lists, offers and renewals go on meanwhile.
    """
    return [
        *_visibility(sale, user_type, allotted),
        *_dates(sale, now),
        _is_open(sale, now, closures),
        Condition("free", _("A number is free"), free > 0, _("Full: every permit of this lot is taken.")),
    ]


def _visibility(sale: Sale, user_type: UserType | None, allotted: int) -> list[Condition]:
    kinds = list(sale.permit_type.user_types.all())
    contact = _("It is not on sale. Please contact the parking office.")
    return [
        Condition("lot_visible", _("The lot is visible"), sale.lot.is_visible, contact, hides=True),
        Condition("type_active", _("The permit type is in use"), sale.permit_type.is_active, contact, hides=True),
        Condition("sale_active", _("The sale is switched on"), sale.is_active, contact, hides=True),
        Condition(
            "user_type",
            _("The permit type is for this user type"),
            not kinds or user_type in kinds,
            _("This permit is not for your user type (%(type)s).")
            % {"type": user_type or pgettext("user type", "none")},
            hides=True,
        ),
        Condition(
            "allotted",
            _("The lot has spaces for temporary permits")
            if sale.permit_type.is_temporary
            else _("Permit numbers are allotted to the sale"),
            allotted > 0,
            contact,
            hides=True,
        ),
        Condition(
            "dates_set",
            _("A sale of fixed terms has its dates"),
            sale.permit_type.term_kind != TermKind.FIXED or sale.valid_until is not None,
            contact,
            hides=True,
        ),
    ]


def _dates(sale: Sale, now: dt.datetime) -> list[Condition]:
    opens, closes = sale.opens_at, sale.closes_at
    over = sale.valid_until is not None and sale.valid_until <= local_date(now)
    return [
        Condition(
            "opened",
            _("The sale has opened"),
            opens <= now,
            _("On sale from %(moment)s") % {"moment": write_moment(opens)},
            until=opens,
        ),
        Condition(
            "not_closed",
            _("The sale has not closed"),
            closes is None or now < closes,
            _("The sale ended on %(moment)s") % {"moment": write_moment(closes) if closes else ""},
        ),
        Condition(
            "not_over", _("Its dates are not over"), not over, _("The dates of this permit are over."), hides=True
        ),
    ]


def _is_open(sale: Sale, now: dt.datetime, closures: Sequence[Closure]) -> Condition:
    # Temporary permits ask whether the lot is open in the time that is wished.
    closed = None if sale.permit_type.is_temporary else closed_wholly(closures, sale.lot_id, now)
    return Condition(
        "closed",
        _("The lot is not closed now"),
        closed is None,
        _("The lot is closed until %(moment)s") % {"moment": write_moment(closed.ends_at)} if closed else "",
        until=closed.ends_at if closed else None,
    )


def first_failing(conditions: Iterable[Condition]) -> Condition | None:
    """Return the first condition that is not met."""
    return next((condition for condition in conditions if not condition.is_met), None)


def conditions_hold(conditions: Iterable[Condition]) -> Decision:
    """Allow when every condition is met; else refuse with the first that is not."""
    failing = first_failing(conditions)
    return Refused(failing.code, failing.refusal, failing.until) if failing else Allowed()


def is_shown(conditions: Iterable[Condition]) -> bool:
    """Say whether the portal shows the sale."""
    return all(condition.is_met for condition in conditions if condition.hides)


def can_reserve(*, holder: User, sale: Sale, vehicles: Sequence[Vehicle], now: dt.datetime) -> Decision:
    """Say whether the holder may reserve a permit of the sale for these vehicles now, or why not and until when."""
    if sale.permit_type.is_temporary:
        return Refused("temporary", _("This is a temporary permit: choose its time first."))
    # The numbers themselves decide at the claim: here one free number is enough, whoever is about to take it.
    allotted, free = sale.slots.exists(), sale.slots.filter(state="free").exists()
    return may_be_sold(holder=holder, sale=sale, vehicles=vehicles, now=now, allotted=allotted, free=free)


def may_be_sold(
    *, holder: User | None, sale: Sale, vehicles: Sequence[Vehicle], now: dt.datetime, allotted: int, free: int
) -> Decision:
    """Say whether the sale sells to this holder (None: a guest, who has no user type and no account to hold) now."""
    # The clock anew: a hold on the account may have come while the caller waited for the lock on the person.
    buying = can_buy(holder, max(now, timezone.now())) if holder else Allowed()
    if not buying.is_allowed:
        return buying
    user_type = current_user_type(holder, local_date(now)) if holder else None
    closures = [] if sale.permit_type.is_temporary else closures_at(now)
    decisions = [
        conditions_hold(sale_conditions(sale, user_type, now=now, allotted=allotted, free=free, closures=closures))
    ]
    if holder:
        decisions.append(within_person_limit(holder, sale.permit_type, live_permits(holder, now)))
        decisions.append(vehicles_fit(holder, sale, vehicles, now))
    return next((decision for decision in decisions if not decision.is_allowed), Allowed())


def live_permits(holder: User, now: dt.datetime) -> list[Permit]:
    """Return what the holder has reserved or holds, the oldest first; the next period of one of them is none of its own."""
    permits = Permit.objects.filter(holder=holder).holding(now).counting().select_related("sale")
    return list(permits.order_by("reserved_at"))


def within_person_limit(holder: User, kind: PermitType, live: Sequence[Permit]) -> Decision:
    """Say whether the holder of these live permits may have one more of this type."""
    if not holder.is_email_proved and live:
        return Refused(
            "email_not_proved",
            _("Until you have proved your e-mail address you can hold one permit. You hold %(number)s.")
            % {"number": live[0].number},
        )
    counted = [permit for permit in live if permit.limit_group == kind.limit_group]
    if len(counted) < kind.max_per_person:
        return Allowed()
    return limit_refusal(kind.max_per_person, counted[0])


def held_already(live: Sequence[Permit], kind: PermitType) -> Other:
    """Say what of these live permits of one person counts together with the type: nothing, a reservation, or one of theirs."""
    statuses = {permit.status for permit in live if permit.limit_group == kind.limit_group}
    if PermitStatus.ACTIVE in statuses:
        return "active"
    return "reserved" if statuses else "none"


def limit_refusal(limit: int, permit: Permit | None = None) -> Refused:
    """Return the refusal of one permit too many, naming the one that stands in the way and until when."""
    reason = ngettext(
        "You may have %(limit)d permit of this kind at a time.",
        "You may have %(limit)d permits of this kind at a time.",
        limit,
    ) % {"limit": limit}
    if permit is None:
        return Refused("person_limit", reason)
    is_reserved = permit.status == PermitStatus.RESERVED
    until = permit.held_until if is_reserved else permit.valid_until
    held = (
        _("Until %(moment)s you have %(number)s reserved.")
        if is_reserved
        else _("Until %(moment)s you have %(number)s.")
    ) % {"number": permit.number, "moment": write_until(until)}
    return Refused("person_limit", f"{reason} {held}", until)


def vehicles_fit(holder: User, sale: Sale, vehicles: Sequence[Vehicle], now: dt.datetime) -> Decision:
    """Say whether these are the holder's own vehicles, in use, and as many and of the kinds that the type takes."""
    owned = Ownership.objects.visible_to(holder).usable(local_date(now)).filter(vehicle__in=vehicles)
    return vehicles_suit(sale.permit_type, vehicles, {ownership.vehicle_id: ownership.kind for ownership in owned})


def vehicles_suit(kind: PermitType, vehicles: Sequence[Vehicle], kinds: Mapping[int, str]) -> Decision:
    """As `vehicles_fit`; `kinds`: of each vehicle that is the holder's own and in use."""
    if not vehicles:
        return Refused("no_vehicle", _("Choose the vehicle that will park."))
    if len(vehicles) > kind.max_vehicles:
        return Refused(
            "too_many_vehicles",
            ngettext(
                "This permit is for %(limit)d vehicle.",
                "This permit is for up to %(limit)d vehicles.",
                kind.max_vehicles,
            )
            % {"limit": kind.max_vehicles},
        )
    if not kinds.keys() >= {vehicle.pk for vehicle in vehicles}:
        return Refused("vehicle_not_usable", _("Choose active vehicles of your own."))
    if kind.vehicle_kinds and not {kinds[vehicle.pk] for vehicle in vehicles} <= set(kind.vehicle_kinds):
        return Refused("vehicle_kind", _("This permit is only for certain kinds of vehicle; the chosen one is not."))
    return Allowed()
