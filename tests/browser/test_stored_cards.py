"""A card is stored, pays at the checkout, and is removed: by the labels of the manual, on a page and at the bank."""

from playwright.sync_api import expect

from payments.models import StoredMethod
from tests.browser import cast, steps
from tests.browser.steps import PASSWORD, button, expect_heading, field, link


def test_a_card_is_stored_pays_and_is_removed(device):
    driver = cast.make_driver()
    driver.set_password(PASSWORD)
    driver.save()
    permit = cast.hold(driver)
    page = device(person=driver.email).page

    page.goto("/")
    page.get_by_role("banner").get_by_text(str(driver)).click()
    link(page, "Manage Credit Cards").click()
    expect_heading(page, "Stored Subscription Payment Methods")
    link(page, "Add Payment Method").click()
    page.get_by_role("checkbox", name="Temporary Parking").check()
    page.get_by_role("checkbox", name="I Agree").check()
    field(page, "Current Password").fill(PASSWORD)
    button(page, "Add Payment Method").click()
    steps.store_at_bank(page)
    expect(page.get_by_text("Credit Card successfully stored")).to_be_visible()
    expect(page.get_by_text("Visa ···· 4242").first).to_be_visible()

    page.goto("/payments/")
    button(page, "Continue to Checkout").click()
    page.get_by_role("radio", name="Visa ···· 4242").check()
    button(page, "Submit Payment").click()
    steps.read_confirmation_code(page)
    permit.refresh_from_db()
    assert permit.status == "active"

    page.goto("/payments/cards/")
    page.get_by_role("link", name="Remove Visa ···· 4242").click()
    expect_heading(page, "Remove card")
    field(page, "Current Password").fill(PASSWORD)
    button(page, "Remove").click()
    expect(page.get_by_text("is removed")).to_be_visible()
    expect(page.get_by_text("No cards yet")).to_be_visible()
    assert not StoredMethod.objects.live().filter(person=driver).exists()
