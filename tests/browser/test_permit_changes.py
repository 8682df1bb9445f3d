"""What holders do with a permit that runs, and how past ones are printed."""

import io
import re

import pytest
from django.utils import timezone
from icalendar import Calendar
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from permits.models import Permit, PermitStatus
from permits.services.ending import end_early
from permits.tasks import end_permits
from tests.browser import cast, steps
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, field, link


def open_permit(page: Page, permit: Permit) -> None:
    page.goto("/")
    link(page, permit.number).click()
    expect_heading(page, "Permit Information")


def test_a_holder_changes_vehicles_names_a_replacement_car_and_ends_the_permit(device):
    person = cast.make_driver()
    permit, other = cast.buy(person), cast.make_vehicle(person)
    page = device(width=PHONE, person=person.email).page
    open_permit(page, permit)

    link(page, "Change vehicles").click()
    page.get_by_role("checkbox", name=re.compile(other.vehicle.label)).check()
    button(page, "Save").click()
    expect(page.get_by_text(f"The vehicles of {permit.number} are saved.")).to_be_visible()

    link(page, "Replacement car").click()
    field(page, "Stands in for").select_option(label=other.vehicle.label)
    field(page, "License plate of the replacement car").fill("grge 214")
    button(page, "Save").click()
    expect(page.get_by_text(f"GRGE 214 may park with {permit.number}.")).to_be_visible()
    page.get_by_role("region", name="Running or planned").get_by_role("button", name="End it now").click()
    expect(page.get_by_text("GRGE 214 does not park with this permit any more.")).to_be_visible()

    open_permit(page, permit)
    with page.expect_download() as coming:
        link(page, "Add to calendar").click()
    [event] = Calendar.from_ical(coming.value.path().read_bytes()).events
    assert permit.number in event["summary"]
    link(page, "Show on the phone").click()
    expect(page.get_by_role("heading", level=1, name=permit.number)).to_be_visible()
    expect(page.get_by_text("Valid", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name="QR code of the permit")).to_be_visible()
    link(page, "Permit Information").click()

    link(page, "End it early").click()
    expect(page.get_by_text("Goes back to you")).to_be_visible()
    button(page, "End it now").click()
    expect(
        page.get_by_text(re.compile(f"{permit.number} has ended. .* goes back to where it came from."))
    ).to_be_visible()
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ENDED


def leave_active(permit: Permit) -> None:
    """It runs on."""


def let_end(permit: Permit) -> None:
    """Its last instant has passed."""
    Permit.objects.filter(pk=permit.pk).update(valid_until=timezone.now())
    end_permits()


def give_back(permit: Permit) -> None:
    end_early(permit=permit, actor=permit.holder)


@pytest.mark.parametrize("then", [leave_active, let_end, give_back])
def test_from_user_history_to_the_printed_permit(device, then):
    person = cast.make_driver()
    permit = cast.buy(person)
    then(permit)
    code = cast.order_of(permit).code
    page = device(width=DESK, person=person.email).page
    page.goto("/")
    page.get_by_role("banner").get_by_text(str(person)).click()
    link(page, "History").click()
    expect_heading(page, "User History")
    page.get_by_role("region", name="History").get_by_role("link", name=code).first.click()
    assert steps.read_confirmation_code(page) == code
    page.get_by_role("main").get_by_role("link", name=re.compile(permit.number)).click()
    expect_heading(page, "Permit Information")
    expect(button(page, "Print")).to_be_visible(timeout=2 * steps.PATIENCE)
    with page.expect_download() as coming:
        button(page, "Print").click()
    paper = "\n".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(coming.value.path().read_bytes())).pages)
    assert permit.number in paper
    assert ("This permit is over since" in " ".join(paper.split())) == (then is not leave_active)
