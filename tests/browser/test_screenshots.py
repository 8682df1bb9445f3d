"""Pictures of the flow for docs/screenshots, taken when OPSCOM_SCREENSHOTS is set: make test ARGS=tests/browser."""

import os
from pathlib import Path

import pytest

from demo import places
from demo.data.people import ADMINISTRATOR, RESIDENT
from tests.browser.device import DESK, PHONE
from tests.browser.test_pages import CASES, open_case

pytestmark = pytest.mark.skipif(not os.environ.get("OPSCOM_SCREENSHOTS"), reason="OPSCOM_SCREENSHOTS is not set")

FOLDER = places.CHECKOUT / "docs" / "screenshots"
LARGEST = 200_000
BOTH = [(DESK, "light"), (PHONE, "dark")]
ALL = [(DESK, "light"), (DESK, "dark"), (PHONE, "light"), (PHONE, "dark")]
SHOTS = {
    "sign-in": BOTH,
    "create-account-wrong": [(PHONE, "light")],
    "home": ALL,
    "vehicles": [(PHONE, "light")],
    "permits": ALL,
    "permits-full": [(DESK, "light")],
    "payments": BOTH,
    "checkout": [(PHONE, "light")],
    "bank": BOTH,
    "receipt": BOTH,
    "permit-active": BOTH,
    "status-valid": [(PHONE, "light")],
    "letter": [(DESK, "light")],
}


def keep(page, name: str) -> None:
    """Write what the window shows; a file that is too large says so."""
    file: Path = FOLDER / f"{name}.png"
    page.screenshot(path=file)
    assert file.stat().st_size < LARGEST, f"{file.name} has {file.stat().st_size} bytes"


@pytest.mark.parametrize("name", SHOTS)
def test_keep_page(device, name):
    page = open_case(device, CASES[name])
    for width, scheme in SHOTS[name]:
        page.set_viewport_size({"width": width, "height": 844 if width == PHONE else 800})
        page.emulate_media(color_scheme=scheme)
        keep(page, f"{name}-{width}-{scheme}")


@pytest.mark.parametrize(("path", "name"), [("/", "home"), ("/permits/", "permits")])
def test_keep_french_page(device, path, name):
    page = device(width=PHONE, language="fr-ca", person=RESIDENT).page
    page.goto(path)
    keep(page, f"{name}-{PHONE}-light-fr")


def test_keep_office(device):
    page = device(person=ADMINISTRATOR).page
    page.goto("/admin/")
    keep(page, f"office-{DESK}-light")
