"""What people do on the pages, found by the words and roles that they see."""

import re
from itertools import count

from playwright.sync_api import Locator, Page, expect

from demo.bank.models import BankCardPage, BankSession
from opscom.messaging.models import Message

PASSWORD = "quiet lake under fog"
APPROVED, DECLINED, ASKS = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"
SILENT, NEVER_BACK, TWICE = "4000 0000 0000 0119", "4000 0000 0000 0259", "4000 0000 0000 0341"
LATE = "4000 0000 0000 0457"
# Mail and PDFs come from a worker that has other things to do as well.
PATIENCE = 30_000
_numbers = count(1)


def new_address() -> str:
    """Return an e-mail address that nobody has yet."""
    return f"nia.newcomer{next(_numbers)}@example.org"


def new_plate() -> str:
    """Return a plate that nobody has yet."""
    return f"NEW {next(_numbers):03}"


def button(page: Page, name: str) -> Locator:
    """Find a button by its whole name."""
    return page.get_by_role("button", name=name, exact=True)


def link(page: Page, name: str) -> Locator:
    """Find a link by its whole name."""
    return page.get_by_role("link", name=name, exact=True)


def field(page: Page, label: str) -> Locator:
    """Find a field by its whole label, with or without the star of a required one."""
    return page.get_by_label(re.compile(rf"^\s*{label}\s*\*?:?\s*$"))


def tab(page: Page, name: str) -> Locator:
    """Find one of the portal's tabs."""
    return page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True)


def open_tab(page: Page, name: str) -> None:
    """Go to one of the portal's tabs; on a phone the last ones stand under `More`."""
    more = page.get_by_role("navigation", name="Main").locator("summary", has_text="More")
    if more.is_visible() and not tab(page, name).is_visible():
        more.click()
    tab(page, name).click()


def expect_heading(page: Page, name: str) -> None:
    """Wait for a page with this heading of the first level."""
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


# Getting in


def choose_language(page: Page, language: str = "English") -> None:
    """Open the portal for the first time on a device."""
    page.goto("/")
    expect_heading(page, "Choose your language")
    page.get_by_role("radio", name=language).check()
    button(page, "Continue").click()


def create_account(page: Page, email: str) -> None:
    """Fill and send `Create Account`, from the sign-in page."""
    link(page, "Create Account").click()
    field(page, "E-mail").fill(email)
    field(page, "First name").fill("Nia")
    field(page, "Last name").fill("Newcomer")
    button(page, "Create Account").click()


def open_mail(page: Page, to: str, subject: str) -> None:
    """Open the newest mail with such a subject in the demo's inbox, as soon as it has come."""
    link(page, "Inbox").click()
    page.goto(f"/demo/inbox/?to={to}")
    letter = page.get_by_role("link", name=re.compile(subject)).first
    for _try in range(60):
        if letter.is_visible():
            break
        page.wait_for_timeout(500)
        page.reload()
    letter.click()


def follow_link_in_mail(page: Page, name: str) -> None:
    """Click a link in the mail that is open, in the frame that shows it as it looks."""
    page.frame_locator("iframe").get_by_role("link", name=name).click()


def set_password(page: Page, password: str = PASSWORD) -> None:
    """Type the new password twice and press `Confirm`."""
    expect_heading(page, "Create Password")
    field(page, "New password").fill(password)
    field(page, "New password, again").fill(password)
    button(page, "Confirm").click()


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Sign in on the sign-in page."""
    field(page, "E-mail").fill(email)
    field(page, "Password").fill(password)
    button(page, "Sign in").click()


def read_code(page: Page, email: str) -> str:
    """Return the one-time password in the newest mail to this address, from the demo's inbox, once all have come."""
    sent = Message.objects.filter(to=email, template="accounts/one_time_password").count()
    page.goto(f"/demo/inbox/?to={email}")
    letters = page.get_by_role("link", name="Your one-time password")
    for _try in range(60):
        if letters.count() >= sent:
            break
        page.wait_for_timeout(500)
        page.reload()
    letters.first.click()
    shown = page.frame_locator("iframe").get_by_text(re.compile(r"^\d{6}$"))
    return shown.inner_text().strip()


def enter_code(page: Page, email: str) -> None:
    """On the page that follows the password: fetch the code from the mailbox and submit it."""
    expect_heading(page, "One-Time Password")
    code = read_code(page, email)
    page.goto("/one_time_password")
    field(page, "One-Time Password").fill(code)
    button(page, "Submit").click()


def finish_profile(page: Page) -> None:
    """Answer what the profile gate asks."""
    expect(page.get_by_text("You'll need to finish your profile before exploring.")).to_be_visible()
    field(page, "Mobile phone").fill("613-555-0177")
    button(page, "Save Changes").click()


# A vehicle and a permit


def add_vehicle(page: Page, plate: str) -> None:
    """From the empty list of vehicles: agree, fill the form, save."""
    page.get_by_role("main").get_by_role("link", name="Add New Vehicle").click()
    expect_heading(page, "Disclaimer")
    button(page, "I Agree").click()
    expect_heading(page, "Add New Vehicle")
    field(page, "Plate").fill(plate)
    field(page, "State/Province").select_option(label="Ontario")
    field(page, "Plate Type").select_option(label="Passenger")
    field(page, "Vehicle Year").fill("2019")
    button(page, "Save Changes").click()


def reserve(page: Page, lot: str, kind: str) -> None:
    """Open the offer on the lot's card and reserve, with the vehicle that is chosen already."""
    card = page.get_by_role("region", name=lot)
    card.get_by_text(kind).click()
    card.get_by_role("button", name="Reserve Permit").and_(page.locator(":visible")).click()


def check_out(page: Page) -> None:
    """From `Payments Due` to the bank's page."""
    expect_heading(page, "Payments Due")
    button(page, "Continue to Checkout").click()
    expect_heading(page, "Payment Method")
    page.get_by_label("Credit Card").check()
    button(page, "Submit Payment").click()


def pay_at_bank(page: Page, card: str = APPROVED) -> BankSession:
    """Type a test card on the bank's page and press `Pay Now`; return the bank's side of it."""
    field(page, "Card number").fill(card)
    token = page.url.rstrip("/").rpartition("/")[2]
    button(page, "Pay Now").click()
    return BankSession.objects.get(token=token)


def store_at_bank(page: Page, card: str = APPROVED) -> BankCardPage:
    """Type a test card on the bank's page that stores cards and press `Store Card`; return the bank's side of it."""
    field(page, "Card number").fill(card)
    token = page.url.rstrip("/").rpartition("/")[2]
    button(page, "Store Card").click()
    return BankCardPage.objects.get(token=token)


def read_confirmation_code(page: Page) -> str:
    """Return the code that the receipt page shows."""
    expect_heading(page, "Receipt")
    title = page.title()
    code = title.split(" ")[1]
    expect(page.get_by_role("main").get_by_text(code, exact=True)).to_be_visible()
    return code
