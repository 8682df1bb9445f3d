"""A forgotten password, and another e-mail address, in a real browser by role and label, mailbox and all."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import cast, steps
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, field, link
from tests.factories.accounts import PASSWORD


def expect_no_token(page: Page, folder: str) -> None:
    """What stands in the address bar opens nothing elsewhere."""
    expect(page).to_have_url(re.compile(rf"/{folder}/~[0-9a-f]{{16}}$"))


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_forgotten_password(device, width):
    person = cast.make_newcomer()
    page = device(width=width).page
    page.goto("/login")
    link(page, "Forgot Password").click()
    expect_heading(page, "Forgot Password")
    field(page, "Your Email Address").fill(person.email)
    button(page, "Send Reminder").click()
    expect_heading(page, "Check your e-mail")
    expect(page.get_by_text("spam or junk folder")).to_be_visible()

    steps.open_mail(page, person.email, "Reset your password")
    steps.follow_link_in_mail(page, "Reset Password")
    expect_heading(page, "Reset Password")
    expect_no_token(page, "password/reset")
    field(page, "E-mail").fill(person.email)
    field(page, "New password").fill(steps.PASSWORD)
    field(page, "New password, again").fill(steps.PASSWORD)
    button(page, "Reset Password").click()
    expect_heading(page, "Your password is reset")
    page.get_by_role("main").get_by_role("link", name="Login Page", exact=True).click()
    steps.sign_in(page, person.email)
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_change_of_address(device, width):
    person, new = cast.make_newcomer(), steps.new_address()
    old = person.email
    page = device(width=width, person=old).page
    page.goto("/")
    page.locator("summary").first.click()
    link(page, "Security").click()
    link(page, "Change E-mail").click()
    expect_heading(page, "Change E-mail")
    field(page, "New e-mail address").fill(old)
    field(page, "Current Password").fill(PASSWORD)
    button(page, "Change E-mail").click()
    expect(page.get_by_text("This is your e-mail address already.").first).to_be_visible()
    field(page, "New e-mail address").fill(new)
    field(page, "Current Password").fill(PASSWORD)
    button(page, "Change E-mail").click()
    expect(page.get_by_text(f"A link is on its way to {new}.")).to_be_visible()

    steps.open_mail(page, old, "may change")
    steps.open_mail(page, new, "Confirm your new e-mail address")
    steps.follow_link_in_mail(page, "Change E-mail")
    expect_heading(page, "Change E-mail")
    expect_no_token(page, "address/change")
    expect(page.get_by_role("main").get_by_text(old)).to_be_visible()
    button(page, "Change E-mail").click()
    expect(page.get_by_text("Your e-mail address is changed.")).to_be_visible()
    expect(page.get_by_role("main").get_by_text(new)).to_be_visible()
    steps.open_mail(page, old, "was changed")

    other = device(width=width).page
    other.goto("/login")
    steps.sign_in(other, new, PASSWORD)
    expect(other.get_by_role("navigation", name="Main")).to_be_visible()
