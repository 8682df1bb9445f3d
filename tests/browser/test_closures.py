"""The office closes a lot in three clicks, and its holder reads it; the counts and the month of a lot."""

import pytest
from playwright.sync_api import Page, expect

from opscom.messaging.models import Message
from opscom.provider.models import Lot
from tests.browser import cast
from tests.browser.device import DESK, PHONE
from tests.browser.steps import PATIENCE, button, field, link
from tests.browser.test_pages import overflow, resize

CLERK = "clerk@lakeshore.example"


def expect_fits(page: Page) -> None:
    for width in (PHONE, DESK):
        resize(page, width)
        assert overflow(page) <= 0, f"wider than {width} pixels"


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_three_clicks_close_a_lot_and_its_holder_reads_it(device, width):
    sale, permit, _kind = cast.make_full_lot()
    page = device(person=CLERK, width=DESK).page
    page.goto(f"/admin/provider/lot/{sale.lot.pk}/change/")
    page.locator("a", has_text="Close").and_(page.locator("[href*='/close']")).first.click()
    page.locator("textarea[lang=en]").fill("The plough comes at midnight.")
    button(page, "Close").click()
    expect(page.get_by_text("please look at whom it touches")).to_be_visible()
    expect_fits(page)
    button(page, "Confirm").click()
    expect(page.get_by_text("holders are being told")).to_be_visible()
    holder = device(person=permit.holder.email, width=width).page
    holder.goto(f"/permits/{permit.code}/")
    expect(holder.get_by_text("The plough comes at midnight.")).to_be_visible()
    expect_fits(holder)
    for _second in range(PATIENCE // 1000):
        if Message.objects.filter(template="permits/closure", to=permit.holder.email).exists():
            break
        page.wait_for_timeout(1000)
    else:
        raise AssertionError("The holder was not written to.")


def test_the_counts_and_a_lots_month(device):
    page = device(person=CLERK, width=DESK).page
    page.goto("/admin/permits/sale/counts")
    lot = Lot.objects.get(code="105")
    field(page, "Lot").select_option(label=str(lot))
    button(page, "Show").click()
    expect(page.get_by_role("rowheader", name=str(lot)).first).to_be_visible()
    expect_fits(page)
    link(page, "Occupancy").first.click()
    expect(page.get_by_text("The most permits valid at one instant")).to_be_visible()
    expect_fits(page)
