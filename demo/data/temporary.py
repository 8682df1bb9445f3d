"""Temporary parking: rates by the hour and by the day, the lots that sell it, and some that is sold."""

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from accounts.models import User
from demo.data.permits import pay
from opscom.provider.models import Lot
from payments.models import Rate, RatePeriod, RateTable, RateUnit, TaxRate
from permits.models import PermitType, Sale, TermKind
from permits.selectors import load_sales
from permits.services.temporary import Wish, reserve_temporary
from permits.temporary import price, stay_by_hours

# Lot -> spaces for temporary permits.
SPACES = {"101": 12, "102": 2, "105": 25}
WORKDAYS, WEEKEND = [0, 1, 2, 3, 4], [5, 6]


def make_temporary(people: list[User], lots: dict[str, Lot]) -> None:
    """Write rates, types and sales of temporary parking, and sell some of it."""
    by_hour = RateTable.objects.create(
        code="visitor-hourly",
        name={"en": "Visitors, by the hour", "fr-ca": "Visiteurs, à l’heure"},
        maximum_fee=Decimal("20.00"),
    )
    seven, six, midnight = dt.time(7), dt.time(18), dt.time(0)
    # Some rate is in force at every hour, so that the demonstration shows payments at night, too.
    rates = [
        ("4.00", WORKDAYS, (seven, six)),
        ("1.50", WORKDAYS, (six, midnight)),
        ("1.50", WEEKEND, (seven, midnight)),
        ("1.00", [*WORKDAYS, *WEEKEND], (midnight, seven)),
    ]
    for position, (rate, weekdays, hours) in enumerate(rates):
        Rate.objects.create(
            table=by_hour,
            position=position,
            rate=Decimal(rate),
            rate_unit=RateUnit.HOUR,
            days_of_week=weekdays,
            time_of_day_start=hours[0],
            time_of_day_end=hours[1],
        )
    by_day = RateTable.objects.create(
        code="visitor-daily",
        name={"en": "Visitors, by the day", "fr-ca": "Visiteurs, à la journée"},
        rate_unit_period=RatePeriod.CALENDAR,
    )
    Rate.objects.create(table=by_day, rate=Decimal("12.50"), rate_unit=RateUnit.DAY)
    for code, spaces in SPACES.items():
        Lot.objects.filter(pk=lots[code].pk).update(temporary_spaces=spaces)
    hourly = _make_type("temporary-hours", ("By the hour", "À l’heure"), by_hour, is_by_hours=True, is_for_guests=True)
    daily = _make_type("temporary-days", ("By the day", "À la journée"), by_day, is_by_dates=True)
    sales = {code: _sell(hourly, lots[code]) for code in SPACES}
    _sell(daily, lots["105"])
    _park(people[:4], sales["101"])
    _park(people[4:6], sales["102"])


def _make_type(code: str, names: tuple[str, str], table: RateTable, **fields: bool) -> PermitType:
    kind = PermitType.objects.create(
        code=code,
        name=dict(zip(("en", "fr-ca"), names, strict=True)),
        price=0,
        term_kind=TermKind.TEMPORARY,
        rate_table=table,
        limit_group="temporary",
        max_per_person=5,
        hold_minutes=15,
        **fields,
    )
    kind.taxes.add(TaxRate.objects.order_by("pk")[0])
    return kind


def _sell(kind: PermitType, lot: Lot) -> Sale:
    sale = Sale.objects.create(permit_type=kind, lot=lot, opens_at=timezone.now() - dt.timedelta(days=30))
    return load_sales().get(pk=sale.pk)


def _park(people: list[User], sale: Sale) -> None:
    for person in people:
        ownership = person.ownerships.filter(is_active=True).order_by("pk").first()
        if ownership is None:
            continue
        stay = stay_by_hours(timezone.now(), 3)
        wish = Wish(sale, stay, ownership.vehicle, by_hours=True, holder=person)
        pay(reserve_temporary(wish, shown=price(sale, stay).amount))
