"""Somebody's wages, or their company while its manager acts for them, pay at the checkout; a statement is read."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import UserType
from payments.models import MethodKind, Order, OrderStatus, Payment
from permits.models import PermitStatus
from tests.browser import cast
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading
from tests.factories.billing import open_account
from tests.factories.companies import give_company, make_company
from tests.factories.deductions import set_up
from tests.factories.payments import offer_method


@pytest.fixture
def kind() -> UserType:
    """A user type of its own, so that nobody else is offered what these people are."""
    made, _new = UserType.objects.get_or_create(
        code="others-pay", defaults={"name": {"en": "Others pay"}, "max_active_vehicles": 2}
    )
    return made


def submit(page: Page, label: str) -> None:
    page.goto("/payments/")
    button(page, "Continue to Checkout").click()
    expect_heading(page, "Payment Method")
    page.get_by_label(re.compile(label)).check()
    button(page, "Submit Payment").click()
    expect_heading(page, "Receipt")


@pytest.mark.parametrize(("width", "javascript"), [(PHONE, True), (DESK, False)])
def test_wages_pay(device, kind, width, javascript):
    permit = cast.hold(cast.make_driver(user_type=kind))
    set_up(permit.holder, number=f"E-{permit.holder.pk}").method.user_types.set([kind])
    page = device(person=permit.holder.email, width=width, javascript=javascript).page
    submit(page, f"Payroll Deduction E-{permit.holder.pk}")
    expect(page.get_by_text("Payroll Deduction")).to_be_visible()
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE


def test_the_company_pays_while_its_manager_acts(device, kind):
    permit = cast.hold(cast.make_driver(user_type=kind))
    offer_method(kind=MethodKind.ACCOUNT, code="company", name="Company Account").user_types.set([kind])
    company = make_company(permit.holder, name="Stonework Ltd")
    open_account(company)
    manager = give_company(company, cast.make_driver())
    page = device(person=manager.email, width=PHONE).page
    page.goto("/company")
    button(page, f"Log in as {permit.holder}").click()
    page.get_by_role("dialog").get_by_role("link", name="Continue").click()
    submit(page, "Company Account: Stonework Ltd")
    expect(page.get_by_text("Stonework Ltd")).to_be_visible()
    assert Order.objects.get(payer=permit.holder).status == OrderStatus.PAID
    assert Payment.objects.get(order__payer=permit.holder).recorded_by == manager
