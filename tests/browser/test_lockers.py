"""Renting a locker, as the manual tells it: the tab, the disclaimer, the location, the number, the payment."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from lockers.models import Rental, RentalStatus
from lockers.services.combinations import read_combination
from tests.browser import cast, locker_pages, steps
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, link


@pytest.mark.parametrize(("width", "javascript"), [(PHONE, True), (DESK, False)])
def test_rent_a_locker(device, width, javascript):
    sale, person = locker_pages.a_room(), cast.make_newcomer()
    page = device(width=width, javascript=javascript, person=person.email).page
    page.goto(reverse("lockers:list"))
    expect_heading(page, "Locker Disclaimer")
    button(page, "I Agree").click()
    expect_heading(page, "Lockers")
    page.get_by_role("link", name=f"Get Locker · {sale.area}").click()
    expect_heading(page, str(sale.area))
    page.get_by_label("L-3", exact=False).first.check()
    button(page, "Reserve Locker").click()
    expect_heading(page, "Payments Due")
    main = page.get_by_role("main")
    expect(main).to_contain_text("Locker L-3")
    expect(main).to_contain_text("Locker deposit")
    button(page, "Next").click()
    page.get_by_label("Credit Card").check()
    button(page, "Submit Payment").click()
    steps.pay_at_bank(page)
    steps.read_confirmation_code(page)
    rental = Rental.objects.get(renter=person)
    assert rental.status == RentalStatus.ACTIVE
    page.goto(reverse("lockers:list"))
    link(page, "Locker L-3").click()
    expect(main).to_contain_text(read_combination(rental.locker))
    link(page, "Give it back").click()
    button(page, "Give it back").click()
    expect(page.get_by_text("Locker L-3 is given back.")).to_be_visible()
