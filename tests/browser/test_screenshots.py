"""Pictures of the flow for docs/screenshots, taken when OPSCOM_SCREENSHOTS is set: make test ARGS=tests/browser."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from demo import places
from demo.data.people import ADMINISTRATOR
from tests.browser import cast, steps
from tests.browser.device import DESK, PHONE
from tests.browser.test_pages import CASES, Case, at, of_bought_permit, open_case

pytestmark = pytest.mark.skipif(not os.environ.get("OPSCOM_SCREENSHOTS"), reason="OPSCOM_SCREENSHOTS is not set")

FOLDER = places.CHECKOUT / "docs" / "screenshots"
LARGEST = 200_000
BOTH = [(DESK, "light"), (PHONE, "dark")]
ALL = [(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")]


def connor() -> User:
    """One of the university's staff who has no permit at the moment."""
    person = User.objects.get(email="connor.walsh@lakeshore.example")
    cast.agree_to_all(person)
    return person


def wait_for_print(page: Page) -> None:
    expect(steps.button(page, "Print")).to_be_visible(timeout=steps.PATIENCE)


# The same pages as their tests open, with people and lots that look like a university.
BELIEVABLE = {
    "permits": Case(at("permits:list"), connor, lambda page: page.get_by_text("Staff monthly").click()),
    "permit-active": Case(of_bought_permit("permits:detail"), then=wait_for_print),
}
SHOTS = {
    "sign-in": BOTH,
    "home": ALL,
    "vehicles": [(PHONE, "light")],
    "permits": ALL,
    "vehicle-add-wrong": [(PHONE, "light")],
    "payments": BOTH,
    "checkout": [(PHONE, "light")],
    "bank": BOTH,
    "receipt": BOTH,
    "permit-active": BOTH,
    "letter": [(DESK, "light")],
}


def keep(page: Page, name: str) -> None:
    """Write what the window shows; a file that is too large says so."""
    file: Path = FOLDER / f"{name}.png"
    page.screenshot(path=file)
    assert file.stat().st_size < LARGEST, f"{file.name} has {file.stat().st_size} bytes"


@pytest.mark.parametrize("name", SHOTS)
def test_keep_page(device, name):
    page = open_case(device, {**CASES, **BELIEVABLE}[name])
    for width, scheme in SHOTS[name]:
        page.set_viewport_size({"width": width, "height": 844 if width == PHONE else 800})
        page.emulate_media(color_scheme=scheme)
        keep(page, f"{name}-{width}-{scheme}")


@pytest.mark.parametrize("name", ["home", "permits"])
def test_keep_french_page(device, name):
    page = open_case(device, Case({**CASES, **BELIEVABLE}[name].address, connor), language="fr-ca")
    page.set_viewport_size({"width": PHONE, "height": 844})
    keep(page, f"{name}-{PHONE}-light-fr")


def test_keep_office(device):
    page = device(person=ADMINISTRATOR).page
    page.goto("/admin/")
    keep(page, f"office-{DESK}-light")
