"""Documents: a photo and a PDF, a renamed program, what the office asks for and how it judges it; a hold on the account."""

import io

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from accounts.models import AccountDocument
from demo.data.people import ADMINISTRATOR
from tests.browser import steps
from tests.browser.cast import make_driver
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, field, link
from tests.factories.documents import pdf, photo

PICTURE = {"name": "Licence.png", "mimeType": "image/png", "buffer": photo("PNG", (120, 60), orientation=6)}
BILL = {"name": "Hydro bill.pdf", "mimeType": "application/pdf", "buffer": pdf()}
PROGRAM = {"name": "Photo.png", "mimeType": "image/png", "buffer": b"MZ\x90\0" + b"\0" * 400}


def choose(page: Page, *files: dict[str, object]) -> None:
    field(page, "Select Files to Upload").set_input_files(list(files))


def rows(page: Page) -> list[str]:
    return page.get_by_role("region", name="Uploaded Documents").get_by_role("listitem").all_inner_texts()


@pytest.mark.parametrize(("width", "javascript"), [(DESK, True), (PHONE, False)])
def test_person_uploads_a_photo_and_a_pdf(device, width, javascript):
    person = make_driver(first_name="Ulla", last_name="Upload")
    page = device(width=width, person=person.email, javascript=javascript).page
    page.goto("/")
    page.get_by_text("Ulla Upload").first.click()
    link(page, "Upload Documents").click()
    expect_heading(page, "Account Uploads")

    choose(page, PROGRAM, BILL)
    button(page, "Upload File").click()
    expect(page.get_by_role("alert")).to_contain_text("“Photo.png”: This is not a PDF, PNG or JPEG file.")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was uploaded.")
    assert "Hydro" not in " ".join(rows(page))

    choose(page, PICTURE, BILL)
    if javascript:
        expect(page.get_by_role("list").filter(has_text="Licence.png")).to_be_visible()
    button(page, "Upload File").click()
    expect(page.get_by_text("2 files are uploaded.")).to_be_visible()
    assert len(rows(page)) == 2

    with page.expect_download() as coming:
        link(page, "Download Licence.png").click()
    assert coming.value.suggested_filename == "Licence.png"
    kept = Image.open(io.BytesIO(coming.value.path().read_bytes()))
    assert dict(kept.getexif()) == {274: 6}

    link(page, "Remove Hydro bill.pdf").click()
    button(page, "Remove").click()
    expect(page.get_by_text("“Hydro bill.pdf” is removed.")).to_be_visible()
    assert AccountDocument.objects.living().get(person=person).name == "Licence.png"


def test_office_asks_declines_and_approves(device):
    person = make_driver(first_name="Petra", last_name="Proof")
    office = device(person=ADMINISTRATOR).page
    office.goto(f"/admin/accounts/user/{person.pk}/change/")
    deed(office, "Ask for a document").click()
    office.get_by_label("What is needed").fill("Proof of address")
    button(office, "Ask").click()
    expect(office.get_by_text("It is asked for, and an e-mail is on its way.")).to_be_visible()

    page = device(person=person.email).page
    page.goto("/")
    steps.open_mail(page, person.email, "asks you for a document")
    steps.follow_link_in_mail(page, "Upload Documents")
    expect(page.get_by_text("The parking office asks you for: Proof of address")).to_be_visible()
    send(page, BILL)
    expect(page.get_by_text("The parking office is looking at what you sent")).to_be_visible()

    open_from_queue(office, person)
    deed(office, "Decline").click()
    office.get_by_label("Reason").fill("The second page is missing.")
    button(office, "Decline").click()
    expect(office.get_by_text("Declined.", exact=True)).to_be_visible()

    steps.open_mail(page, person.email, "was not accepted")
    steps.follow_link_in_mail(page, "Upload Documents")
    expect(page.get_by_text("The second page is missing.")).to_be_visible()
    send(page, PICTURE)

    open_from_queue(office, person)
    with office.expect_download() as coming:
        deed(office, "Licence.png").click()
    assert coming.value.suggested_filename == "Licence.png"
    deed(office, "Approve").click()
    button(office, "Approve").click()
    expect(office.get_by_text("Approved.", exact=True)).to_be_visible()
    steps.open_mail(page, person.email, "was accepted")
    page.goto("/uploads")
    expect(page.get_by_role("region", name="Uploaded Documents").get_by_text("Approved").first).to_be_visible()
    page.goto("/history")
    expect(page.get_by_text("Document approved")).to_be_visible()


def send(page: Page, file: dict[str, object]) -> None:
    """Upload a file for what is asked, which stands chosen."""
    expect(page.get_by_label("What is it for?")).to_contain_text("Proof of address")
    choose(page, file)
    button(page, "Upload File").click()
    expect(page.get_by_text("1 file is uploaded.")).to_be_visible()


def deed(office: Page, name: str) -> Locator:
    """Find a link of the office's site; those of deeds begin with the name of their icon."""
    return office.get_by_role("link", name=name).first


def open_from_queue(office: Page, person: object) -> None:
    """Open the request of this person from what is to be looked at."""
    office.goto("/admin/accounts/documentrequest/")
    office.get_by_role("row").filter(has_text=str(person)).get_by_role("link", name="Proof of address").click()


def test_account_on_hold(device):
    person = make_driver(first_name="Hanna", last_name="Hold")
    office = device(person=ADMINISTRATOR).page
    office.goto(f"/admin/accounts/user/{person.pk}/change/")
    deed(office, "Place a hold").click()
    office.get_by_label("Reason").fill("Three unpaid tickets")
    office.get_by_label("Amount to pay").fill("45.50")
    button(office, "Place the hold").click()
    expect(office.get_by_text("The account is on hold.")).to_be_visible()

    page = device(person=person.email, width=PHONE).page
    page.goto("/")
    notice = page.get_by_role("region", name="Your account is on hold")
    expect(notice).to_contain_text("Three unpaid tickets")
    expect(notice).to_contain_text("$45.50")
    steps.tab(page, "Permits").click()
    expect(page.get_by_text("Account on hold").first).to_be_visible()
    expect(button(page, "Reserve Permit")).to_have_count(0)

    deed(office, "Three unpaid tickets").click()
    deed(office, "Lift the hold").click()
    button(office, "Lift the hold").click()
    expect(office.get_by_text("The hold is lifted.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Account on hold")).to_have_count(0)


def test_far_too_much_at_once_is_answered_with_a_page(device, tmp_path):
    """The portal answers before it has read anything: the browser must show that answer, not a broken connection."""
    page = device(person=make_driver().email).page
    page.goto("/uploads")
    for number in range(8):
        (tmp_path / f"{number}.pdf").write_bytes(b"%PDF-1.4" + b"x" * 11_000_000)
    field(page, "Select Files to Upload").set_input_files(sorted(tmp_path.iterdir()))
    button(page, "Upload File").click()
    expect_heading(page, "Too much at once")
    link(page, "Back").click()
    expect_heading(page, "Account Uploads")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_name_menu_keeps_its_words_on_one_line(device, width):
    page = device(width=width, person=make_driver(first_name="Ann", last_name="Li").email).page
    page.goto("/")
    page.get_by_text("Ann Li").first.click()
    entries = page.locator("header .menu-list").filter(has_text="Upload Documents").get_by_role("link")
    expect(entries.first).to_be_visible()
    heights = {one.inner_text(): one.evaluate("link => link.getClientRects()[0].height") for one in entries.all()}
    assert max(heights.values()) < 50, heights
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
