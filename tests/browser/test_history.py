"""`User History`: from the name menu to a receipt and a permit of the past; and the office's merge of two records."""

import re

from playwright.sync_api import expect

from demo.data.people import ADMINISTRATOR, PASSWORD
from tests.browser import cast, steps
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, field, link


def test_a_past_permit_is_found_by_its_confirmation_code(device):
    person = cast.make_driver()
    permit = cast.buy(person)
    code = cast.order_of(permit).code
    page = device(width=PHONE, person=person.email).page
    page.goto("/")
    page.get_by_role("banner").get_by_text(str(person)).click()
    link(page, "History").click()
    expect_heading(page, "User History")
    expect(page.get_by_text("If you need to see more history, you can contact your parking provider.")).to_be_visible()
    field(page, "Show").select_option(label="Payments")
    button(page, "Filter").click()
    expect(page).to_have_url(re.compile("kind=payments"))
    history = page.get_by_role("region", name="History")
    expect(history.get_by_role("listitem")).to_have_count(1)
    history.get_by_role("link", name=code).click()
    assert steps.read_confirmation_code(page) == code
    page.get_by_role("main").get_by_role("link", name=re.compile(permit.number)).click()
    expect_heading(page, "Permit Information")


def test_history_works_without_javascript(device):
    person = cast.make_driver()
    cast.hold(person)
    page = device(person=person.email, javascript=False).page
    page.goto("/history")
    field(page, "Show").select_option(label="Vehicles")
    button(page, "Filter").click()
    expect(page.get_by_role("region", name="History").get_by_role("listitem")).to_have_count(1)
    link(page, "Show everything").click()
    expect(page.get_by_text("Permit reserved")).to_be_visible()


def test_the_office_puts_two_records_together(device):
    keeper, loser = cast.make_driver(), cast.make_driver(first_name="Robyn")
    permit = cast.buy(loser)
    page = device(width=DESK, person=ADMINISTRATOR).page
    page.goto(f"/admin/accounts/user/{keeper.pk}/change/")
    page.get_by_role("link", name=re.compile("Merge with another record")).click()
    field(page, "The other record").fill(loser.email)
    button(page, "Continue").click()
    expect(page.get_by_text(f"{keeper.email} stays, {loser.email} no longer signs in.")).to_be_visible()
    field(page, "Reason").fill("Registered twice")
    field(page, "Your own password").fill(PASSWORD)
    button(page, "Merge").click()
    expect(page.get_by_text("The two records are one now.")).to_be_visible()
    page.goto(f"/admin/accounts/user/{loser.pk}/change/")
    expect(page.get_by_text("This record was merged into")).to_be_visible()
    theirs = device(person=keeper.email).page
    theirs.goto(f"/permits/{permit.code}/")
    expect_heading(theirs, "Permit Information")
