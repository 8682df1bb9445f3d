"""`Cash or Cheque`: promised, seen as locked, paid online after all, or called off; each by what stands on the screen."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import UserType
from payments.models import MethodKind, Order, OrderStatus
from permits.models import Permit, PermitStatus
from tests.browser import cast, steps
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, link
from tests.factories.payments import offer_method


@pytest.fixture
def permit() -> Permit:
    """A reservation of somebody to whom the office offers `Cash or Cheque`; nobody else is of their type."""
    kind, _made = UserType.objects.get_or_create(
        code="pays-cash", defaults={"name": {"en": "Pays in cash"}, "max_active_vehicles": 2}
    )
    offer_method(kind=MethodKind.PROMISE, code="cash-for-a-few", position=9).user_types.set([kind])
    return cast.hold(cast.make_driver(user_type=kind))


def promise(page: Page) -> None:
    page.goto("/payments/")
    button(page, "Continue to Checkout").click()
    expect_heading(page, "Payment Method")
    page.get_by_label("Cash or Cheque").check()
    expect(page.get_by_label("Cash or Cheque")).to_have_accessible_description(
        "You bring the money to our office within 7 days. Nothing is taken now; until we have the money this stands as "
        "“Paid but not Processed”."
    )
    button(page, "Submit Payment").click()
    expect(page).to_have_url(re.compile("/promised/"))
    expect(page.get_by_text("Paid but not Processed").first).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_promised_then_paid_online(device, permit, javascript):
    page = device(person=permit.holder.email, width=PHONE, javascript=javascript).page
    promise(page)
    order = Order.objects.get(payer=permit.holder)
    assert order.status == OrderStatus.PROMISED
    page.goto("/payments/")
    locked = page.get_by_role("checkbox", name=permit.number)
    expect(locked).to_be_disabled()
    expect(locked).to_have_accessible_description(
        re.compile("^Paid but not Processed: bring the money to the office until")
    )
    expect(button(page, "Continue to Checkout")).to_have_count(0)
    page.get_by_role("link", name="Details").click()
    link(page, "Pay online instead").click()
    expect_heading(page, "Payment Method")
    expect(page.get_by_label("Cash or Cheque")).to_have_count(0)
    page.get_by_label("Credit Card").check()
    button(page, "Submit Payment").click()
    steps.pay_at_bank(page)
    assert steps.read_confirmation_code(page) == order.code
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE


def test_promise_is_called_off_and_its_number_is_free(device, permit):
    page = device(person=permit.holder.email, width=DESK).page
    promise(page)
    link(page, "Cancel the promise").click()
    page.get_by_role("main").get_by_role("button").last.click()
    expect_heading(page, "Payments Due")
    expect(page.get_by_text("Nothing is due")).to_be_visible()
    permit.refresh_from_db()
    assert permit.status == PermitStatus.CANCELLED
