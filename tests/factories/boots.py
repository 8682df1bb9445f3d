"""Boots for tests, put on and released through the services that the office and drivers use."""

import datetime as dt
import secrets
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import User
from boots.models import Boot, Booting, BootPicture, BootPolicy, DropOffPlace
from boots.services.codes import set_code
from boots.services.files import add_picture
from boots.services.putting_on import put_on
from boots.services.steps import take_next_step
from payments.models import Order, Payment
from payments.services.confirming import confirm_payment
from payments.services.orders import complete_selection, place_order
from payments.services.settling import finish_order
from tests.factories.accounts import make_user
from tests.factories.payments import go_to_bank, pay_at_bank
from tests.factories.provider import set_provider
from tests.factories.violations import make_offence, make_ticket, picture_file
from violations.models import Ticket

_numbers = count(1)


def set_policy(**fields: Any) -> BootPolicy:
    """Switch boots on, with this rule: no deposit, and only the booted ticket, unless told otherwise."""
    set_provider(is_boots_on=True)
    policy, _made = BootPolicy.objects.update_or_create(pk=1, defaults=fields)
    return policy


def make_boot(code: str = "", *, actor: User | None = None, **fields: Any) -> Boot:
    """Return a boot that is fit to go on a car; its code is made up unless given."""
    number = next(_numbers)
    boot = Boot.objects.create(serial=fields.pop("serial", f"B-{number:03}-{secrets.token_hex(2)}"), **fields)
    set_code(boot=boot, code=code or f"77{number:04}", actor=actor or make_user())
    boot.refresh_from_db()
    return boot


def make_place() -> DropOffPlace:
    """Return a place that takes boots back."""
    return DropOffPlace.objects.create(
        name={"en": "Parking office", "fr-ca": "Bureau du stationnement"},
        address="1 Main Street",
        hours={"en": "Day and night", "fr-ca": "Jour et nuit"},
        map_link="https://example.org/map",
    )


def make_picture(actor: User | None = None) -> BootPicture:
    """Return a picture of how a boot comes off."""
    return add_picture(picture=picture_file(), caption={"en": "Turn it left"}, position=1, actor=actor or make_user())


def make_booting(
    person: User | None = None, *, code: str = "", ticket: Ticket | None = None, actor: User | None = None
) -> Booting:
    """Return a boot that was put on a car of this person, or of nobody known."""
    actor = actor or make_user()
    ticket = ticket or make_ticket(person, offence=make_offence(is_boot_eligible=True))
    return put_on(boot=make_boot(code, actor=actor), ticket=ticket, actor=actor)


def order_release(booting: Booting, payer: User | None = None, email: str = "driver@example.org") -> Order:
    """Place the order for everything that this payer (None: a guest) pays for the release."""
    selection = complete_selection({"boot": [booting.pk]}, payer=payer)
    return place_order(payer=payer, selection=selection, email=email, language="en")


def pay_for_release(booting: Booting, payer: User | None = None, email: str = "driver@example.org") -> Payment:
    """Pay it at the demo bank, and have it delivered."""
    payment = go_to_bank(order_release(booting, payer, email))
    pay_at_bank(payment)
    confirm_payment(payment)
    finish_order(payment.order_id)
    booting.refresh_from_db()
    payment.refresh_from_db()
    return payment


def make_released(person: User | None = None, *, code: str = "", **options: Any) -> Booting:
    """Return a boot whose code was paid for."""
    booting = make_booting(person, code=code)
    pay_for_release(booting, **options)
    return booting


def let_pass(booting: Booting, **delta: float) -> Booting:
    """Let so much time go by since the boot was put on and released."""
    past = dt.timedelta(**delta)
    booting.refresh_from_db()
    names = ["put_on_at", "released_at", "return_by", "next_step_at", "reminded_at", "overdue_at", "punished_at"]
    moved = {name: value - past for name in names if (value := getattr(booting, name))}
    Booting.objects.filter(pk=booting.pk).update(**moved)
    booting.refresh_from_db()
    return booting


def take_steps(most: int = 10) -> int:
    """Do all that is due, and return how many steps that were."""
    steps = 0
    while steps < most and take_next_step(timezone.now()):
        steps += 1
    return steps


TWENTY = Decimal("20.00")
