"""A company's manager acts for one of its people, and the office logs in as somebody."""

import pytest
from playwright.sync_api import expect

from demo.data.people import ADMINISTRATOR
from tests.browser import steps
from tests.browser.cast import make_driver
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, field, link, open_tab
from tests.factories.companies import give_company, make_company


@pytest.mark.parametrize(("width", "javascript"), [(PHONE, True), (DESK, True), (DESK, False)])
def test_manager_acts_for_somebody_of_the_company(device, width, javascript):
    person = make_driver(first_name="Edgar", last_name=f"Acting {width} {javascript}")
    company = make_company(person, name=f"Quarry {width} {javascript}")
    manager = give_company(company, make_driver(first_name="Mona", last_name="Manager"))
    page = device(width=width, person=manager.email, javascript=javascript).page

    page.goto("/")
    open_tab(page, "Company Manager")
    expect_heading(page, "Company Manager")
    page.get_by_role("searchbox").fill("edgar")
    button(page, "Search").click()
    button(page, f"Log in as {person}").click()

    pop_up = page.get_by_role("dialog", name=f"You are now logged in as {person}")
    expect(pop_up).to_be_visible()
    pop_up.get_by_role("link", name="Continue").click()

    bar = page.get_by_role("complementary", name="Acting for somebody")
    expect(page).to_have_url("/")
    expect(bar).to_contain_text(f"Mona Manager, you are in the account of {person}")
    page.goto("/profile")
    field(page, "Mobile phone").fill("613-555-0142")
    button(page, "Save Changes").click()
    expect(page.get_by_text("Your profile is saved.")).to_be_visible()
    page.goto("/security")
    expect_heading(page, f"Only {person} can open this page")

    bar.get_by_role("button", name="Back to my own account").click()
    expect_heading(page, "Company Manager")
    expect(bar).to_have_count(0)
    person.refresh_from_db()
    assert str(person.mobile_phone) == "+16135550142"


def test_pop_up_that_is_put_away_leads_home(device):
    person = make_driver(first_name="Edna", last_name="Escape")
    manager = give_company(make_company(person, name="Escape Ltd"), make_driver())
    page = device(person=manager.email).page
    page.goto("/company")
    button(page, f"Log in as {person}").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).to_have_url("/")
    expect(page.get_by_role("complementary", name="Acting for somebody")).to_be_visible()


def test_office_logs_in_as_somebody_and_the_person_sees_it(device):
    person = make_driver(first_name="Hedda", last_name="Help")
    page = device(person=ADMINISTRATOR).page
    page.goto(f"/admin/accounts/user/{person.pk}/change/")
    page.get_by_role("link", name="Log in as this person").click()
    page.get_by_label("Reason").fill("Asked for help on the phone")
    button(page, "Log in").click()
    expect(page.get_by_role("dialog", name="You are now logged in as Hedda Help")).to_be_visible()
    link(page, "Continue").click()
    page.get_by_role("complementary", name="Acting for somebody").get_by_role("button").click()
    expect(page).to_have_url(f"/admin/accounts/user/{person.pk}/change/")

    own = device(person=person.email).page
    own.goto("/history")
    expect(own.get_by_text("Entered the account to act for its owner")).to_be_visible()
    expect(own.get_by_text("by Jordan Ellis").first).to_be_visible()
    steps.open_mail(own, person.email, "is acting in your account")
