"""Tickets, as the manual tells it: appeal one's own, appeal somebody else's, pay one without an account."""

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from tests.browser import cast, steps
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, field, link
from tests.factories.documents import pdf, photo
from violations.models import Appeal, AppealStatus, Association, Ticket, TicketStatus

OFFICER = "appeals@lakeshore.example"
SIGN = {"name": "Sign.jpg", "mimeType": "image/jpeg", "buffer": photo("JPEG", (400, 300), orientation=6)}
RECEIPT = {"name": "Receipt.pdf", "mimeType": "application/pdf", "buffer": pdf()}
PROGRAM = {"name": "Photo.png", "mimeType": "image/png", "buffer": b"MZ\x90\0" + b"\0" * 400}
REASON = "The sign was covered by snow.\nI could not see it."


def choose(page: Page, *files: dict[str, object]) -> None:
    """Choose files; with a script they travel at once."""
    field(page, "Select Files to Upload").set_input_files(list(files))


def evidence(page: Page) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("button", name="Remove"))


def open_ticket(page: Page, ticket: Ticket) -> None:
    """From the tab: search, `Details`, `More Info`."""
    page.goto("/")
    steps.open_tab(page, "Appeals")
    expect_heading(page, "Appeals")
    field(page, "Search my Tickets").fill(ticket.full_number.lower())
    button(page, "Search").click()
    page.get_by_text(f"Details {ticket.number}").click()
    link(page, f"More Info {ticket.number}").click()
    expect_heading(page, ticket.full_number)


def open_appeal(office: Page, ticket: Ticket) -> None:
    """Open it from the queue."""
    office.goto("/admin/violations/appeal/")
    office.get_by_role("link", name=ticket.number, exact=True).click()


def deed(office: Page, name: str) -> None:
    """Follow a link of the office's site; those of deeds begin with the name of their icon."""
    office.get_by_role("link", name=name).first.click()


@pytest.mark.parametrize(("width", "javascript"), [(PHONE, True), (DESK, False)])
def test_own_ticket_is_appealed_reduced_and_paid(device, width, javascript):
    person = cast.make_driver(first_name="Tara", last_name="Ticket")
    ticket = cast.fine(person)
    page = device(person=person.email, width=width, javascript=javascript).page
    appeal_with_evidence(page, ticket)
    steps.open_mail(page, person.email, "appeal")
    expect(page.frame_locator("iframe").get_by_text(ticket.number).first).to_be_visible()

    office = device(person=OFFICER).page
    question = "Which of the signs was it?"
    open_appeal(office, ticket)
    expect(office.get_by_text("I could not see it.")).to_be_visible()
    deed(office, "Ask for more")
    field(office, "In your own words").fill(question)
    button(office, "Send the question").click()
    expect(office.get_by_text("The question is sent.")).to_be_visible()

    open_ticket(page, ticket)
    link(page, "Answer").click()
    expect(page.get_by_text(question)).to_be_visible()
    field(page, "Your answer").fill("The one at the north gate.")
    button(page, "Send Answer").click()

    open_appeal(office, ticket)
    expect(office.get_by_text("The one at the north gate.")).to_be_visible()
    deed(office, "Reduce")
    field(office, "The ticket costs").fill("12.50")
    field(office, "Text block").select_option(label="Signs stand at each entrance")
    button(office, "Reduce the ticket").click()
    expect(office.get_by_text("It is decided, and the appellant is told.")).to_be_visible()

    open_ticket(page, ticket)
    expect(page.get_by_text("Administrator's response")).to_be_visible()
    expect(page.get_by_text("The signs at each entrance of the lot")).to_be_visible()
    link(page, "Pay $12.50").click()
    steps.check_out(page)
    steps.pay_at_bank(page)
    steps.read_confirmation_code(page)
    assert Ticket.objects.get(pk=ticket.pk).status == TicketStatus.PAID
    assert Appeal.objects.get(ticket=ticket).status == AppealStatus.REDUCED


def appeal_with_evidence(page: Page, ticket: Ticket) -> None:
    """`Request Appeal`: a program is refused, one of two files is removed again, and the days stand still."""
    open_ticket(page, ticket)
    expect(page.get_by_alt_text("Photo 1 of the officer")).to_be_visible()
    link(page, "Request Appeal").click()
    expect_heading(page, "Request Appeal")
    expect(page.get_by_text("If the appeal is refused, the ticket costs $30.00")).to_be_visible()
    button(page, "Submit Appeal").click()
    expect(page.get_by_role("alert").first).to_contain_text("Please write your reasons.")
    field(page, "Reason for Appeal").fill(REASON)
    for files in ([SIGN, RECEIPT], [PROGRAM]):
        choose(page, *files)
        send_chosen(page)
        expect(evidence(page)).to_have_count(2)
    expect(page.get_by_text("“Photo.png”: This is not a PDF, PNG or JPEG file.").first).to_be_visible()
    button(page, "Remove Receipt.pdf").click()
    expect(evidence(page)).to_have_count(1)
    expect(field(page, "Reason for Appeal")).to_have_value(REASON)
    button(page, "Submit Appeal").click()
    expect_heading(page, "Your appeal is submitted")
    expect(page.get_by_text("Sign.jpg")).to_be_visible()
    open_ticket(page, ticket)
    expect(page.get_by_text("Violations Under Review:").first).to_be_visible()
    expect(link(page, "Pay $30.00")).to_have_count(0)


def send_chosen(page: Page) -> None:
    """Without a script a button sends what is chosen."""
    upload = button(page, "Upload File")
    if upload.count():
        upload.click()


@pytest.mark.parametrize(("width", "javascript"), [(PHONE, False), (DESK, True)])
def test_ticket_of_somebody_elses_vehicle_is_appealed(device, width, javascript):
    ticket, person = cast.fine(cast.make_driver(last_name="Owner")), cast.make_driver()
    page = device(person=person.email, width=width, javascript=javascript).page
    page.goto("/")
    steps.open_tab(page, "Appeals")
    link(page, "Lookup All Tickets").click()
    search = field(page, "Search Plate or Ticket")
    search.fill(ticket.plate)
    button(page, "Search").click()
    found = page.get_by_role("region", name="What was found")
    expect(found).to_contain_text("No valid permit displayed")
    expect(found).not_to_contain_text(ticket.number)
    search.fill(ticket.full_number)
    button(page, "Search").click()
    expect_heading(page, ticket.full_number)
    expect(page.get_by_text("Owner")).to_have_count(0)
    link(page, "Request Appeal").click()
    expect(page.get_by_text("associated with your profile temporarily during the appeal")).to_be_visible()
    button(page, "Associate").click()
    expect(link(page, "Request Appeal")).to_be_in_viewport()
    link(page, "Request Appeal").click()
    field(page, "Reason for Appeal").fill("I had borrowed the car, and the permit lay in it.")
    button(page, "Submit Appeal").click()
    expect_heading(page, "Your appeal is submitted")
    expect_linked(page, person, ticket)
    assert Appeal.objects.get(ticket=ticket).person == person


def expect_linked(page: Page, person: User, ticket: Ticket) -> None:
    """While the appeal runs the vehicle stands among theirs, and nothing can be done with it."""
    page.goto("/vehicles/")
    expect(page.get_by_text(f"linked for the appeal of {ticket.number}, until it is decided")).to_be_visible()
    assert Association.objects.live().filter(person=person, ticket=ticket).exists()


@pytest.mark.parametrize(("width", "javascript"), [(PHONE, True), (DESK, False)])
def test_guest_pays_with_number_and_pin(device, width, javascript):
    ticket = cast.fine()
    page = device(width=width, javascript=javascript).page
    page.goto("/login")
    link(page, "Pay your Ticket").click()
    expect_heading(page, "Quick Pay")
    number = field(page, "Ticket Number")
    number.fill(ticket.number)
    button(page, "Search").click()
    expect(page.get_by_role("alert").first).to_contain_text("No violation found.")
    number.fill(ticket.full_number.lower().replace("-", " "))
    button(page, "Search").click()
    expect_heading(page, ticket.full_number)
    expect(page.get_by_text("Violation Ticket Login").first).to_be_visible()
    page.get_by_role("link", name="Guest Payment").click()
    expect(page.get_by_text("Choose your payment method and enter your email address.")).to_be_visible()
    page.get_by_label("Credit Card").check()
    email = steps.new_address()
    field(page, "E-mail for the receipt").fill(email)
    button(page, "Submit Payment").click()
    steps.pay_at_bank(page)
    steps.read_confirmation_code(page)
    expect(page.get_by_role("main")).to_contain_text("$30.00")
    assert Ticket.objects.get(pk=ticket.pk).status == TicketStatus.PAID
    steps.open_mail(page, email, "[Rr]eceipt")
    expect(page.frame_locator("iframe").get_by_text(ticket.number).first).to_be_visible()
