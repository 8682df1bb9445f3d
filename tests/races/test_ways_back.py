"""Two people of the office do the same thing at one moment: one of them has done it, and the books add up."""

from decimal import Decimal

import pytest

from payments.models import Adjustment, Debt, Deposit, DepositKind, DepositStatus, OrderLine, Refund, RefundReason
from payments.services.adjusting import adjust_line
from payments.services.confirming import confirm_payment
from payments.services.debts import write_off_debt
from payments.services.deposits import ask_deposit, decide_deposit
from payments.services.orders import place_order
from payments.services.refunding import approve_refund, hand_back, refund_line, withdraw_refund
from payments.services.reversals import reverse_payment
from payments.tasks import send_refunds
from tests.factories.accounts import make_user
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import make_sale, offer_demo_bank, reserve
from tests.factories.vehicles import set_provider
from tests.races.together import assert_books_and_numbers_are_right, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_demo_bank()


@pytest.fixture
def line() -> OrderLine:
    """A permit for $100.00, paid and active."""
    payment = go_to_bank(order_permit(reserve(make_sale())))
    pay_at_bank(payment)
    confirm_payment(payment)
    return payment.order.lines.get()


def successes(results: list[object]) -> int:
    return sum(not isinstance(one, Exception) for one in results)


def test_two_clerks_refund_one_line(line):
    deeds = [lambda: refund_line(line=line, actor=make_user(), amount=Decimal("60.00")) for _time in range(4)]
    assert successes(together(deeds)) == 1
    assert_books_and_numbers_are_right()


def test_small_parts_never_give_back_more_than_was_paid(line):
    deeds = [lambda: refund_line(line=line, actor=make_user(), amount=Decimal("30.00")) for _time in range(6)]
    assert successes(together(deeds)) == 3
    send_refunds()
    line.refresh_from_db()
    assert line.returned == Decimal("90.00")
    assert_books_and_numbers_are_right()


def test_a_refund_and_an_adjustment_share_what_is_left(line):
    clerk = make_user()
    deeds = [
        lambda: refund_line(line=line, actor=clerk, amount=Decimal("70.00")),
        lambda: adjust_line(line=line, amount=Decimal("-70.00"), reason="Late", actor=clerk),
    ]
    assert successes(together(deeds)) == 1
    assert Adjustment.objects.count() + Refund.objects.filter(reason="office").count() == 1
    assert_books_and_numbers_are_right()


def test_a_refund_and_a_reversal(line):
    clerk, payment = make_user(), line.order.payments.get()
    deeds = [
        lambda: refund_line(line=line, actor=clerk),
        lambda: reverse_payment(payment=payment, reason=RefundReason.BOUNCED, actor=clerk, takes_back=False),
    ]
    assert successes(together(deeds)) == 1
    assert_books_and_numbers_are_right()


def test_a_proposal_is_decided_once(line):
    set_provider(refund_second_person_above=Decimal("0.00"))
    refund = refund_line(line=line, actor=make_user())
    people = [make_user() for _time in range(3)]
    deeds = [
        lambda: approve_refund(refund=refund, actor=people[0]),
        lambda: approve_refund(refund=refund, actor=people[1]),
        lambda: withdraw_refund(refund=refund, actor=people[2], note="No"),
    ]
    assert successes(together(deeds)) == 1
    send_refunds()
    assert_books_and_numbers_are_right()


def test_money_is_handed_back_once(line):
    line.order.payments.update(gateway="counter")
    refund = refund_line(line=line, actor=make_user())
    deeds = [lambda: hand_back(refund=refund, actor=make_user(), note="Cash") for _time in range(3)]
    assert successes(together(deeds)) == 1
    assert_books_and_numbers_are_right()


def test_a_deposit_is_decided_about_once():
    person = make_user()
    deposit = ask_deposit(person=person, kind=DepositKind.TAG, amount=Decimal("40.00"), actor=person)
    order = place_order(payer=person, selection={"deposit": [deposit.pk]}, email="p@example.org", language="en")
    payment = go_to_bank(order)
    pay_at_bank(payment)
    confirm_payment(payment)
    deeds = [
        lambda returned=returned: decide_deposit(deposit=deposit, returned=returned, actor=person, reason="Once")
        for returned in (Decimal("40.00"), Decimal("10.00"), Decimal("0.00"))
    ]
    assert successes(together(deeds)) == 1
    send_refunds()
    assert Deposit.objects.get().status == DepositStatus.CLOSED
    assert sum(refund.amount for refund in Refund.objects.all()) == Deposit.objects.get().returned_amount
    assert_books_and_numbers_are_right()


def test_a_debt_is_paid_or_written_off(line):
    clerk = make_user()
    reverse_payment(payment=line.order.payments.get(), reason=RefundReason.BOUNCED, actor=clerk, takes_back=False)
    debt = Debt.objects.get()
    order = place_order(payer=debt.person, selection={"debt": [debt.pk]}, email="p@example.org", language="en")
    payment = go_to_bank(order)
    pay_at_bank(payment)
    together([lambda: confirm_payment(payment), lambda: write_off_debt(debt=debt, actor=clerk, note="No")])
    send_refunds()
    debt.refresh_from_db()
    back = Refund.objects.filter(payment=payment).count()
    assert (debt.status, back) in [("paid", 0), ("cancelled", 1)]
    assert_books_and_numbers_are_right()
