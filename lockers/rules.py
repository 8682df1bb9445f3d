"""Who may rent which locker, and why not. Each refusal says which rule, and until when where that is known."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.holds import can_buy
from accounts.models import User, UserType
from accounts.selectors import current_user_type
from lockers.models import Locker, LockerQuerySet, LockerSale, LockKind, Rental, RentalQuerySet, RentalStatus
from opscom.core.errors import Allowed, Decision, Refused
from opscom.provider.selectors import get_provider, local_date, start_of_day
from opscom.provider.templatetags.portal import local_datetime


@dataclass(frozen=True, slots=True)
class Period:
    """The instants [start, end) for which a locker is rented."""

    start: dt.datetime
    end: dt.datetime


def period_of(sale: LockerSale, now: dt.datetime) -> Period:
    """Return the time that a rental reserved now is for: the term, or what is left of it."""
    return Period(max(start_of_day(sale.term.starts_on), now), start_of_day(sale.term.ends_on))


def rentals_in(period: Period, now: dt.datetime) -> RentalQuerySet:
    """Return the live rentals that overlap it, without reservations whose time is over."""
    overlapping = Rental.objects.live().filter(starts_at__lt=period.end, ends_at__gt=period.start)
    return overlapping.exclude(status=RentalStatus.RESERVED, held_until__lte=now)


def lettable(sale: LockerSale) -> LockerQuerySet:
    """Return the area's lockers that may be let to anybody, free or not: whole, emptied, and with a combination."""
    lockers = Locker.objects.usable().filter(area=sale.area_id)
    return lockers.exclude(Q(area__lock_kind=LockKind.COMBINATION) & Q(sealed_combination=""))


def renewable_by(person: User, sale: LockerSale) -> list[Rental]:
    """Return the rentals of the person that the sale renews: running, in its area, and over before its term begins."""
    start = start_of_day(sale.term.starts_on)
    mine = Rental.objects.filter(
        renter=person, status=RentalStatus.ACTIVE, locker__area=sale.area_id, ends_at__lte=start
    ).exclude(sale=sale)
    rentals = mine.exclude(renewals__status__in=["reserved", "active"]).select_related("locker", "deposit")
    return list(rentals.order_by("-ends_at"))


def is_for(sale: LockerSale, user_type: UserType | None) -> bool:
    """Say whether the portal shows the sale to people of this type."""
    kinds = list(sale.area.user_types.all())
    shown = sale.is_active and sale.area.is_visible and sale.area.building.is_visible
    return shown and (not kinds or user_type in kinds)


def sale_decision(sale: LockerSale, user_type: UserType | None, now: dt.datetime, *, renews: bool) -> Decision:
    """Say whether the sale lets lockers now, to who renews one or to everybody."""
    if not get_provider().is_lockers_on or not is_for(sale, user_type):
        return Refused(
            "not_for_you",
            _("These lockers are not for your user type (%(type)s).")
            % {"type": user_type or pgettext("user type", "none")},
        )
    if start_of_day(sale.term.ends_on) <= now:
        return Refused("over", _("The term is over."))
    if sale.closes_at and sale.closes_at <= now:
        moment = local_datetime(sale.closes_at)
        return Refused("closed", _("The sale ended on %(moment)s") % {"moment": moment})
    if sale.opens_at <= now or (renews and sale.renewal_opens_at and sale.renewal_opens_at <= now):
        return Allowed()
    opens = sale.renewal_opens_at if renews and sale.renewal_opens_at else sale.opens_at
    return Refused("not_open", _("Lockers can be rented from %(moment)s") % {"moment": local_datetime(opens)}, opens)


def can_rent(*, person: User, sale: LockerSale, locker: Locker, renews: Rental | None, now: dt.datetime) -> Decision:
    """Say whether the person may rent this very locker now, or why not and until when."""
    # The clock anew: a hold on the account may have come while the caller waited for the lock on the person.
    buying = can_buy(person, max(now, timezone.now()))
    if not buying.is_allowed:
        return buying
    selling = sale_decision(sale, current_user_type(person, local_date(now)), now, renews=renews is not None)
    if not selling.is_allowed:
        return selling
    if locker.area_id != sale.area_id:
        return Refused("elsewhere", _("This locker is somewhere else."))
    live = Rental.objects.live().filter(renter=person, sale=sale).exclude(status="reserved", held_until__lte=now)
    if live.count() >= sale.area.max_per_person:
        return limit_refusal(sale.area.max_per_person, list(live.select_related("locker")))
    return _is_free(sale, locker, renews, now)


def _is_free(sale: LockerSale, locker: Locker, renews: Rental | None, now: dt.datetime) -> Decision:
    if locker.out_of_order:
        return Refused("out_of_order", _("Locker %(number)s is out of order.") % {"number": locker})
    # Whoever renews one stays in it: nothing has to be emptied, and its combination stays.
    if renews is None and not lettable(sale).filter(pk=locker.pk).exists():
        return Refused(
            "not_let", _("Locker %(number)s cannot be rented now. Please choose another one.") % {"number": locker}
        )
    if rentals_in(period_of(sale, now), now).filter(locker=locker).exists():
        return taken(locker)
    return Allowed()


def taken(locker: Locker) -> Refused:
    """Return the refusal of a locker that somebody else has."""
    return Refused(
        "taken", _("Locker %(number)s was taken a moment ago. Please choose another one.") % {"number": locker}
    )


def limit_refusal(limit: int, rentals: Sequence[Rental] = ()) -> Refused:
    """Return the refusal of one locker too many, naming those that stand in the way."""
    words = [
        ngettext(
            "You may have %(limit)d locker here in one term.", "You may have %(limit)d lockers here in one term.", limit
        )
        % {"limit": limit}
    ]
    if rentals:
        words.append(_("You have %(numbers)s.") % {"numbers": ", ".join(str(one.locker) for one in rentals)})
    return Refused("person_limit", " ".join(words))
