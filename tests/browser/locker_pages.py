"""The pages about lockers in each of their states."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from lockers.models import Locker, LockerSale
from tests.browser import cast
from tests.factories.lockers import make_area, make_locker_sale, make_term, rent_one, reserve_one

Where = Callable[[User], str]


def a_room() -> LockerSale:
    """A room with free lockers, taken ones, accessible ones and one that is out of order."""
    area = make_area(14, deposit=Decimal("20.00"))
    lockers = list(area.lockers.all())
    Locker.objects.filter(pk=lockers[1].pk).update(out_of_order="Hinge broken")
    Locker.objects.filter(pk__in=[lockers[4].pk, lockers[5].pk]).update(is_accessible=True, size="large")
    sale = make_locker_sale(area)
    rent_one(None, sale, lockers[7])
    return sale


def to_choose(person: User) -> str:
    return reverse("lockers:choose", args=[a_room().code])


def as_list(person: User) -> str:
    return f"{to_choose(person)}?view=list"


def rented(person: User) -> str:
    """Rented, with the next term to be renewed."""
    sale = a_room()
    soon = timezone.now() + dt.timedelta(days=5)
    make_locker_sale(sale.area, term=make_term(100), renewal_opens_at=timezone.now(), opens_at=soon)
    return reverse("lockers:detail", args=[rent_one(person, sale).code])


def locations(person: User) -> str:
    rented(person)
    make_locker_sale(opens_at=timezone.now() + dt.timedelta(days=2))
    return reverse("lockers:list")


def reserved(person: User) -> str:
    return reverse("lockers:detail", args=[reserve_one(person, a_room()).code])


def due(person: User) -> str:
    reserved(person)
    return f"{reverse('payments:due')}?from=lockers"


def to_give_back(person: User) -> str:
    return reverse("lockers:give-back", args=[rent_one(person, a_room()).code])


def press_reserve(page: Any) -> None:
    page.get_by_role("button", name="Reserve Locker").evaluate(
        "button => { button.form.noValidate = true; button.click() }"
    )


# Name -> address, who looks at it (None: nobody signed in), what is done first.
PAGES: dict[str, tuple[Any, ...]] = {
    "lockers": (locations,),
    "locker-choose": (to_choose,),
    "locker-choose-list": (as_list,),
    "locker-choose-nothing": (to_choose, cast.make_driver, press_reserve),
    "locker-rented": (rented,),
    "locker-reserved": (reserved,),
    "locker-due": (due,),
    "locker-give-back": (to_give_back,),
}
