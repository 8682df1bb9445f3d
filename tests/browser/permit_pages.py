"""The pages of a running permit, for `test_pages`: name -> address, and then whose eyes and what is done first."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from opscom.provider.selectors import local_date
from permits.models import Sale
from permits.services.suspending import suspend_permit
from permits.services.vehicles import add_replacement_car
from permits.waiting_room import take_number
from tests.browser import cast


def of_bought(view: str) -> Callable[[User], str]:
    return lambda person: reverse(view, args=[cast.buy(person).code])


def replaced(person: User) -> str:
    permit, today = cast.buy(person), local_date()
    add_replacement_car(
        permit=permit,
        stands_in_for=permit.vehicle_links.get().vehicle,
        plate="GARAGE 1",
        region="CA-ON",
        first_day=today,
        last_day=today + dt.timedelta(days=3),
        actor=person,
    )
    return reverse("permits:replacement", args=[permit.code])


def suspended(person: User) -> str:
    permit = cast.buy(person)
    suspend_permit(permit=permit, reason="The plate does not match the vehicle.", actor=person)
    return reverse("permits:detail", args=[permit.code])


def press(name: str) -> Callable[[Any], None]:
    return lambda page: page.get_by_role("main").get_by_role("button", name=name).click()


def temporary(kind: str, **fields: str) -> Callable[[User], str]:
    """`Get Temp Permit` with these fields in the address: what it costs and what is free."""

    def address(person: User) -> str:
        sale = Sale.objects.get(lot__code="105", permit_type__code=f"temporary-{kind}")
        values = {"way": kind, "vehicle": person.ownerships.get().code, "start_day": local_date().isoformat(), **fields}
        return f"{reverse('permits:temporary', args=[sale.code])}?{urlencode(values)}"

    return address


def at_temporary(_person: User) -> str:
    sale = Sale.objects.get(lot__code="105", permit_type__code="temporary-days")
    return reverse("permits:temporary", args=[sale.code])


def as_guest(**fields: str) -> Callable[[User | None], str]:
    def address(_person: User | None) -> str:
        sale = Sale.objects.get(lot__code="105", permit_type__code="temporary-hours")
        return f"{reverse('park:stay', args=[sale.code])}?{urlencode(fields)}"

    return address


def in_line(person: User) -> str:
    """A sale that opens in ten minutes, and a number in its waiting room."""
    now = timezone.now()
    sale, _permit, _user_type = cast.make_full_lot()
    Sale.objects.filter(pk=sale.pk).update(opens_at=now + dt.timedelta(minutes=10), queue_per_minute=10)
    take_number(sale, person)
    return reverse("permits:queue", args=[sale.code])


PAGES: dict[str, tuple[Any, ...]] = {
    "permit-end": (of_bought("permits:end"),),
    "permit-vehicles": (of_bought("permits:vehicles"),),
    "permit-replacement": (of_bought("permits:replacement"),),
    "permit-replacement-wrong": (of_bought("permits:replacement"), cast.make_driver, press("Save")),
    "permit-replaced": (replaced,),
    "permit-suspended": (suspended,),
    "temporary": (at_temporary,),
    "temporary-available": (temporary("hours", hours="30"),),
    "temporary-wrong": (temporary("hours", hours=""),),
    "temporary-too-long": (temporary("days", way="dates", first="2030-01-01", last="2030-03-01"),),
    "guest-stay": (as_guest(), None),
    "guest-stay-available": (
        as_guest(plate="AXE 100", region="CA-ON", way="hours", hours="2", start_day="2030-01-01"),
        None,
    ),
    "guest-stay-wrong": (as_guest(plate="", region="CA-ON", way="hours", hours="2"), None),
    "guest-lot": (lambda _person: reverse("park:lot", args=["106"]), None),
    "waiting-room": (in_line,),
    "permit-phone": (of_bought("permits:phone"),),
}
