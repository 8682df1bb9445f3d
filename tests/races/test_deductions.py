"""Wages and transfers under several hands at once: in one file, decided once, and never given back twice."""

from collections.abc import Callable
from functools import partial

import pytest

from accounts.models import User
from payments.models import (
    CollectionPeriod,
    CollectionStatus,
    Debt,
    Deduction,
    DeductionStatus,
    MethodKind,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from payments.services.collecting import make_file, read_results
from payments.services.forgetting import remove_stored
from payments.services.paying import pay_order
from payments.services.refunding import refund_line
from payments.tasks import send_refunds
from permits.models import Permit
from tests.factories.accounts import make_user
from tests.factories.deductions import open_period, results, send_file, set_up
from tests.factories.payments import order_permit
from tests.factories.permits import make_sale, offer_demo_bank, reserve
from tests.races.crashes import at_each_write
from tests.races.together import assert_books_and_numbers_are_right, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_demo_bank()


@pytest.fixture
def clerk() -> User:
    return make_user()


def make_order() -> Order:
    order = order_permit(reserve(make_sale(numbers=1)))
    set_up(order.payer, number=f"E-{order.payer.pk}")
    return order


def pay(order: Order, code: str = "") -> Payment:
    order = Order.objects.get(pk=order.pk)
    code = code or f"stored:{order.payer.stored_methods.get().code}"
    return pay_order(order=order, method_code=code, actor=order.payer)


@pytest.fixture
def order() -> Order:
    return make_order()


@pytest.fixture
def deduction(order: Order) -> Deduction:
    pay(order)
    return Deduction.objects.get()


def test_four_clicks_are_one_deduction(order) -> None:
    together([partial(pay, order)] * 4)
    order.refresh_from_db()
    assert (order.status, Deduction.objects.count()) == (OrderStatus.PAID, 1)
    assert_books_and_numbers_are_right()


def test_wages_and_the_gateway_s_page_in_one_moment(order) -> None:
    together([partial(pay, order), partial(pay, order, "demo-bank")])
    assert Payment.objects.filter(status=PaymentStatus.APPROVED).count() == 1
    assert_books_and_numbers_are_right()


def test_removed_while_it_is_chosen(order) -> None:
    stored = order.payer.stored_methods.get()
    together([partial(pay, order), partial(remove_stored, stored_method=stored, actor=None)])
    order.refresh_from_db()
    assert (order.status == OrderStatus.PAID) is Deduction.objects.exists()
    assert_books_and_numbers_are_right()


def test_one_file_made_by_four_hands(deduction) -> None:
    period = open_period()
    together([partial(make_file, period=period, actor=None)] * 4)
    deduction.refresh_from_db()
    assert (deduction.status, deduction.period) == (DeductionStatus.SENT, period)


def test_two_periods_made_at_once_share_nothing(deduction) -> None:
    pay(make_order())
    periods = [open_period(days=14), open_period(days=7)]
    counts = together([partial(make_file, period=period, actor=None) for period in periods])
    assert sum(count for count in counts if isinstance(count, int)) == 2
    assert sum(period.deductions.count() for period in periods) == 2


def test_given_back_while_the_file_is_made(deduction, clerk) -> None:
    """Either nothing is taken, or it is in the file and goes back by hand after that."""
    period, line = open_period(), deduction.payment.order.lines.get()

    def give_back() -> None:
        refund_line(line=line, actor=clerk)
        send_refunds()

    together([partial(make_file, period=period, actor=None), give_back, send_refunds])
    deduction.refresh_from_db()
    refund = Refund.objects.get()
    is_taken = deduction.status == DeductionStatus.SENT
    assert refund.status == (RefundStatus.DUE if is_taken else RefundStatus.SUCCEEDED)
    assert is_taken or deduction.status == DeductionStatus.CANCELLED
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("word", ["taken", "refused"])
def test_results_read_by_four_hands_count_once(deduction, clerk, word) -> None:
    period = send_file()
    lines = results((deduction, word))
    together([partial(read_results, period=period, lines=lines, actor=clerk)] * 4)
    period.refresh_from_db()
    assert period.status == CollectionStatus.CLOSED
    assert Debt.objects.count() == (word == "refused")
    assert_books_and_numbers_are_right()


def test_two_files_that_contradict_each_other(deduction, clerk) -> None:
    """One is first; a refusal after that still counts, since transfers come back, but nothing is owed twice."""
    period = send_file()
    together(
        [
            partial(read_results, period=period, lines=results((deduction, word)), actor=clerk)
            for word in ("ok", "refused")
        ]
    )
    deduction.refresh_from_db()
    assert (deduction.status == DeductionStatus.REFUSED) is Debt.objects.exists()
    assert Debt.objects.count() <= 1
    assert_books_and_numbers_are_right()


def test_refused_while_it_is_given_back(deduction, clerk) -> None:
    period, line = send_file(), deduction.payment.order.lines.get()
    together(
        [
            partial(read_results, period=period, lines=results((deduction, "refused")), actor=clerk),
            partial(refund_line, line=line, actor=clerk),
        ]
    )
    send_refunds()
    assert not Refund.objects.exclude(status=RefundStatus.SUCCEEDED).exists()
    assert sum(refund.amount for refund in Refund.objects.all()) == deduction.amount
    assert_books_and_numbers_are_right()


def test_dies_while_somebody_pays_from_their_wages() -> None:
    """Paid, delivered and written down for the next file, or nothing of it."""
    order: Order

    def make() -> Callable[[], object]:
        nonlocal order
        order = make_order()
        return lambda: pay(order)

    def check() -> None:
        order.refresh_from_db()
        is_paid = order.status == OrderStatus.PAID
        assert is_paid is Deduction.objects.filter(payment__order=order).exists() is order.payments.exists()
        assert (Permit.objects.get(pk=order.lines.get().object_id).status == "active") is is_paid

    at_each_write(make, check)


def test_dies_while_results_are_read() -> None:
    """What counted, counts; read again, all of it does, and once."""
    period: CollectionPeriod

    def read() -> None:
        first, second = period.deductions.order_by("pk")
        read_results(period=period, lines=results((first, "refused"), (second, "taken")), actor=None)

    def make() -> Callable[[], object]:
        nonlocal period
        CollectionPeriod.objects.filter(status=CollectionStatus.OPEN).delete()
        pay(make_order())
        pay(make_order())
        number = CollectionPeriod.objects.count()
        period = open_period(days=14 + number)
        make_file(period=period, actor=None)
        period.refresh_from_db()
        return read

    def check() -> None:
        read()
        period.refresh_from_db()
        assert period.status == CollectionStatus.CLOSED
        assert Debt.objects.filter(order__payments__deduction__period=period).count() == 1
        assert set(period.deductions.values_list("status", flat=True)) == {"refused", "taken"}

    at_each_write(make, check)


def test_each_kind_has_its_own_file(deduction) -> None:
    assert send_file(MethodKind.PAYROLL).deductions.count() == 1
