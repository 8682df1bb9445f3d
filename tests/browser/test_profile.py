"""The office asks something of its own; a person answers it, and says where they live and where letters go."""

import pytest
from playwright.sync_api import Page, expect

from accounts.letters import letter_lines
from accounts.models import ProfileAnswer, ProfileField
from accounts.selectors import forget_asked_fields
from demo.data.people import ADMINISTRATOR
from tests.browser import cast
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, field, link


@pytest.fixture
def no_questions_left():
    """Ask nothing of the other tests' people."""
    yield
    ProfileAnswer.objects.filter(field__name="own_home_campus").delete()
    ProfileField.objects.filter(name="own_home_campus").delete()
    forget_asked_fields()


def ask_for_campus(page: Page) -> None:
    """Make a required choice in the office's site."""
    page.goto("/admin/accounts/profilefield/add/")
    page.get_by_label("Kind").select_option(label="Choice")
    page.locator("[name=label_en]").fill("Home campus")
    page.locator("[name=help_text_en]").fill("Where you are most days")
    page.locator("[name=choice_lines_en]").fill("north = North campus\nSouth campus")
    page.get_by_label("Group").select_option(label="Other information")
    page.get_by_label("State").select_option(label="Required")
    page.get_by_label("Order").fill("50")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("row").get_by_role("link", name="Home campus", exact=True)).to_be_visible()


def open_name_menu(page: Page, name: str, entry: str) -> None:
    page.get_by_role("banner").get_by_text(name).click()
    link(page, entry).click()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_question_of_the_office_and_both_addresses(device, width, no_questions_left):
    ask_for_campus(device(person=ADMINISTRATOR).page)
    person = cast.make_newcomer()
    page = device(width=width, person=person.email).page

    page.goto("/vehicles/")
    expect_heading(page, "Your Profile")
    expect(page.get_by_text("You'll need to finish your profile before exploring.")).to_be_visible()
    expect(page.get_by_role("group", name="Users Settings").get_by_label("Language")).to_be_visible()
    button(page, "Save Changes").click()
    expect(page.get_by_role("alert").get_by_role("link", name="Home campus")).to_be_visible()
    field(page, "Home campus").select_option(label="South campus")
    button(page, "Save Changes").click()
    expect_heading(page, "Vehicles")
    assert person.profile_answers.get().value == "south-campus"

    page.goto("/")
    open_name_menu(page, "Robin Field", "Addresses")
    expect_heading(page, "Addresses")
    page.get_by_role("region", name="Home address").get_by_role("link", name="Edit").click()
    expect_heading(page, "Edit Address")
    field(page, "Street address").fill("1 Elm Street")
    field(page, "City").fill("Kingston")
    field(page, "Province or state").select_option(label="Ontario")
    field(page, "Postal code").fill("k7l1a1")
    button(page, "Save Changes").click()
    expect(page.get_by_role("region", name="Home address")).to_contain_text("Kingston, Ontario K7L 1A1")

    page.get_by_role("region", name="Mailing address").get_by_role("link", name="Edit").click()
    expect(field(page, "Street address")).to_be_hidden()
    page.get_by_label("Same as the home address").uncheck()
    button(page, "Save Changes").click()
    expect(page.get_by_role("alert").get_by_role("link", name="City")).to_be_visible()
    field(page, "Street address").fill("PO Box 7")
    field(page, "City").fill("Toronto")
    field(page, "Province or state").select_option(label="Ontario")
    button(page, "Save Changes").click()
    expect(page.get_by_role("region", name="Mailing address")).to_contain_text("PO Box 7")
    assert letter_lines(person)[0] == "PO Box 7"
