"""A full lot: somebody joins its list, sees the place, gets the offer when a number comes free, and pays for it."""

import pytest
from playwright.sync_api import expect

from permits.models import EntryStatus, PermitStatus, WaitlistEntry
from tests.browser import cast
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, check_out, expect_heading, pay_at_bank


@pytest.mark.parametrize(("width", "javascript"), [(PHONE, True), (DESK, False)])
def test_from_the_line_to_a_permit(device, width, javascript):
    sale, taken, kind = cast.make_full_lot()
    person = cast.make_driver(user_type=kind)
    page = device(person=person.email, width=width, javascript=javascript).page
    page.goto(f"/permits/?open={sale.code}")
    card = page.get_by_role("region", name=str(sale.lot))
    expect(card.get_by_text("You'd be 1st")).to_be_visible()
    card.get_by_role("button", name="Join Waitlist").click()
    expect(page.get_by_text("You are on the waitlist.").first).to_be_visible()
    expect(card.get_by_text("You are 1st", exact=True)).to_be_visible()
    cast.free_number(taken)
    page.goto("/")
    page.get_by_role("link", name="Look at the offer").click()
    expect_heading(page, "Your offer")
    page.get_by_role("link", name="Accept and pay").click()
    check_out(page)
    pay_at_bank(page)
    expect_heading(page, "Receipt")
    entry = WaitlistEntry.objects.get(person=person)
    assert entry.status == EntryStatus.SERVED
    assert entry.offers.get().permit.status == PermitStatus.ACTIVE


def test_leaving_and_declining(device):
    sale, taken, kind = cast.make_full_lot()
    person = cast.make_driver(user_type=kind)
    page = device(person=person.email, width=DESK).page
    page.goto(f"/permits/?open={sale.code}")
    card = page.get_by_role("region", name=str(sale.lot))
    card.get_by_role("button", name="Join Waitlist").click()
    card.get_by_role("link", name="Leave the waitlist").click()
    expect_heading(page, "Leave the waitlist?")
    button(page, "Leave the waitlist").click()
    expect(page.get_by_text("You have left the waitlist.")).to_be_visible()
    page.goto(f"/permits/?open={sale.code}")
    card.get_by_role("button", name="Join Waitlist").click()
    expect(page.get_by_text("You are on the waitlist.").first).to_be_visible()
    cast.free_number(taken)
    page.goto("/")
    page.get_by_role("link", name="Look at the offer").click()
    page.get_by_role("link", name="Decline").click()
    button(page, "Decline and leave the list").click()
    expect(page.get_by_text("The offer is declined: it goes to the next in line.")).to_be_visible()
    assert WaitlistEntry.objects.filter(person=person, status=EntryStatus.LEFT).count() == 2
