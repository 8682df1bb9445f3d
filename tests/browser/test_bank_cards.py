"""What the payer sees with each of the bank's test cards, and that the money is in once, however the news came."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from demo.bank.models import BankReport, BankSession
from payments.models import GatewayEvent, Order, OrderStatus, Payment
from permits.models import Permit, PermitStatus
from tests.browser import cast, steps
from tests.browser.steps import button, expect_heading, link, tab


@pytest.fixture
def permit() -> Permit:
    """A reservation of somebody who is about to pay."""
    return cast.hold(cast.make_driver())


@pytest.fixture
def at_bank(device, permit) -> Page:
    """The bank's page for that reservation."""
    page = device(person=permit.holder.email).page
    page.goto("/payments/")
    steps.check_out(page)
    return page


def hurry(session: BankSession) -> None:
    """Let the bank's waiting times be over."""
    now = timezone.now()
    BankSession.objects.filter(pk=session.pk, approves_at__isnull=False).update(approves_at=now)
    BankSession.objects.filter(pk=session.pk, answers_from__isnull=False).update(answers_from=now)
    BankReport.objects.filter(session=session).update(due_at=now)


def assert_paid_once(permit: Permit) -> None:
    """One payment was taken for the permit, and it is active."""
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE
    order = Order.objects.get(lines__kind="permit", lines__object_id=permit.pk)
    assert order.status == OrderStatus.PAID
    assert [line.settled for line in order.lines.all()] == [True]
    approved = Payment.objects.filter(order=order, status="approved")
    assert [payment.received_amount for payment in approved] == [order.total]


def test_approved_card(at_bank, permit):
    steps.pay_at_bank(at_bank)
    steps.read_confirmation_code(at_bank)
    expect(at_bank.get_by_text("Thank you: your payment is complete.")).to_be_visible()
    assert_paid_once(permit)


def test_card_is_chosen_from_the_list_on_the_page(at_bank, permit):
    at_bank.get_by_role("link", name="Use this card").first.click()
    button(at_bank, "Pay Now").click()
    steps.read_confirmation_code(at_bank)


def test_declined_card_and_then_another(at_bank, permit):
    steps.pay_at_bank(at_bank, steps.DECLINED)
    expect_heading(at_bank, "Payment Method")
    expect(at_bank.get_by_text("The payment did not go through, and nothing was charged.")).to_be_visible()
    expect(at_bank.get_by_text("Held until")).to_be_visible()
    button(at_bank, "Submit Payment").click()
    steps.pay_at_bank(at_bank)
    steps.read_confirmation_code(at_bank)
    assert_paid_once(permit)


@pytest.mark.parametrize(("answer", "is_paid"), [("Yes, pay", True), ("No, refuse", False)])
def test_card_that_asks_for_confirmation(at_bank, permit, answer, is_paid):
    steps.pay_at_bank(at_bank, steps.ASKS)
    expect_heading(at_bank, "Is it you?")
    button(at_bank, answer).click()
    if is_paid:
        steps.read_confirmation_code(at_bank)
        assert_paid_once(permit)
    else:
        expect(at_bank.get_by_text("nothing was charged")).to_be_visible()


def test_back_link_of_the_bank(at_bank, permit):
    button(at_bank, "Cancel and go back").click()
    expect_heading(at_bank, "Payment Method")
    expect(at_bank.get_by_text("nothing was charged")).to_be_visible()


@pytest.mark.parametrize("card", [steps.SILENT, steps.LATE])
def test_waiting_page_becomes_the_receipt(at_bank, permit, card):
    session = steps.pay_at_bank(at_bank, card)
    expect_heading(at_bank, "Waiting for the bank")
    expect(at_bank.get_by_text("Please do not pay again.")).to_be_visible()
    hurry(session)
    expect(at_bank.get_by_role("heading", name="Receipt")).to_be_visible(timeout=steps.PATIENCE)
    assert_paid_once(permit)


def test_payer_who_never_comes_back(at_bank, permit):
    session = steps.pay_at_bank(at_bank, steps.NEVER_BACK)
    expect_heading(at_bank, "Paid")
    hurry(session)
    # Only the bank's report can bring the news; the list says meanwhile that nothing is to be paid again.
    at_bank.goto("/payments/")
    for _look in range(60):
        if at_bank.get_by_text("Nothing is due").is_visible():
            break
        at_bank.wait_for_timeout(500)
        at_bank.reload()
    expect(link(at_bank, Order.objects.get(lines__object_id=permit.pk).code)).to_be_visible()
    assert_paid_once(permit)
    tab(at_bank, "Permits").click()
    expect(link(at_bank, permit.number)).to_be_visible()


def test_payment_reported_twice_counts_once(at_bank, permit):
    session = steps.pay_at_bank(at_bank, steps.TWICE)
    steps.read_confirmation_code(at_bank)
    hurry(session)
    for _look in range(60):
        if not session.reports.filter(sent_at__isnull=True).exists():
            break
        at_bank.wait_for_timeout(500)
    assert session.reports.filter(sent_at__isnull=False).count() == 2
    assert GatewayEvent.objects.filter(reference=session.reference).count() == 1
    assert_paid_once(permit)


def test_page_of_the_bank_works_once(at_bank, permit):
    address = at_bank.url
    steps.pay_at_bank(at_bank)
    steps.read_confirmation_code(at_bank)
    at_bank.goto(address)
    expect(at_bank.get_by_text("This page has been used. It cannot be used again.")).to_be_visible()
    assert_paid_once(permit)
