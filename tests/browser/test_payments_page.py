"""`Payments Due` under the hand: ticks, Shift, `Select all`, the sum, the history; with a script, without, and by keyboard."""

import re
from decimal import Decimal

import pytest
from django.utils.translation import override
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from demo.data.people import ADMINISTRATOR
from opscom.core.money import format_money
from payments.models import Debt, DebtReason, Order
from payments.services.debts import owe_again
from tests.browser import cast, steps
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading


@pytest.fixture
def payer() -> User:
    """Somebody with one thing held and two things owed: $54.24, $20.00 and $1,234.50."""
    person = cast.make_driver()
    order = cast.order_of(cast.buy(person))
    office = User.objects.get(email=ADMINISTRATOR)
    for amount in ("20.00", "1234.50"):
        owe_again(line=order.lines.get(), amount=Decimal(amount), reason=DebtReason.ADJUSTED, actor=office)
    cast.hold(person, "west-evening")
    return person


def boxes(page: Page) -> Locator:
    return page.get_by_role("main").locator("ul").first.get_by_role("checkbox")


def ticked(page: Page) -> list[bool]:
    return [box.is_checked() for box in boxes(page).all()]


def expect_sum(page: Page, amount: str) -> None:
    expect(page.get_by_role("status").filter(has_text=amount)).to_have_text(amount)


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_ticks_shift_and_select_all(device, payer, width):
    page = device(person=payer.email, width=width).page
    page.goto("/payments/")
    assert ticked(page) == [True, False, False]
    everything = page.get_by_label("Select all")
    boxes(page).nth(2).click(modifiers=["Shift"])
    assert ticked(page) == [True, True, True]
    expect(everything).to_be_checked()
    boxes(page).nth(1).click(modifiers=["Shift"])
    assert ticked(page) == [False, False, False]
    expect_sum(page, "$0.00")
    # The words beside a box do what the box does.
    page.locator("label[for=pay-2]").click(modifiers=["Shift"])
    assert ticked(page) == [True, True, True]
    everything.click()
    assert ticked(page) == [False, False, False]
    boxes(page).nth(1).check()
    boxes(page).nth(2).check()
    expect_sum(page, "$1,254.50")
    assert everything.evaluate("box => box.indeterminate")
    button(page, "Continue to Checkout").click()
    expect_heading(page, "Payment Method")
    expect(page.get_by_role("row", name=re.compile("^Total"))).to_contain_text("$1,254.50")


@pytest.mark.parametrize("language", ["en", "fr-ca"])
def test_sum_is_written_as_the_server_writes_it(device, payer, language):
    """Every number of ticks, in the language's own figures: the same letters before and after the script has run."""
    page = device(person=payer.email, language=language).page
    page.goto("/payments/")
    for key, amount in {"pay-2": "20.00", "pay-3": "1234.50"}.items():
        for box in boxes(page).all():
            box.uncheck()
        page.locator(f"#{key}").check()
        with override(language):
            written = format_money(Decimal(amount))
        assert page.locator("[data-pick-sum]").inner_text() == written
        assert page.get_by_role("listitem").filter(has=page.locator(f"#{key}")).inner_text().count(written) == 1


def test_by_keyboard(device, payer):
    page = device(person=payer.email).page
    page.goto("/payments/")
    boxes(page).nth(1).focus()
    page.keyboard.press("Space")
    assert ticked(page) == [True, True, False]
    page.keyboard.press("Shift+Space")
    assert ticked(page) == [False, False, False]
    page.get_by_label("Select all").focus()
    page.keyboard.press("Space")
    assert ticked(page) == [True, True, True]
    page.keyboard.press("Enter")
    expect_heading(page, "Payment Method")


def test_select_all_without_a_script(device, payer):
    page = device(person=payer.email, javascript=False, width=PHONE).page
    page.goto("/payments/")
    page.get_by_label("Select all").check()
    button(page, "Continue to Checkout").click()
    expect_heading(page, "Payment Method")
    assert Order.objects.get(payer=payer, status="open").lines.count() == 3
    page.get_by_label("Credit Card").check()
    button(page, "Submit Payment").click()
    steps.pay_at_bank(page)
    steps.read_confirmation_code(page)
    assert not Debt.objects.filter(person=payer, status="due").exists()
