"""`Payments Due`: what stands there, what is ticked, what a click on `Continue to Checkout` does."""

import datetime as dt
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from payments import purchasables
from payments.models import Order, OrderStatus, Payment, PaymentStatus
from payments.purchasables import Quote
from permits.models import Permit, PermitStatus
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import (
    lapse_hold,
    make_buyer,
    make_permit_type,
    make_sale,
    make_tax,
    offer_demo_bank,
    reserve,
)

pytestmark = pytest.mark.django_db

DUE = "/payments/"


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_demo_bank()


@pytest.fixture
def permit() -> Permit:
    return reserve(make_sale(permit_type=make_permit_type(taxes=[make_tax("13")])))


@pytest.fixture
def browser(client_of, permit) -> Client:
    return client_of(permit.holder)


def page(response, status: int = 200) -> str:
    assert response.status_code == status
    return unescape(response.content.decode())


class Fines:
    """A product without holds, one of its things locked until a day that is known: as tickets will be."""

    kind = "zz-fine"
    locked_until = dt.datetime(2031, 5, 4, 16, tzinfo=dt.UTC)

    def list_due(self, payer):
        return self.quote([1, 2], payer=payer, lock=False)

    def quote(self, object_ids, *, payer, lock):
        reasons = {1: "", 2: "Violations Under Review: wait for the answer."}
        return [
            Quote(
                self.kind, pk, f"Fine {pk}", Decimal("40.00"), lock_reason=reasons[pk], locked_until=self.locked_until
            )
            for pk in object_ids
            if pk in reasons
        ]

    def hold(self, object_ids, *, until):
        """Nothing is scarce here."""


@pytest.fixture
def fines():
    purchasables.register(Fines())
    yield
    del purchasables._registry[Fines.kind]


def test_nothing_due_says_so(client_of) -> None:
    buyer, _ownership = make_buyer()
    text = page(client_of(buyer).get(DUE))
    for words in ("Payments Due", "Nothing is due", "No payments yet", "all your current expenses and payment history"):
        assert words in text
    assert "Continue to Checkout" not in text


def test_what_is_held_stands_ticked_with_its_time_and_the_sum(browser, permit) -> None:
    text = page(browser.get(DUE))
    assert f'value="permit:{permit.pk}"' in text
    assert "checked" in text.split(f'value="permit:{permit.pk}"')[1].split(">")[0]
    assert 'data-countdown="' in text
    assert "Held until" in text
    assert "$113.00</span></output>" in text


def test_order_of_rows_and_what_is_ticked(browser, permit, fines) -> None:
    later = reserve(make_sale(), permit.holder)
    Permit.objects.filter(pk=later.pk).update(held_until=timezone.now() + dt.timedelta(hours=9))
    text = page(browser.get(f"{DUE}?pay=zz-fine:1&pay=zz-fine:2"))
    boxes = [part.split(">")[0] for part in text.split('name="selected"')[1:]]
    assert [box.split('value="')[1].split('"')[0] for box in boxes] == [
        f"permit:{permit.pk}",
        f"permit:{later.pk}",
        "zz-fine:1",
        "zz-fine:2",
    ]
    # The locked one cannot be ticked, whatever the address says.
    assert ["checked" in box for box in boxes] == [True, True, True, False]
    assert "disabled" in boxes[3]
    assert "Violations Under Review: wait for the answer. Locked until May 4, 2031, noon." in text
    assert "$253.00</span></output>" in text


def test_a_fine_is_not_ticked_by_itself(browser, fines) -> None:
    text = page(browser.get(DUE))
    box = text.split('value="zz-fine:1"')[1].split(">")[0]
    assert "checked" not in box


def test_continue_places_one_order_for_what_is_ticked(browser, permit) -> None:
    other = reserve(make_sale(), permit.holder)
    response = browser.post(DUE, {"selected": [f"permit:{permit.pk}"]})
    order = Order.objects.get()
    assert response.url == f"/payments/checkout/{order.code}/"
    assert [line.object_id for line in order.lines.all()] == [permit.pk]
    assert (order.total, order.tax, order.email) == (Decimal("113.00"), Decimal("13.00"), permit.holder.email)
    assert other.status == PermitStatus.RESERVED


@pytest.mark.parametrize(
    "selected",
    [
        [],
        ["permit:"],
        ["permit:x"],
        ["nothing:1"],
        ["permit:-1"],
        ["permit:" + "9" * 30],
        ["permit:999999"],
        ["permit"],
    ],
)
def test_nonsense_gets_a_sentence_and_no_order(browser, selected) -> None:
    text = page(browser.post(DUE, {"selected": selected}), 422)
    assert "data-error-summary" in text
    assert not Order.objects.exists()


def test_locked_things_are_refused_with_their_reason(browser, fines) -> None:
    text = page(browser.post(DUE, {"selected": ["zz-fine:2"]}), 422)
    assert text.count("Violations Under Review: wait for the answer.") == 2
    assert not Order.objects.exists()


def test_select_all_without_a_script_takes_everything_that_is_not_locked(browser, permit, fines) -> None:
    text = page(browser.get(DUE))
    assert 'name="everything"' in text
    browser.post(DUE, {"everything": "1", "selected": [f"permit:{permit.pk}"]})
    assert [(line.kind, line.object_id) for line in Order.objects.get().lines.all()] == [
        ("permit", permit.pk),
        ("zz-fine", 1),
    ]


def test_select_all_is_not_offered_for_one_thing(browser) -> None:
    assert 'name="everything"' not in page(browser.get(DUE))


def test_select_all_takes_nothing_of_somebody_else(client_of, permit) -> None:
    stranger, _ownership = make_buyer()
    text = page(client_of(stranger).post(DUE, {"everything": "1"}), 422)
    assert "Select at least one item" in text
    page(client_of(stranger).post(DUE, {"everything": "1", "selected": [f"permit:{permit.pk}"]}), 422)
    assert not Order.objects.exists()


def test_select_all_does_not_excuse_nonsense(browser) -> None:
    page(browser.post(DUE, {"everything": "1", "selected": ["nothing:1"]}), 422)
    assert not Order.objects.exists()


def test_anothers_reservation_cannot_be_paid(client_of, permit) -> None:
    stranger, _ownership = make_buyer()
    text = page(client_of(stranger).post(DUE, {"selected": [f"permit:{permit.pk}"]}), 422)
    assert "can no longer be paid" in text
    assert permit.number not in text
    assert not Order.objects.exists()


def test_a_hold_that_ran_out_before_continue_is_explained(browser, permit) -> None:
    lapse_hold(permit)
    text = page(browser.post(DUE, {"selected": [f"permit:{permit.pk}"]}), 422)
    assert "its hold ran out" in text
    assert "Nothing is due" in text


def test_get_changes_nothing(browser, permit) -> None:
    page(browser.get(f"{DUE}?pay=permit:{permit.pk}&selected=permit:{permit.pk}"))
    assert not Order.objects.exists()


def test_a_payment_without_an_answer_warns_against_paying_twice(browser, permit) -> None:
    payment = go_to_bank(order_permit(permit))
    text = page(browser.get(DUE))
    assert "please do not pay again" in text
    assert f"/payments/return/{payment.reference}/" in text
    pay_at_bank(payment)
    browser.get(f"/payments/return/{payment.reference}/")
    assert "please do not pay again" not in page(browser.get(DUE))


def test_money_that_the_office_looks_at_warns_too(browser, permit) -> None:
    payment = go_to_bank(order_permit(permit))
    session = pay_at_bank(payment)
    session.amount = Decimal("1.00")
    session.save()
    text = page(browser.get(f"/payments/return/{payment.reference}/"))
    words = "We have received your payment and are checking it."
    assert words in text
    assert "http-equiv" not in text
    assert words in page(browser.get(DUE))
    assert permit.status == PermitStatus.RESERVED


def buy(sale, buyer) -> Payment:
    payment = go_to_bank(order_permit(reserve(sale, buyer)))
    pay_at_bank(payment)
    from payments.services.confirming import confirm_payment

    confirm_payment(payment)
    return payment


def test_history_is_paged_and_links_receipts(client_of) -> None:
    buyer, _ownership = make_buyer()
    sales = [make_sale() for _number in range(11)]
    codes = [buy(sale, buyer).order.code for sale in sales]
    browser = client_of(buyer)
    first, second = page(browser.get(DUE)), page(browser.get(f"{DUE}?page=2"))
    assert first.count("/payments/receipt/") == 10
    assert f"/payments/receipt/{codes[-1]}/" in first
    assert f"/payments/receipt/{codes[0]}/" in second
    stranger, _other = make_buyer()
    assert "/payments/receipt/" not in page(client_of(stranger).get(DUE))


def test_queries_are_flat(client_of) -> None:
    buyer, _ownership = make_buyer()
    browser = client_of(buyer)
    counts = []
    for rows in (1, 3):
        while Permit.objects.filter(status=PermitStatus.RESERVED).count() < rows:
            buy(make_sale(), buyer)
            # Each abandoned attempt stands for itself; the order is the payer's one open order.
            reserved = reserve(make_sale(), buyer)
            go_to_bank(order_permit(reserved))
        browser.get(DUE)
        with CaptureQueriesContext(connection) as queries:
            text = page(browser.get(DUE))
        assert text.count('name="selected"') == rows
        assert text.count("/payments/receipt/") == rows
        assert Payment.objects.filter(status=PaymentStatus.STARTED).count() == rows
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15


def test_free_things_need_no_bank(client_of) -> None:
    permit = reserve(make_sale(permit_type=make_permit_type(price=Decimal("0.00"))))
    browser = client_of(permit.holder)
    response = browser.post(DUE, {"selected": [f"permit:{permit.pk}"]})
    order = Order.objects.get()
    assert response.url == f"/payments/receipt/{order.code}/"
    assert order.status == OrderStatus.PAID
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE
    assert "Thank you" in page(browser.get(response.url))
    assert not Payment.objects.exists()
