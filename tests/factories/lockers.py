"""Lockers for tests, rented through the services that people and the office use."""

import datetime as dt
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import User
from lockers.models import Area, Building, Locker, LockerSale, LockKind, Rental
from lockers.services.combinations import set_combination
from lockers.services.managing import add_lockers
from lockers.services.reserving import reserve_locker
from opscom.provider.models import Term
from opscom.provider.selectors import local_date
from payments.models import Order, Payment
from payments.services.confirming import confirm_payment
from payments.services.orders import complete_selection, place_order
from payments.services.settling import finish_order
from tests.factories.accounts import make_user
from tests.factories.payments import go_to_bank, pay_at_bank
from tests.factories.provider import set_provider

_numbers = count(1)


def make_term(first_day: int = -30, days: int = 120) -> Term:
    """Return a term that begins so many days from today and is so many days long."""
    first = local_date() + dt.timedelta(days=first_day)
    return Term.objects.create(
        name={"en": f"Term {next(_numbers)}"}, starts_on=first, ends_on=first + dt.timedelta(days=days)
    )


def make_area(count_of: int = 4, *, combination: str = "", **fields: Any) -> Area:
    """Return an area with so many lockers, in rows of four; each has a combination where the area's locks need one."""
    set_provider(is_lockers_on=True)
    building = Building.objects.create(name={"en": "Main Street Arena"}, address="1 Main Street")
    area = Area.objects.create(building=building, name={"en": f"Locker Room {next(_numbers)}"}, **fields)
    actor = make_user()
    numbers = [f"L-{number}" for number in range(1, count_of + 1)]
    made = add_lockers(
        area=area, numbers=numbers, columns=4, size="medium", is_accessible=False, is_visible=True, actor=actor
    )
    if area.lock_kind == LockKind.COMBINATION:
        for place, locker in enumerate(made):
            set_combination(locker=locker, combination=combination or f"10-20-{place:02}", actor=actor)
    # As the database has it: its names are texts in several languages there.
    return Area.objects.get(pk=area.pk)


def make_locker_sale(area: Area | None = None, *, term: Term | None = None, **fields: Any) -> LockerSale:
    """Return an open sale of an area for a running term, at $25.00 unless told otherwise."""
    values = {"price": Decimal("25.00"), "opens_at": timezone.now() - dt.timedelta(days=1)} | fields
    return LockerSale.objects.create(area=area or make_area(), term=term or make_term(), **values)


def free_locker(sale: LockerSale) -> Locker:
    """Return a locker of the sale that nobody has."""
    return Locker.objects.usable().filter(area=sale.area).exclude(rentals__status__in=["reserved", "active"])[0]


def reserve_one(renter: User | None = None, sale: LockerSale | None = None, locker: Locker | None = None) -> Rental:
    """Return a reservation."""
    sale = sale or make_locker_sale()
    return reserve_locker(renter=renter or make_user(), sale=sale, locker=locker or free_locker(sale))


def order_rental(rental: Rental) -> Order:
    """Place the order for the rental, with its deposit."""
    selection = complete_selection({"locker": [rental.pk]}, payer=rental.renter)
    return place_order(payer=rental.renter, selection=selection, email=rental.renter.contact_email, language="en")


def pay_for_locker(rental: Rental) -> Payment:
    """Pay it at the demo bank, and have it delivered."""
    payment = go_to_bank(order_rental(rental))
    pay_at_bank(payment)
    confirm_payment(payment)
    finish_order(payment.order_id)
    rental.refresh_from_db()
    payment.refresh_from_db()
    return payment


def rent_one(renter: User | None = None, sale: LockerSale | None = None, locker: Locker | None = None) -> Rental:
    """Return a paid rental."""
    rental = reserve_one(renter, sale, locker)
    pay_for_locker(rental)
    return rental


def let_end(rental: Rental) -> Rental:
    """Let the rental's time be over, and the beat see it."""
    from lockers.services.holding import end_next

    past = timezone.now() - dt.timedelta(minutes=1)
    start = min(rental.starts_at, past - dt.timedelta(days=1))
    Rental.objects.filter(pk=rental.pk).update(starts_at=start, ends_at=past)
    while end_next():
        pass
    rental.refresh_from_db()
    return rental
