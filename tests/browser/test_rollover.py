"""`Permit Rollover`: on at the permit, after something that pays is stored; off under Manage Credit Cards."""

from playwright.sync_api import Locator, Page, expect

from permits.models import Rollover
from tests.browser import cast, steps
from tests.browser.steps import PASSWORD, button, expect_heading, field, link


def switch(page: Page) -> Locator:
    return page.get_by_role("switch", name="Permit Rollover")


def test_a_permit_is_told_to_renew_itself_and_not_to(device):
    driver = cast.make_driver()
    driver.set_password(PASSWORD)
    driver.save()
    permit = cast.buy(driver)
    page = device(person=driver.email).page

    page.goto("/")
    link(page, permit.number).click()
    expect_heading(page, "Permit Information")
    switch(page).click()
    expect_heading(page, "Stored Subscription Payment Methods")
    expect(page.get_by_text("First choose what pays for Permit Rollover")).to_be_visible()

    link(page, "Add Payment Method").click()
    page.get_by_role("checkbox", name="Permit Rollover").check()
    page.get_by_role("checkbox", name="I Agree").check()
    field(page, "Current Password").fill(PASSWORD)
    button(page, "Add Payment Method").click()
    steps.store_at_bank(page)

    page.goto(f"/permits/{permit.code}/")
    switch(page).click()
    expect(page.get_by_text(f"Permit Rollover is on for {permit.number}")).to_be_visible()
    expect(switch(page)).to_be_checked()
    expect(page.get_by_text("Visa ···· 4242")).to_be_visible()

    page.goto("/payments/cards/")
    expect(page.get_by_text("Renews on")).to_be_visible()
    switch(page).click()
    expect(page.get_by_text("Permit Rollover is off")).to_be_visible()
    expect(switch(page)).not_to_be_checked()
    assert not Rollover.objects.get(permit=permit).is_on
