"""`Payment history`: in which words each order ends, by year, and only one's own."""

import datetime as dt
from decimal import Decimal
from html import unescape

import pytest
from django.utils import timezone

from payments import tasks
from payments.history import describe_row, paid_orders, years_of
from payments.models import Order, OrderLine, Refund, RefundReason
from payments.services.confirming import confirm_payment
from payments.services.refunding import refund_line
from payments.services.reversals import reverse_payment
from tests.factories.payments import place_thing
from tests.factories.peers import ScriptedProduct, approved
from tests.factories.vehicles import make_owner

pytestmark = pytest.mark.django_db

DUE = "/payments/"


@pytest.fixture
def payer():
    return make_owner()


@pytest.fixture
def buy(gateway, product: ScriptedProduct, payer):
    """Return a function that pays for things, $100.00 each, and returns the order."""
    from payments.services.attempts import start_payment

    def pay(*things: int) -> Order:
        order = place_thing(*things, payer=payer)
        start_payment(order=order, method_code="scripted")
        gateway.answers = [approved(str(order.total))]
        confirm_payment(order.payments.get())
        order.refresh_from_db()
        return order

    return pay


def state_of(order: Order) -> str:
    return str(describe_row(paid_orders(order.payer).get(pk=order.pk)).state.label)


def test_paid(buy) -> None:
    assert state_of(buy(1)) == "Paid"


def test_refund_of_one_line_and_then_of_all(buy, manager) -> None:
    order = buy(1, 2)
    first, second = order.lines.all()
    refund_line(line=first, actor=manager)
    assert state_of(order) == "Refund on its way"
    tasks.send_refunds()
    assert state_of(order) == "Refunded in part"
    assert describe_row(paid_orders(order.payer).get()).back == Decimal("-100.00")
    refund_line(line=second, actor=manager)
    tasks.send_refunds()
    assert state_of(order) == "Refunded"


def test_money_that_did_not_come_after_all_is_no_refund(buy, manager) -> None:
    order = buy(1)
    reverse_payment(payment=order.payments.get(), reason=RefundReason.BOUNCED, actor=manager, takes_back=False)
    assert state_of(order) == "The cheque bounced"


def test_refund_that_waits_for_a_second_person_is_not_announced(buy) -> None:
    order = buy(1)
    line = order.lines.get()
    Refund.objects.create(
        payment=order.payments.get(), line=line, amount=line.due, reason=RefundReason.OFFICE, status="proposed"
    )
    OrderLine.objects.filter(pk=line.pk).update(returned=line.due)
    assert state_of(order) == "Paid"


def test_what_is_not_delivered_yet_says_so(buy, product) -> None:
    product.outcomes = [RuntimeError("no answer")]
    assert state_of(buy(1)) == "Paid, being completed"


def set_year(order: Order, year: int) -> None:
    Order.objects.filter(pk=order.pk).update(paid_at=timezone.make_aware(dt.datetime(year, 6, 1)))


def test_years(buy, payer) -> None:
    for thing, year in {1: 2021, 2: 2023, 3: 2023}.items():
        set_year(buy(thing), year)
    assert years_of(payer) == [2023, 2021]
    assert paid_orders(payer, year=2023).count() == 2
    assert paid_orders(payer, year=2022).count() == 0
    assert paid_orders(make_owner()).count() == 0


def test_year_begins_at_the_provider_not_at_greenwich(buy, payer) -> None:
    order = buy(1)
    Order.objects.filter(pk=order.pk).update(paid_at=dt.datetime(2024, 1, 1, 2, tzinfo=dt.UTC))
    assert years_of(payer) == [2023]
    assert paid_orders(payer, year=2023).exists()


def text_of(client_of, payer, address: str) -> str:
    response = client_of(payer).get(address)
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_page_narrows_to_a_year(client_of, buy, payer) -> None:
    old, new = buy(1), buy(2)
    set_year(old, 2021)
    text = text_of(client_of, payer, f"{DUE}?year=2021")
    assert old.code in text
    assert new.code not in text
    assert 'name="year"' in text


@pytest.mark.parametrize("year", ["", "1999", "x", "9" * 40, "-1", "0", "2021&year=x"])
def test_a_year_that_is_none_shows_all(client_of, buy, payer, year) -> None:
    order = buy(1)
    assert order.code in text_of(client_of, payer, f"{DUE}?year={year}")


def test_history_that_fits_needs_no_years(client_of, buy, payer) -> None:
    buy(1)
    assert 'name="year"' not in text_of(client_of, payer, DUE)


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_are_flat(buy, manager, payer, rows, django_assert_num_queries) -> None:
    for thing in range(1, rows + 1):
        refund_line(line=OrderLine.objects.get(order=buy(thing)), actor=manager)
    with django_assert_num_queries(3):
        states = [describe_row(order).state for order in paid_orders(payer)]
    assert len(states) == rows
