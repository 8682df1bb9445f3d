"""The office's side of tickets in a browser: issue one, see an appeal side by side, print letters, hand over to the agency."""

import datetime as dt
import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from demo.data.people import CASHIER, PASSWORD
from opscom.core.models import AuditEntry
from opscom.provider.selectors import get_time_zone
from permits.models import Permit
from tests.browser import cast
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, field
from tests.browser.test_pages import overflow, resize
from tests.browser.ticket_pages import appealed
from tests.factories.documents import photo
from violations.models import CollectionExport, Notice, Ticket

OFFICER, CLERK, APPEALS = (f"{name}@lakeshore.example" for name in ("officer", "clerk", "appeals"))
PICTURE = {"name": "Plate.jpg", "mimeType": "image/jpeg", "buffer": photo("JPEG", (400, 300), orientation=1)}


def expect_fits(page: Page) -> None:
    for width in (PHONE, DESK):
        resize(page, width)
        assert overflow(page) <= 0, f"wider than {width} pixels"


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_officer_issues_a_ticket_against_a_right_to_park(device, width):
    permit = cast.buy(cast.make_driver())
    yesterday = timezone.now() - dt.timedelta(days=1)
    Permit.objects.filter(pk=permit.pk).update(valid_from=yesterday)
    permit.holder.ownerships.update(added_at=yesterday)
    plate = permit.holder.ownerships.get().vehicle.plate
    page = device(person=OFFICER, width=width).page
    page.goto("/admin/violations/ticket/add/")
    field(page, "Offence").select_option(label="FL Parked in a fire lane")
    field(page, "Plate").fill(plate)
    field(page, "State/Province").select_option(label="Ontario")
    field(page, "Lot").select_option(index=[one.inner_text() for one in options(page, "Lot")].index(str(permit.lot)))
    field(page, "When it happened").fill(five_minutes_ago())
    page.get_by_label("Photos").set_input_files([PICTURE])
    button(page, "Issue").click()
    expect(page.get_by_text("This plate may stand there").first).to_be_visible()
    page.get_by_label("Issue all the same").check(force=True)
    page.get_by_label("Photos").set_input_files([PICTURE])
    # The name of a chosen file stands beside it, and nowhere else.
    expect(field(page, "Plate")).to_have_value(plate)
    button(page, "Issue").click()
    expect(page.get_by_alt_text("Photo 1 of the officer")).to_be_visible()
    ticket = Ticket.objects.get(plate=plate)
    assert (ticket.person, ticket.photos.count()) == (permit.holder, 1)
    expect(page.get_by_text(ticket.full_number).first).to_be_visible()
    expect_fits(page)


def five_minutes_ago() -> str:
    """As the office's clock shows it, and as browsers write it."""
    moment = timezone.localtime(timezone.now() - dt.timedelta(minutes=5), get_time_zone())
    return moment.strftime("%Y-%m-%dT%H:%M")


def options(page: Page, label: str) -> list:
    return field(page, label).get_by_role("option").all()


def test_an_appeal_stands_side_by_side_and_opened_evidence_in_the_log(device):
    appeal = appealed(cast.fine(cast.make_driver()))
    page = device(person=APPEALS).page
    page.goto(f"/admin/violations/appeal/{appeal.pk}/change/")
    for name in (
        "Ticket",
        "Reason for Appeal",
        "Rights to park there at that time",
        "Other tickets of this person or plate",
    ):
        expect(page.get_by_role("region", name=name, exact=True)).to_be_visible()
    expect(page.get_by_alt_text("Photo 1 of the officer")).to_be_visible()
    expect_fits(page)
    opened = AuditEntry.objects.filter(action="evidence.opened")
    before = opened.count()
    with page.expect_download() as coming:
        page.get_by_role("region", name="Reason for Appeal").get_by_role("link").click()
    assert coming.value.suggested_filename.endswith(".jpg")
    assert opened.count() == before + 1


def test_clerk_prints_letters(device):
    person = cast.make_driver(street="5 Shore Road", city="Kingsport", postal_code="K7L 3N6", language="fr-ca")
    User.objects.filter(pk=person.pk).update(email=None, email_proved_at=None)
    ticket = cast.fine(User.objects.get(pk=person.pk))
    page = device(person=CLERK).page
    page.goto(f"/admin/violations/notice/?letters=printable&q={ticket.full_number}")
    page.get_by_role("row").filter(has_text=ticket.number).get_by_role("checkbox").check(force=True)
    page.locator("select[name=action]").select_option(label="Print letters")
    page.locator("button[name=index]").click()
    letter = page.get_by_role("article")
    expect(letter).to_contain_text("5 Shore Road")
    expect(letter).to_contain_text(ticket.number)
    expect(letter).not_to_contain_text(ticket.full_number)
    expect(letter).to_have_attribute("lang", "fr-ca")
    expect_fits(page)
    button(page, "They are printed").click()
    expect(page.get_by_text("1 letter is printed.")).to_be_visible()
    assert Notice.objects.get(ticket=ticket).printed_by == User.objects.get(email=CLERK)


def test_cashier_sends_to_collections_and_downloads_the_file(device, tmp_path):
    ticket = cast.fine(cast.make_driver(), days_ago=800)
    page = device(person=CASHIER).page
    page.goto("/admin/violations/collectionexport/add/")
    field(page, "Overdue for at least so many days").fill("700")
    button(page, "Look at it").click()
    expect(page.get_by_text("$65.00")).to_be_visible()
    expect_fits(page)
    page.get_by_label(re.compile("password", re.IGNORECASE)).fill(PASSWORD)
    button(page, "Send to collections").click()
    expect(page.get_by_text("The tickets are flagged, and their file is made.")).to_be_visible()
    export = CollectionExport.objects.get(tickets=ticket)
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download the file").first.click()
    assert ticket.number in coming.value.path().read_text()
    assert str(export.total) == "65.00"
