"""What people see of lockers: what they rent, what is let, and the lockers of one area."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest, TruncDate
from django.utils import timezone

from accounts.models import User, UserType
from accounts.selectors import current_user_type
from lockers.models import LIVE, Locker, LockerSale, LockKind, Rental, RentalQuerySet, RentalStatus
from lockers.rules import is_for, lettable, limit_refusal, period_of, renewable_by, rentals_in, sale_decision
from opscom.core.errors import Decision
from opscom.core.money import round_money
from opscom.provider.selectors import get_provider, get_time_zone, local_date


@dataclass(frozen=True, slots=True)
class SaleCard:
    """One area and term as a person sees it. `free` counts lockers; `renewable` are the person's own that it renews."""

    sale: LockerSale
    free: int
    decision: Decision
    renewable: Sequence[Rental]
    renewal: Decision

    @property
    def price(self) -> Any:
        return shown_price(self.sale)


@dataclass(frozen=True, slots=True)
class Cell:
    """One locker in the picture of its area; `locker` None: nothing stands there."""

    locker: Locker | None
    is_free: bool = False


def load_rentals() -> RentalQuerySet:
    """Return rentals with all that their pages and rows show."""
    return Rental.objects.select_related(
        "locker__area", "sale__area__building", "sale__term", "deposit__refund__payment", "renter"
    )


def own_rentals(user: User) -> list[Rental]:
    """Return what the person rents or has reserved, what ends first on top."""
    now = timezone.now()
    mine = load_rentals().filter(renter=user, status__in=LIVE)
    return list(mine.exclude(status=RentalStatus.RESERVED, held_until__lte=now).order_by("ends_at", "pk"))


def load_sales() -> QuerySet[LockerSale]:
    """Return sales with their areas and what these ask."""
    sales = LockerSale.objects.select_related("area__building", "term")
    return sales.prefetch_related("area__user_types", "area__taxes")


def sale_cards(user: User, now: dt.datetime) -> list[SaleCard]:
    """Return what is let, or will be, to people like this one; sales that are over are left out."""
    user_type = current_user_type(user, local_date(now))
    today = local_date(now)
    coming = load_sales().filter(is_active=True, term__ends_on__gt=today).annotate(free=_count_free(today, now))
    coming = coming.exclude(closes_at__lte=now).order_by(
        "area__building__position", "area__building", "area__position", "area", "term__starts_on"
    )
    mine = own_rentals(user)
    cards = []
    for sale in coming:
        if is_for(sale, user_type):
            cards.append(
                SaleCard(
                    sale=sale,
                    free=sale.free,  # type: ignore[attr-defined]
                    decision=_decide(sale, user_type, mine, now),
                    renewable=_renewable(sale, mine),
                    renewal=sale_decision(sale, user_type, now, renews=True),
                )
            )
    return cards


def _decide(sale: LockerSale, user_type: UserType | None, mine: Sequence[Rental], now: dt.datetime) -> Decision:
    """Say whether one more locker may be rented in the sale by who has these."""
    here = [one for one in mine if one.sale_id == sale.pk]
    if len(here) >= sale.area.max_per_person:
        return limit_refusal(sale.area.max_per_person, here)
    return sale_decision(sale, user_type, now, renews=False)


def _renewable(sale: LockerSale, mine: Sequence[Rental]) -> list[Rental]:
    """Return which of the person's rentals the sale renews; see `rules.renewable_by`."""
    renewed = {one.renews_id for one in mine}
    return [
        one
        for one in mine
        if one.status == RentalStatus.ACTIVE
        and one.pk not in renewed
        and one.locker.area_id == sale.area_id
        and one.sale_id != sale.pk
        and local_date(one.ends_at) <= sale.term.starts_on
    ]


def _count_free(today: dt.date, now: dt.datetime) -> Any:
    """Count, in one subquery, the lettable lockers of a sale's area that nobody has in its term."""
    zone = get_time_zone()
    sale_ends, sale_starts = OuterRef(OuterRef("term__ends_on")), OuterRef(OuterRef("term__starts_on"))
    rented = (
        Rental.objects.live()
        .exclude(status=RentalStatus.RESERVED, held_until__lte=now)
        .annotate(first=TruncDate("starts_at", tzinfo=zone), after=TruncDate("ends_at", tzinfo=zone))
        .filter(locker=OuterRef("pk"), first__lt=sale_ends, after__gt=Greatest(sale_starts, today))
    )
    free = (
        Locker.objects.usable()
        .filter(area=OuterRef("area"))
        .exclude(Q(area__lock_kind=LockKind.COMBINATION) & Q(sealed_combination=""))
        .filter(~Exists(rented))
        .order_by()
        .values("area")
        .annotate(count=Count("pk"))
        .values("count")
    )
    return Coalesce(Subquery(free), 0)


def lockers_of(sale: LockerSale, now: dt.datetime) -> list[Cell]:
    """Return every shown locker of the sale's area, in the order in which they stand, and whether it is free."""
    lockers = Locker.objects.filter(area=sale.area_id, is_visible=True)
    free = set(lettable(sale).values_list("pk", flat=True))
    taken = set(
        rentals_in(period_of(sale, now), now).filter(locker__area=sale.area_id).values_list("locker", flat=True)
    )
    return [Cell(locker, locker.pk in free and locker.pk not in taken) for locker in lockers]


def as_grid(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Return them in rows and columns as they stand, with empty places between. Two in one place: the second goes behind."""
    rows: dict[int, list[Cell]] = {}
    for cell in cells:
        if cell.locker is not None:
            line = rows.setdefault(cell.locker.row, [])
            line += [Cell(None)] * (min(cell.locker.column, MOST_COLUMNS) - 1 - len(line))
            line.append(cell)
    return [rows[number] for number in sorted(rows)]


MOST_COLUMNS = 40


def shown_price(sale: LockerSale) -> Any:
    """Return the price as the provider shows prices: with its taxes, or without."""
    if not get_provider().prices_include_tax:
        return sale.price
    return sale.price + sum(round_money(sale.price * rate.percent / 100) for rate in sale.area.taxes.all())


def next_sale(rental: Rental, now: dt.datetime) -> LockerSale | None:
    """Return the sale in which the rental can be renewed now, if any."""
    if rental.status != RentalStatus.ACTIVE:
        return None
    user_type = current_user_type(rental.renter, local_date(now))
    sales = load_sales().filter(area=rental.sale.area_id, term__starts_on__gte=local_date(rental.ends_at))
    for sale in sales.order_by("term__starts_on"):
        if sale_decision(sale, user_type, now, renews=True).is_allowed and rental in renewable_by(rental.renter, sale):
            return sale
    return None
