"""Temporary permits: with an account as the manual tells it, and by the sign's QR code without one."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from opscom.provider.selectors import local_date
from permits.models import Permit, PermitStatus, Sale
from tests.browser import cast, steps
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, field, link, tab


def sale_of(lot: str, kind: str) -> Sale:
    return Sale.objects.get(lot__code=lot, permit_type__code=kind)


@pytest.mark.parametrize(("width", "javascript"), [(PHONE, True), (DESK, False)])
def test_a_temporary_permit_is_checked_reserved_and_paid(device, width, javascript):
    person = cast.make_driver()
    page = device(person=person.email, width=width, javascript=javascript).page
    page.goto("/")
    tab(page, "Permits").click()
    sale = sale_of("105", "temporary-days")
    page.locator(f"#sale-{sale.code} summary").click()
    link(page, "Get Temp Permit").and_(page.locator(":visible")).click()
    expect_heading(page, "Get Temp Permit")

    first = local_date() + dt.timedelta(days=1)
    field(page, "Start date").fill(first.isoformat())
    field(page, "End date").fill((first + dt.timedelta(days=30)).isoformat())
    button(page, "Check Availability").click()
    expect(page.get_by_text("Temporary permits are only valid for up to 30 days.").last).to_be_visible()
    expect(button(page, "Reserve Permit")).to_have_count(0)

    field(page, "End date").fill((first + dt.timedelta(days=1)).isoformat())
    button(page, "Check Availability").click()
    expect(page.get_by_role("heading", name="Available", exact=True)).to_be_visible()
    expect(page.get_by_text("2 days at $12.50 a day")).to_be_visible()
    expect(page.get_by_text("$28.25").first).to_be_visible()
    button(page, "Reserve Permit").click()
    steps.check_out(page)
    steps.pay_at_bank(page)
    steps.read_confirmation_code(page)
    assert Permit.objects.get(holder=person).status == PermitStatus.ACTIVE


def test_a_guest_scans_the_sign_and_pays(device):
    page = device(width=PHONE).page
    page.goto(reverse("park:lot", args=["105"]))
    expect_heading(page, "Arena")
    field(page, "Plate").fill("vst 204")
    field(page, "Number of hours").fill("3")
    button(page, "Check Availability").click()
    expect(page.get_by_role("heading", name="Available", exact=True)).to_be_visible()
    page.get_by_label("Credit Card").check()
    field(page, "E-mail for the receipt").fill("visitor@example.org")
    button(page, "Submit Payment").click()
    steps.pay_at_bank(page)
    steps.read_confirmation_code(page)
    permit = Permit.objects.get(guest_email="visitor@example.org")
    assert (permit.status, permit.vehicle_links.get().vehicle.plate_key) == (PermitStatus.ACTIVE, "VST204")
    page.get_by_role("link", name=re.compile(permit.number)).click()
    expect_heading(page, "Valid")
