"""A real browser between the portal and a hosted page of another origin: nothing of the content policy stands in the way."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright

from demo.system import browser as find_browser
from payments.models import Order
from permits.models import PermitStatus
from tests.factories.payments import order_permit
from tests.factories.permits import make_sale, reserve
from tests.gateways import fact_sheet as sheet
from tests.gateways.fact_sheet_server import FactSheet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A page of the system's Chromium; every message on its console is a fault."""
    # While Playwright's loop runs, Django takes all code for async.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    noise: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu"])
        opened = chromium.new_page(base_url=live_server.url)
        opened.on("console", lambda message: noise.append(message.text))
        yield opened
        chromium.close()
    assert noise == []
    assert "DJANGO_ALLOW_ASYNC_UNSAFE" in os.environ


def sign_in(page: Page, client: Client, url: str) -> None:
    """Let the browser be the test client's."""
    names = (django_settings.SESSION_COOKIE_NAME, django_settings.LANGUAGE_COOKIE_NAME)
    cookies = {name: client.cookies[name].value for name in names if name in client.cookies}
    cookies.setdefault(django_settings.LANGUAGE_COOKIE_NAME, "en")
    page.context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])


def test_pay_at_stripe_and_come_back_by_the_fact_sheet(
    page: Page,
    live_server: Any,
    settings: Any,
    stripe_only: None,
    fact_sheet: FactSheet,
    client_of: Callable[..., Client],
) -> None:
    settings.SITE_URL = live_server.url
    # The server's own name stands for Stripe's: another origin than the portal's.
    settings.STRIPE_CHECKOUT_ORIGIN = fact_sheet.books.pages_at = fact_sheet.url
    permit = reserve(make_sale())
    order: Order = order_permit(permit)
    sign_in(page, client_of(permit.holder), live_server.url)
    checkout = f"/payments/checkout/{order.code}/"

    page.goto(checkout)
    page.get_by_role("button", name="Submit Payment").click()
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_text("The payment page closed before anything was paid.")).to_be_visible()

    page.get_by_role("button", name="Submit Payment").click()
    page.get_by_label("Card number").fill(sheet.NO_MONEY)
    page.get_by_role("button", name="Pay").click()
    page.get_by_label("Card number").fill(sheet.GOOD)
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("Thank you")).to_be_visible()
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE
