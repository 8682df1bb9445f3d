"""One-time passwords, authenticator app and sessions in a real browser, by role and label."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import AppDevice, User
from tests.accounts.mfa import app_code
from tests.browser import cast, steps
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, field, link
from tests.factories.accounts import PASSWORD


def open_settings(page: Page) -> None:
    """By the name menu, as the manual says."""
    page.locator("summary").first.click()
    link(page, "Security").click()
    link(page, "Change Multifactor Authentication Settings").click()
    expect_heading(page, "Multi-Factor Authentication")


def submit_choice(page: Page, code: str, choice: str) -> None:
    """Fill the settings and submit them."""
    field(page, "Current Password").fill(PASSWORD)
    field(page, "One-Time Password").fill(code)
    page.get_by_label("Multi-Factor Authentication", exact=False).last.select_option(label=choice)
    button(page, "Submit").click()


def mail_code(page: Page, person: User) -> str:
    """Have a code sent, read it, and come back to the settings."""
    button(page, "Send One-Time Password To Email").click()
    expect(page.get_by_text("A one-time password has been sent").first).to_be_visible()
    code = steps.read_code(page, person.email)
    page.goto("/account/multiauth")
    return code


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_one_time_passwords_by_mail_and_sessions(device, width):
    person = cast.make_newcomer()
    page = device(width=width, person=person.email).page
    page.goto("/")
    open_settings(page)
    submit_choice(page, mail_code(page, person), "Enable One-Time Passwords")
    expect(page.get_by_text("Your multi-factor authentication settings are saved.").first).to_be_visible()

    other = device(width=width).page
    other.goto("/vehicles/")
    steps.sign_in(other, person.email, PASSWORD)
    steps.enter_code(other, person.email)
    expect(other).to_have_url(re.compile("/vehicles/$"))

    link(page, "Your sessions").click()
    expect_heading(page, "Your sessions")
    expect(page.get_by_text("This session")).to_be_visible()
    page.get_by_role("button", name=re.compile("^End Chrome")).click()
    expect(page.get_by_text("That session has ended.")).to_be_visible()
    other.goto("/vehicles/")
    expect_heading(other, "Sign in")


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_authenticator_app_and_recovery_codes(device, width):
    person = cast.make_newcomer()
    page = device(width=width, person=person.email).page
    page.goto("/")
    open_settings(page)
    submit_choice(page, mail_code(page, person), "Use an authenticator app")
    expect_heading(page, "Use an authenticator app")
    expect(page.get_by_role("img", name="QR code of the key below")).to_be_visible()
    app = AppDevice.objects.get(user=person)
    field(page, "Code that the app shows").fill(app_code(app))
    button(page, "Submit").click()
    expect_heading(page, "Recovery codes")
    recovery = page.get_by_role("listitem").get_by_role("code").first.inner_text()
    with page.expect_download() as download:
        link(page, "Save as a file").click()
    assert recovery in Path(download.value.path()).read_text()
    link(page, "Continue").click()
    expect(page.get_by_text("10 recovery codes left.")).to_be_visible()

    other = device(width=width).page
    other.goto("/")
    steps.sign_in(other, person.email, PASSWORD)
    expect_heading(other, "One-Time Password")
    expect(button(other, "Send One-Time Password To Email")).to_have_count(0)
    field(other, "One-Time Password").fill(recovery)
    button(other, "Submit").click()
    expect(other.get_by_role("navigation", name="Main")).to_be_visible()
