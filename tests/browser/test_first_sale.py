"""The portal's main job, clicked through by somebody who has never been here, and seen by the office afterwards."""

import datetime as dt
import io
import re

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from demo.data.people import ADMINISTRATOR
from opscom.provider.selectors import get_provider
from permits.models import Permit, PermitPrint
from tests.browser import steps
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, link, tab
from tests.factories.provider import set_provider


def arrive_in_auto_login(page: Page, email: str) -> None:
    """Registered people are in at once; the link in the mail makes their password."""
    expect(page.get_by_text("Please check your email for an activation link.")).to_be_visible()
    expect_heading(page, "Your Profile")
    steps.open_mail(page, email, "password")
    steps.follow_link_in_mail(page, "Create Password")
    steps.set_password(page)
    # Still signed in, and on the way to the first page the gate stands.
    expect_heading(page, "Your Profile")
    page.get_by_role("banner").get_by_text("Nia Newcomer").click()
    button(page, "Sign out").click()
    steps.sign_in(page, email)


def arrive_in_email_verification(page: Page, email: str) -> None:
    """Registered people wait for the mail, and sign in with the password that they create from it."""
    expect(page.get_by_text("An e-mail has been sent for validation, please click on the link")).to_be_visible()
    steps.open_mail(page, email, "password")
    steps.follow_link_in_mail(page, "Create Password")
    steps.set_password(page)
    expect(page.get_by_text("Your password is set.")).to_be_visible()
    steps.sign_in(page, email)


ARRIVALS = {"auto_login": arrive_in_auto_login, "email_verification": arrive_in_email_verification}


@pytest.fixture
def registration_mode(request):
    """Let the provider register people in this way, and afterwards as before."""
    before = get_provider().registration_mode
    set_provider(registration_mode=request.param)
    yield request.param
    set_provider(registration_mode=before)


def print_permit(page: Page) -> str:
    """Press `Print` and return the text of the PDF that is downloaded."""
    expect(button(page, "Print")).to_be_visible(timeout=steps.PATIENCE)
    with page.expect_download() as coming:
        button(page, "Print").click()
    content = coming.value.path().read_bytes()
    return "\n".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(content)).pages)


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("registration_mode", ARRIVALS, indirect=True)
def test_new_person_buys_and_prints_a_permit(device, registration_mode, width):
    page = device(width=width, language="").page
    email, plate = steps.new_address(), steps.new_plate()

    steps.choose_language(page)
    steps.create_account(page, email)
    ARRIVALS[registration_mode](page, email)
    steps.finish_profile(page)

    tab(page, "Permits").click()
    expect_heading(page, "Vehicles")
    steps.add_vehicle(page, plate)
    expect_heading(page, "Permit Disclaimer")
    button(page, "I Agree").click()
    expect_heading(page, "Permits")
    steps.reserve(page, "Arena", "Arena monthly")
    steps.check_out(page)
    steps.pay_at_bank(page)
    code = steps.read_confirmation_code(page)
    expect(page.get_by_role("row", name=re.compile("^Total"))).to_contain_text("$54.24")

    steps.open_mail(page, email, "[Rr]eceipt")
    expect(page.frame_locator("iframe").get_by_text(code)).to_be_visible()

    page.goto("/")
    permit = Permit.objects.get(holder__email=email)
    number = permit.number
    link(page, number).click()
    expect_heading(page, "Permit Information")
    expect(page.get_by_text("Valid now")).to_be_visible()
    paper = print_permit(page)
    assert number in paper
    assert plate in paper
    page.reload()
    assert number in print_permit(page), "the same file again, within the provider's minutes"

    printed = PermitPrint.objects.get(permit=permit)
    long_ago = printed.printed_at - dt.timedelta(minutes=get_provider().reprint_minutes + 1)
    PermitPrint.objects.filter(pk=printed.pk).update(printed_at=long_ago)
    button(page, "Print").click()
    expect(page.get_by_text("You can only print this once (last printed").first).to_be_visible()
    expect(button(page, "Print")).to_have_count(0)

    status = re.search(r"https?://\S+/permits/status/\w+", paper.replace("\n", ""))
    check_status_page(device(width=width, language="").page, permit, status)
    check_office(device(person=ADMINISTRATOR).page, number, code, email)


def check_status_page(page: Page, permit: Permit, printed_address: re.Match[str] | None) -> None:
    """The address in the QR code, on a stranger's phone: valid or not, and nothing about the person."""
    page.goto(printed_address[0] if printed_address else f"/permits/status/{permit.public_code}/?lang=en")
    expect(page.get_by_role("heading", name="Valid", exact=True)).to_be_visible()
    main = page.get_by_role("main")
    expect(main).to_contain_text(permit.number)
    expect(main).not_to_contain_text("Newcomer")


def check_office(page: Page, number: str, code: str, email: str) -> None:
    """The office finds the sale among today's figures and in its lists."""
    page.goto("/admin/")
    expect(page.get_by_text("Today").first).to_be_visible()
    for name, words in {"Permits": number, "Orders": code}.items():
        page.get_by_role("navigation").get_by_role("link", name=name).first.click()
        expect(page.get_by_role("link", name=words).first).to_be_visible()
    page.goto(f"/admin/accounts/user/?q={email}")
    expect(page.get_by_text(email).first).to_be_visible()
