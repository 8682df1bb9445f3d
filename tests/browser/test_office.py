"""The office's site in a real browser: every list opens quietly, and its deeds can be done."""

import re

import pytest
from playwright.sync_api import Page, expect

from demo.data.people import ADMINISTRATOR, PASSWORD
from opscom.provider.models import Lot
from permits.models import Sale, SlotState
from tests.browser import cast, steps
from tests.browser.steps import link


@pytest.fixture
def office(device) -> Page:
    """An administrator's browser, at the office's first page."""
    page = device(person=ADMINISTRATOR).page
    page.goto("/admin/")
    return page


def menu(page: Page) -> list[tuple[str, str]]:
    """Return (words, address) of everything in the office's menu."""
    links = page.get_by_role("navigation").get_by_role("link").all()
    found = {one.get_attribute("href") or "": one.inner_text().strip() for one in links}
    return [(words, address) for address, words in found.items() if re.fullmatch(r"/admin/\w+/\w+/", address)]


def test_administrator_signs_in_by_the_same_door(device):
    page = device().page
    page.goto("/admin/")
    steps.sign_in(page, ADMINISTRATOR, PASSWORD)
    steps.enter_code(page, ADMINISTRATOR)
    expect(page).to_have_url(re.compile("/admin/$"))
    expect(page.get_by_text("Today").first).to_be_visible()


def test_every_list_of_the_menu_opens_quietly(office):
    entries = menu(office)
    assert len(entries) >= 20, entries
    for words, address in entries:
        response = office.goto(address)
        assert response, words
        assert response.status == 200, words
        expect(office).to_have_title(re.compile("Parking office"))


def test_the_list_of_people_fits_a_desk(office):
    office.goto("/admin/accounts/user/")
    wide = "box => box.parentElement.scrollWidth - box.parentElement.clientWidth"
    assert office.locator("#result_list").evaluate(wide) <= 0


def test_lots_page_says_why_it_is_not_for_sale(office):
    lot = Lot.objects.get(code="102")
    office.goto(f"/admin/provider/lot/{lot.pk}/change/")
    panel = office.get_by_role("region", name="Why is it, or is it not, for sale?")
    panel.get_by_label("For people of the user type").select_option(label="Faculty")
    panel.get_by_role("button", name="Check").click()
    expect(panel.get_by_role("listitem").filter(has_text="A number is free").first).to_contain_text("Fails")
    expect(panel.get_by_role("listitem").filter(has_text="The lot is visible").first).to_contain_text("Holds")


def test_office_allows_another_print(office):
    permit = cast.buy(cast.make_driver())
    office.goto(f"/admin/permits/permit/?q={permit.number}")
    link(office, permit.number).click()
    office.get_by_role("link", name="Allow another print").first.click()
    office.get_by_role("button", name="Allow another print").click()
    expect(office.get_by_text("1 permit may be printed once more.")).to_be_visible()
    permit.refresh_from_db()
    assert permit.extra_prints == 1


def test_office_allots_numbers(office):
    sale = Sale.objects.get(permit_type__code="west-evening")
    before = sale.slots.count()
    office.goto(f"/admin/permits/sale/{sale.pk}/change/")
    office.get_by_role("link", name="Allot numbers").first.click()
    office.get_by_label("Prefix").fill("WX-")
    office.get_by_label("First number").fill("1")
    office.get_by_label("Last number").fill("5")
    office.get_by_role("button", name="Allot", exact=True).click()
    expect(office.get_by_text("5 numbers allotted.")).to_be_visible()
    assert sale.slots.count() == before + 5
    assert sale.slots.filter(number="WX-005", state=SlotState.FREE).exists()


def test_records_show_their_history(office):
    permit = cast.buy(cast.make_driver())
    office.goto(f"/admin/permits/permit/{permit.pk}/change/")
    expect(office.get_by_role("heading", name="History")).to_be_visible()
