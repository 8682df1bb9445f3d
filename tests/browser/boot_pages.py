"""The pages about boots in each of their states."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from accounts.models import User
from payments.guests import sign_order
from tests.browser import cast
from tests.browser.ticket_pages import refused
from tests.factories.boots import let_pass, make_picture, pay_for_release, take_steps

Where = Callable[[User], str]


def to_be_paid(person: User) -> str:
    return reverse("boots:pay", args=[cast.boot_on().pay_code])


def own_to_be_paid(person: User) -> str:
    return reverse("boots:pay", args=[cast.boot_on(person).pay_code])


def paid(person: User) -> str:
    make_picture()
    booting = cast.boot_on(person)
    pay_for_release(booting, person, person.email or "")
    return reverse("boots:mine", args=[booting.code])


def late(person: User) -> str:
    booting = cast.boot_on(person)
    pay_for_release(booting, person, person.email or "")
    let_pass(booting, days=3)
    take_steps()
    return reverse("boots:mine", args=[booting.code])


def guest_paid(person: User) -> str:
    payment = pay_for_release(cast.boot_on())
    return reverse("boots:guest", args=[sign_order(payment.order)])


def receipt(person: User) -> str:
    booting = cast.boot_on(person)
    return reverse("payments:receipt", args=[pay_for_release(booting, person, person.email or "").order.code])


def released(person: User) -> str:
    booting = cast.boot_on()
    pay_for_release(booting)
    return reverse("boots:pay", args=[booting.pay_code])


# Name -> address, who looks at it (None: nobody signed in), what is done first.
PAGES: dict[str, tuple[Any, ...]] = {
    "boot-to-pay": (to_be_paid, None),
    "boot-to-pay-wrong": (to_be_paid, None, refused("Submit Payment")),
    "boot-own-to-pay": (own_to_be_paid,),
    "boot-paid": (paid,),
    "boot-late": (late,),
    "boot-guest-paid": (guest_paid, None),
    "boot-receipt": (receipt,),
    "boot-released": (released, None),
}
