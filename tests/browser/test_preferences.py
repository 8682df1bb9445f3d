"""`Email Preferences`: from the name menu, and by the link `Unsubscribe` in a mail."""

import pytest
from playwright.sync_api import expect

from opscom.messaging.models import Message
from opscom.messaging.preferences import make_link
from tests.browser import cast
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, link, new_address


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_choose_from_the_name_menu(device, width):
    person = cast.make_driver()
    page = device(width=width, person=person.email).page
    page.goto("/")
    page.get_by_role("banner").get_by_text(str(person)).click()
    link(page, "Email Preferences").click()
    expect_heading(page, "Email Preferences")
    newsletter = page.get_by_label("Newsletter", exact=True)
    expect(newsletter).to_be_checked()
    page.get_by_role("button", name="What is Newsletter?").click()
    expect(page.get_by_text("News from the parking office")).to_be_visible()
    page.keyboard.press("Escape")
    button(page, "Select/Deselect All").click()
    expect(newsletter).not_to_be_checked()
    newsletter.check()
    button(page, "Save Changes").click()
    expect(page.get_by_text("Your e-mail preferences are saved.")).to_be_visible()
    expect(newsletter).to_be_checked()
    expect(page.get_by_label("Promotional Emails", exact=True)).not_to_be_checked()
    expect(page.get_by_role("region", name="Essential Categories")).to_contain_text("Important")


def test_unsubscribe_link_needs_neither_sign_in_nor_javascript(device):
    address = new_address()
    page = device(javascript=False).page
    page.goto(make_link(address, "newsletter", "en"))
    expect_heading(page, "Email Preferences")
    assert address not in page.content()
    button(page, "Select/Deselect All").click()
    expect(page.get_by_label("Newsletter", exact=True)).not_to_be_checked()
    button(page, "Save Changes").click()
    expect(page.get_by_text("Your e-mail preferences are saved.")).to_be_visible()
    expect(page.get_by_label("Newsletter", exact=True)).not_to_be_checked()
    assert not Message.objects.filter(to=address).exists()
