"""From the checkout to the bank and back: each test card, and everything that goes wrong on the way."""

import datetime as dt
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from demo.bank.models import BankSession
from opscom.messaging.models import Message
from payments import tasks
from payments.invariants import check_books
from payments.models import LineStatus, Order, OrderStatus, Payment, PaymentStatus, Refund, RefundReason
from payments.services.orders import place_order
from permits.invariants import check_permits
from permits.models import Permit, PermitStatus
from tests.factories.payments import APPROVED, DECLINED, go_to_bank, order_permit, pay_at_bank, withdraw_methods
from tests.factories.permits import lapse_hold, make_buyer, make_sale, offer_demo_bank, reserve

pytestmark = pytest.mark.django_db

ASKS, SILENT, NEVER_BACK = "4000002500003155", "4000000000000119", "4000000000000259"
TWICE, LATE = "4000000000000341", "4000000000000457"


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_demo_bank()


@pytest.fixture
def permit() -> Permit:
    return reserve(make_sale(numbers=2))


@pytest.fixture
def browser(client_of, permit) -> Client:
    return client_of(permit.holder)


def page(response, status: int = 200) -> str:
    assert response.status_code == status
    return unescape(response.content.decode())


def begin(browser: Client, permit: Permit) -> Payment:
    """Click from the list to the bank's door."""
    checkout = browser.post("/payments/", {"selected": [f"permit:{permit.pk}"]}).url
    response = browser.post(checkout, {"method": "demo-bank"})
    payment = Payment.objects.latest("pk")
    session = BankSession.objects.get(reference=payment.reference)
    assert response.status_code == 302
    assert response.url.endswith(f"/demo/bank/{session.token}/")
    return payment


def use_card(browser: Client, payment: Payment, number: str):
    token = BankSession.objects.get(reference=payment.reference).token
    return browser.post(f"/demo/bank/{token}/", {"number": number, "expiry": "12/30", "cvv": "123"})


def come_back(browser: Client, payment: Payment, **extra):
    return browser.get(f"/payments/return/{payment.reference}/", **extra)


def later(**span: int) -> None:
    """Let time pass for the bank and for the reconciler."""
    gone = dt.timedelta(**span)
    for session in BankSession.objects.all():
        for name in ("approves_at", "answers_from", "expires_at"):
            if getattr(session, name):
                setattr(session, name, getattr(session, name) - gone)
        session.save()
    for payment in Payment.objects.exclude(next_check_at=None):
        payment.next_check_at -= gone
        payment.expires_at -= gone
        payment.save()


def assert_paid(permit: Permit, payment: Payment) -> None:
    permit.refresh_from_db()
    payment.refresh_from_db()
    assert (permit.status, payment.status) == (PermitStatus.ACTIVE, PaymentStatus.APPROVED)
    assert payment.order.status == OrderStatus.PAID
    assert Message.objects.filter(template="payments/receipt", to=permit.holder.email).count() == 1
    assert [*check_books(), *check_permits()] == []


# The checkout


def test_checkout_shows_what_is_paid_and_how(browser, permit) -> None:
    url = browser.post("/payments/", {"selected": [f"permit:{permit.pk}"]}).url
    text = page(browser.get(url))
    for words in ("Payment Method", "Credit Card", "Submit Payment", permit.number, "$100.00", permit.holder.email):
        assert words in text
    assert "data-countdown" in text
    assert 'name="email"' not in text
    assert not Payment.objects.exists(), "looking costs nothing"


def test_checkout_asks_for_an_address_when_there_is_none(client_of, permit) -> None:
    User.objects.filter(pk=permit.holder_id).update(email=None, email_proved_at=None)
    permit.holder.refresh_from_db()
    browser = client_of(permit.holder)
    url = browser.post("/payments/", {"selected": [f"permit:{permit.pk}"]}).url
    text = page(browser.post(url, {"method": "demo-bank"}), 422)
    assert "data-error-summary" in text
    browser.post(url, {"method": "demo-bank", "email": "front.desk@example.org"})
    payment = Payment.objects.get()
    assert payment.order.email == "front.desk@example.org"
    assert Order.objects.exclude(pk=payment.order_id).get().status == OrderStatus.CLOSED


def test_a_method_must_be_one_that_is_offered(browser, permit) -> None:
    url = browser.post("/payments/", {"selected": [f"permit:{permit.pk}"]}).url
    for method in ("", "stripe"):
        page(browser.post(url, {"method": method}), 422)
    withdraw_methods()
    assert "Nothing can be paid online" in page(browser.get(url))
    page(browser.post(url, {"method": "demo-bank"}), 422)
    assert not Payment.objects.exists()


def test_a_price_that_changed_meanwhile_is_explained(browser, permit) -> None:
    url = browser.post("/payments/", {"selected": [f"permit:{permit.pk}"]}).url
    Permit.objects.filter(pk=permit.pk).update(net=Decimal("120.00"))
    text = page(browser.post(url, {"method": "demo-bank"}, follow=True))
    assert "A price has changed since you began" in text
    assert not Payment.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_hold_that_ran_out_at_the_checkout_is_explained_once(browser, permit, method) -> None:
    url = browser.post("/payments/", {"selected": [f"permit:{permit.pk}"]}).url
    lapse_hold(permit)
    text = page(getattr(browser, method)(url, {"method": "demo-bank"}, follow=True))
    assert "Payments Due" in text
    assert text.count("its hold ran out") == 1
    assert not Payment.objects.exists()


def test_an_order_that_was_replaced_leads_to_the_list(browser, permit) -> None:
    first = browser.post("/payments/", {"selected": [f"permit:{permit.pk}"]}).url
    other = reserve(make_sale(), permit.holder)
    browser.post("/payments/", {"selected": [f"permit:{other.pk}"]})
    response = browser.get(first, follow=True)
    assert "no longer open" in page(response)


def test_strangers_find_nothing(client_of, browser, permit) -> None:
    payment = begin(browser, permit)
    stranger, _ownership = make_buyer()
    for who, status in ((stranger, 404), (None, 302)):
        other = client_of(who)
        for path in (
            f"/payments/checkout/{payment.order.code}/",
            f"/payments/return/{payment.reference}/",
            f"/payments/receipt/{payment.order.code}/",
            f"/payments/receipt/{payment.order.code}/pdf/",
        ):
            assert other.get(path).status_code == status
        assert other.post(f"/payments/checkout/{payment.order.code}/", {"method": "demo-bank"}).status_code == status
    use_card(browser, payment, APPROVED)
    come_back(browser, payment)
    for path in ("receipt/{}/", "receipt/{}/pdf/"):
        assert client_of(stranger).get(f"/payments/{path.format(payment.order.code)}").status_code == 404


def test_a_receipt_needs_a_paid_order(browser, permit) -> None:
    payment = begin(browser, permit)
    assert browser.get(f"/payments/receipt/{payment.order.code}/").status_code == 404


# The cards


def test_approved_card_leads_to_the_receipt(browser, permit) -> None:
    payment = begin(browser, permit)
    response = use_card(browser, payment, APPROVED)
    assert response.url.endswith(f"/payments/return/{payment.reference}/")
    response = come_back(browser, payment)
    assert response.url == f"/payments/receipt/{payment.order.code}/"
    text = page(browser.get(response.url))
    for words in (payment.order.code, "Thank you", "Visa ···· 4242", f"/permits/{permit.code}/", "Download PDF"):
        assert words in text
    assert_paid(permit, payment)


def test_reloading_the_return_page_changes_nothing_more(browser, permit) -> None:
    payment = begin(browser, permit)
    use_card(browser, payment, APPROVED)
    for _time in range(3):
        assert come_back(browser, payment).url == f"/payments/receipt/{payment.order.code}/"
    assert not Refund.objects.exists()
    assert_paid(permit, payment)
    # The old tab with the checkout leads to the receipt, too.
    assert browser.get(f"/payments/checkout/{payment.order.code}/").url == f"/payments/receipt/{payment.order.code}/"


def test_declined_card_charges_nothing_and_leads_back_to_the_order(browser, permit) -> None:
    payment = begin(browser, permit)
    use_card(browser, payment, DECLINED)
    response = come_back(browser, payment)
    assert response.url == f"/payments/checkout/{payment.order.code}/"
    text = page(browser.get(response.url))
    assert "nothing was charged. Please try again, or use another card." in text
    again = Payment.objects.get(pk=payment.pk)
    assert again.status == PaymentStatus.DECLINED
    browser.post(response.url, {"method": "demo-bank"})
    second = Payment.objects.latest("pk")
    assert second.reference != payment.reference
    use_card(browser, second, APPROVED)
    come_back(browser, second)
    assert_paid(permit, second)


def test_declined_after_the_hold_ran_out_leads_to_the_list(browser, permit) -> None:
    payment = begin(browser, permit)
    use_card(browser, payment, DECLINED)
    lapse_hold(permit)
    text = page(browser.get(f"/payments/return/{payment.reference}/", follow=True))
    assert "nothing was charged" in text
    assert "Nothing is due" in text


def test_card_that_asks_waits_for_the_answer(browser, permit) -> None:
    payment = begin(browser, permit)
    question = use_card(browser, payment, ASKS).url
    assert "Is it you?" in page(browser.get(question))
    assert "Waiting for the bank" in page(come_back(browser, payment))
    assert browser.post(question, {"answer": "1"}).url.endswith(f"/payments/return/{payment.reference}/")
    come_back(browser, payment)
    assert_paid(permit, payment)
    # The browser's back button, and the answer again.
    assert browser.post(question, {"answer": "0"}).status_code == 302


def test_card_that_asks_can_be_refused(browser, permit) -> None:
    payment = begin(browser, permit)
    question = use_card(browser, payment, ASKS).url
    browser.post(question, {"answer": "0"})
    assert come_back(browser, payment).url == f"/payments/checkout/{payment.order.code}/"


def test_silent_bank_shows_the_waiting_page_and_then_the_receipt(browser, permit) -> None:
    payment = begin(browser, permit)
    use_card(browser, payment, SILENT)
    text = page(come_back(browser, payment))
    for words in ("Waiting for the bank", "Please do not pay again.", 'http-equiv="refresh"', "hx-get"):
        assert words in text
    assert come_back(browser, payment, headers={"HX-Request": "true"}).status_code == 204
    later(seconds=60)
    response = come_back(browser, payment, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == f"/payments/receipt/{payment.order.code}/"
    assert_paid(permit, payment)


def test_payer_who_never_comes_back_is_found_by_the_reconciler(browser, permit) -> None:
    payment = begin(browser, permit)
    response = use_card(browser, payment, NEVER_BACK)
    assert response.url.endswith("/done/")
    assert "browser that is closed here" in page(browser.get(response.url))
    later(minutes=3)
    tasks.reconcile_payments()
    assert_paid(permit, payment)
    assert payment.order.code in page(browser.get("/payments/"))


def test_late_approval_waits_and_is_found(browser, permit) -> None:
    payment = begin(browser, permit)
    use_card(browser, payment, LATE)
    assert "Waiting for the bank" in page(come_back(browser, payment))
    lapse_hold(permit)
    later(minutes=3)
    tasks.reconcile_payments()
    assert_paid(permit, payment)


def test_closed_browser_before_the_card_costs_nothing(browser, permit) -> None:
    payment = begin(browser, permit)
    later(minutes=25)
    tasks.reconcile_payments()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.EXPIRED
    text = page(browser.get(f"/payments/return/{payment.reference}/", follow=True))
    assert "closed before anything was paid. Nothing was charged" in text
    lapse_hold(permit)
    assert "Nothing is due" in page(browser.get("/payments/"))
    assert [*check_books(), *check_permits()] == []


def test_cancel_at_the_bank_leads_back(browser, permit) -> None:
    payment = begin(browser, permit)
    token = BankSession.objects.get().token
    assert browser.get(f"/demo/bank/{token}/cancel/").status_code == 405
    assert browser.post(f"/demo/bank/{token}/cancel/").url.endswith(f"/payments/return/{payment.reference}/")
    assert come_back(browser, payment).url == f"/payments/checkout/{payment.order.code}/"


def test_two_tabs_at_the_bank_give_the_second_payment_back(browser, permit) -> None:
    order = order_permit(permit)
    first, second = go_to_bank(order), go_to_bank(order)
    for payment in (first, second):
        pay_at_bank(payment, TWICE)
        come_back(browser, payment)
    text = page(browser.get(f"/payments/receipt/{order.code}/"))
    assert "A second payment of $100.00 came in" in text
    assert Refund.objects.get().reason == RefundReason.PAID_TWICE
    assert [*check_books(), *check_permits()] == []


def test_sold_out_meanwhile_says_so_line_by_line(client_of) -> None:
    sale = make_sale(numbers=1)
    lost = reserve(sale)
    kept = reserve(make_sale(), lost.holder)
    browser = client_of(lost.holder)
    order = place_order(
        payer=lost.holder, selection={"permit": [lost.pk, kept.pk]}, email=lost.holder.email, language="en"
    )
    payment = go_to_bank(order)
    pay_at_bank(payment)
    lapse_hold(lost)
    reserve(sale)
    text = page(browser.get(come_back(browser, payment).url))
    assert "It was no longer available." in text
    assert "$100.00 are on their way back to your card." in text
    assert "Thank you" not in text
    assert f"/permits/{kept.code}/" in text
    assert f"/permits/{lost.code}/" not in text
    tasks.send_refunds()
    text = page(browser.get(f"/payments/receipt/{order.code}/"))
    assert "$100.00 went back to your card on" in text
    assert Message.objects.filter(template="payments/refunded").count() == 1
    assert "Refunded in part" in page(browser.get("/payments/"))
    assert {line.status for line in order.lines.all()} == {LineStatus.REFUNDED, LineStatus.FULFILLED}
    assert [*check_books(), *check_permits()] == []


def test_bank_that_cannot_be_reached_keeps_the_order(browser, permit, monkeypatch) -> None:
    """The bank's own rows stand for its servers: a session that cannot be opened is a call that fails."""
    from demo.bank.gateway import DemoBank
    from payments.gateways.base import GatewayError

    def fail(self, attempt):
        raise GatewayError("connection refused")

    url = browser.post("/payments/", {"selected": [f"permit:{permit.pk}"]}).url
    monkeypatch.setattr(DemoBank, "start", fail)
    response = browser.post(url, {"method": "demo-bank"})
    assert response.url == url
    assert "The payment service does not answer. Nothing was charged" in page(browser.get(url))
    monkeypatch.undo()
    Payment.objects.update(next_check_at=timezone.now())
    tasks.reconcile_payments()
    assert Payment.objects.get().status == PaymentStatus.FAILED
