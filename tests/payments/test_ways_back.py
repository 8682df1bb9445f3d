"""Money that the office gives back, in whole or in part, alone or by two; prices adjusted; deposits decided about once."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from opscom.core.errors import DomainError, NotAllowed
from payments import tasks
from payments.gateways.base import Event, Result
from payments.invariants import check_books
from payments.models import (
    Adjustment,
    Debt,
    Deposit,
    DepositKind,
    DepositStatus,
    Dispute,
    LineStatus,
    Order,
    OrderLine,
    Payment,
    Refund,
    RefundStatus,
)
from payments.selectors import list_due
from payments.services.adjusting import adjust_line
from payments.services.attempts import start_payment
from payments.services.confirming import confirm_payment, handle_event, keep_event
from payments.services.deposits import ask_deposit, cancel_deposit, decide_deposit
from payments.services.orders import place_order
from payments.services.promising import promise_order
from payments.services.refunding import approve_refund, hand_back, refund_line, withdraw_refund
from payments.services.refunds import check_refund, retry_refund
from tests.factories.accounts import make_user
from tests.factories.payments import offer_method, place_thing
from tests.factories.peers import approved
from tests.factories.vehicles import set_provider

pytestmark = pytest.mark.django_db
SENT = Result(status="approved", gateway_reference="r-1")


def pay(gateway, order: Order) -> Payment:
    start_payment(order=order, method_code="scripted")
    gateway.answers = [approved(str(order.due))]
    payment = order.payments.get()
    confirm_payment(payment)
    payment.refresh_from_db()
    return payment


@pytest.fixture
def line(gateway, product) -> OrderLine:
    """A thing for $100.00, paid and delivered."""
    return pay(gateway, place_thing(1)).order.lines.get()


def promise(order: Order) -> None:
    """Let its payer promise the money."""
    offer_method(kind="promise")
    promise_order(order=order, method_code="promise", actor=order.payer)
    order.refresh_from_db()


def back(line: OrderLine, actor: User, amount: str | None = None) -> Refund | None:
    return refund_line(line=line, actor=actor, amount=None if amount is None else Decimal(amount))


def assert_right() -> None:
    assert [*check_books()] == []


# In part and in whole


def test_in_part_what_was_bought_is_kept(line, product, gateway, clerk):
    back(line, clerk, "30.00")
    back(line, clerk, "20.00")
    tasks.send_refunds()
    line.refresh_from_db()
    assert (line.status, line.returned, line.kept) == (LineStatus.FULFILLED, Decimal("50.00"), Decimal("50.00"))
    assert product.released == []
    assert len(set(gateway.refund_keys)) == 2
    assert_right()


def test_what_is_left_takes_it_back(line, product, clerk):
    back(line, clerk, "30.00")
    refund = back(line, clerk)
    assert refund.amount == Decimal("70.00")
    tasks.send_refunds()
    line.refresh_from_db()
    assert line.status == LineStatus.REFUNDED
    assert product.released == [1]
    assert_right()


@pytest.mark.parametrize(
    ("rule", "amount", "is_freed"), [("always", "10.00", True), ("never", "100.00", False), ("whole", "99.99", False)]
)
def test_the_providers_rule_decides_what_is_taken_back(line, product, clerk, rule, amount, is_freed):
    set_provider(refund_frees=rule)
    back(line, clerk, amount)
    tasks.send_refunds()
    assert product.released == ([1] if is_freed else [])
    line.refresh_from_db()
    assert line.status == (LineStatus.REFUNDED if is_freed else LineStatus.FULFILLED)
    assert_right()


@pytest.mark.parametrize("amount", ["0.00", "-5.00", "100.01", "NaN", "1000000000.00"])
def test_no_other_sum_goes_back(line, clerk, amount):
    with pytest.raises((DomainError, ArithmeticError)):
        back(line, clerk, amount)
    assert not Refund.objects.exists()


def test_in_parts_never_more_than_was_paid(line, clerk):
    back(line, clerk, "60.00")
    with pytest.raises(NotAllowed):
        back(line, clerk, "40.01")
    assert_right()


def test_the_database_refuses_more_than_was_paid(line):
    for row in (line, Payment.objects.get()):
        with pytest.raises(IntegrityError), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(returned=Decimal("100.01"))


# By two


def test_above_the_limit_a_second_person_must_agree(line, product, gateway, clerk, administrator):
    set_provider(refund_second_person_above=Decimal("50.00"))
    refund = back(line, clerk)
    assert refund.status == RefundStatus.PROPOSED
    tasks.send_refunds()
    assert (gateway.refund_keys, product.released) == ([], []), "nothing happens yet"
    with pytest.raises(NotAllowed):
        approve_refund(refund=refund, actor=clerk)
    approve_refund(refund=refund, actor=administrator)
    with pytest.raises(NotAllowed):
        approve_refund(refund=refund, actor=administrator)
    tasks.send_refunds()
    refund.refresh_from_db()
    assert (refund.status, refund.approved_by) == (RefundStatus.SUCCEEDED, administrator)
    assert product.released == [1]
    assert_right()


def test_small_refunds_of_one_payment_count_together(line, clerk):
    set_provider(refund_second_person_above=Decimal("50.00"))
    states = [back(line, clerk, "30.00").status for _time in range(3)]
    assert states == [RefundStatus.DUE, RefundStatus.PROPOSED, RefundStatus.PROPOSED]


def test_a_proposal_that_is_withdrawn_frees_its_money(line, product, clerk):
    set_provider(refund_second_person_above=Decimal("0.00"))
    refund = back(line, clerk)
    with pytest.raises(NotAllowed):
        back(line, clerk, "0.01")
    withdraw_refund(refund=refund, actor=clerk, note="The wrong person.")
    line.refresh_from_db()
    assert line.kept == Decimal("100.00")
    assert back(line, clerk).status == RefundStatus.PROPOSED
    assert product.released == []
    assert_right()


# Later answers


def test_a_refund_that_takes_days(line, gateway, clerk):
    gateway.refunds = [Result(status="pending", gateway_reference="r-1")]
    refund = back(line, clerk)
    tasks.send_refunds()
    refund.refresh_from_db()
    assert (refund.status, refund.gateway_reference) == (RefundStatus.PENDING, "r-1")
    tasks.send_refunds()
    assert len(gateway.refund_keys) == 1, "it is asked about, not sent again"
    gateway.refund_answers = [SENT]
    Refund.objects.update(next_try_at=refund.created_at)
    tasks.send_refunds()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    assert_right()


def test_a_refund_that_the_bank_sends_back_later(line, gateway, clerk):
    refund = back(line, clerk)
    tasks.send_refunds()
    gateway.refund_answers = [Result(status="declined", message="The account is closed.")]
    check_refund(refund.pk)
    refund.refresh_from_db()
    assert (refund.status, refund.was_refused) == (RefundStatus.FAILED, True)
    assert_right()
    again = retry_refund(refund=refund, actor=clerk)
    assert again.reference != refund.reference, "the old key would be answered as before"
    with pytest.raises(NotAllowed):
        retry_refund(refund=refund, actor=clerk)
    tasks.send_refunds()
    again.refresh_from_db()
    assert again.status == RefundStatus.SUCCEEDED
    assert_right()


def test_an_unknown_end_is_tried_again_with_its_own_key(line, gateway, clerk):
    refund = back(line, clerk)
    Refund.objects.update(attempts=12)
    gateway.refunds = [Result(status="unknown")]
    tasks.send_refunds()
    refund.refresh_from_db()
    assert (refund.status, refund.was_refused) == (RefundStatus.FAILED, False)
    again = retry_refund(refund=refund, actor=clerk)
    assert again.pk == refund.pk
    assert_right()


def test_what_came_over_the_counter_goes_back_by_hand(line, gateway, clerk):
    Payment.objects.update(gateway="counter")
    refund = back(line, clerk)
    tasks.send_refunds()
    refund.refresh_from_db()
    assert (refund.status, gateway.refund_keys) == (RefundStatus.DUE, [])
    hand_back(refund=refund, actor=clerk, note="In cash")
    with pytest.raises(NotAllowed):
        hand_back(refund=refund, actor=clerk, note="Twice")
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    assert_right()


def test_nobody_hands_back_what_a_gateway_sends(line, clerk):
    refund = back(line, clerk)
    with pytest.raises(NotAllowed):
        hand_back(refund=refund, actor=clerk, note="In cash")


# Adjustments


def test_cheaper_after_it_was_paid_is_a_refund_in_part(line, product, clerk):
    adjustment = adjust_line(line=line, amount=Decimal("-12.50"), reason="Two weeks without power.", actor=clerk)
    tasks.send_refunds()
    assert adjustment.refund.amount == Decimal("12.50")
    assert product.released == []
    assert_right()


def test_dearer_after_it_was_paid_is_a_debt(line, clerk):
    adjustment = adjust_line(line=line, amount=Decimal("12.50"), reason="The wrong type was sold.", actor=clerk)
    assert (adjustment.debt.amount, adjustment.debt.person) == (Decimal("12.50"), line.order.payer)
    assert [row.quote.amount for row in list_due(line.order.payer)] == [Decimal("12.50")]
    assert_right()


def test_what_is_promised_is_adjusted_before_it_is_paid(gateway, product, clerk):
    order = place_thing(1, 2, payer=make_user())
    promise(order)
    adjust_line(line=order.lines.get(object_id=1), amount=Decimal("-40.00"), reason="Late start.", actor=clerk)
    order.refresh_from_db()
    assert (order.total, order.due) == (Decimal("200.00"), Decimal("160.00"))
    payment = pay(gateway, order)
    assert (payment.amount, payment.needs_review) == (Decimal("160.00"), "")
    refund = back(order.lines.get(object_id=1), clerk)
    assert refund.amount == Decimal("60.00"), "what was paid for it, not what it cost"
    assert_right()


def test_nothing_is_adjusted_below_nothing(gateway, product, line, clerk):
    order = place_thing(2, payer=make_user())
    with pytest.raises(NotAllowed):
        adjust_line(line=order.lines.get(), amount=Decimal("-1.00"), reason="In a cart", actor=clerk)
    promise(order)
    for amount in ("0.00", "-100.00", "-100.01"):
        with pytest.raises(NotAllowed):
            adjust_line(line=order.lines.get(), amount=Decimal(amount), reason="Too much", actor=clerk)
    with pytest.raises(NotAllowed):
        adjust_line(line=line, amount=Decimal("-100.01"), reason="Too much", actor=clerk)
    assert not Adjustment.objects.exists()


def test_nothing_is_adjusted_while_somebody_pays(gateway, product, clerk):
    order = place_thing(1, payer=make_user())
    promise(order)
    start_payment(order=order, method_code="scripted")
    with pytest.raises(NotAllowed):
        adjust_line(line=order.lines.get(), amount=Decimal("-10.00"), reason="Late start.", actor=clerk)


def test_money_for_the_sum_before_the_adjustment_is_looked_at(gateway, product, clerk):
    order = place_thing(1, payer=make_user())
    promise(order)
    start_payment(order=order, method_code="scripted")
    payment = order.payments.get()
    Payment.objects.update(status="expired")
    adjust_line(line=order.lines.get(), amount=Decimal("-10.00"), reason="Late start.", actor=clerk)
    gateway.answers = [approved("100.00")]
    payment.refresh_from_db()
    confirm_payment(payment)
    payment.refresh_from_db()
    assert payment.needs_review == "amount"
    assert_right()


# Deposits


@pytest.fixture
def deposit(gateway, product, resident, clerk) -> Deposit:
    """A tag's deposit of $40.00, held."""
    deposit = ask_deposit(person=resident, kind=DepositKind.TAG, amount=Decimal("40.00"), actor=clerk, label="Tag 7")
    order = place_order(payer=resident, selection={"deposit": [deposit.pk]}, email="m@example.org", language="en")
    pay(gateway, order)
    deposit.refresh_from_db()
    return deposit


@pytest.mark.parametrize("returned", ["40.00", "15.00", "0.00"])
def test_a_deposit_is_decided_about_once(deposit, clerk, returned):
    assert deposit.status == DepositStatus.HELD
    refund = decide_deposit(deposit=deposit, returned=Decimal(returned), actor=clerk, reason="Scratched")
    assert (refund.amount if refund else Decimal("0.00")) == Decimal(returned)
    tasks.send_refunds()
    deposit.refresh_from_db()
    assert (deposit.status, deposit.returned_amount) == (DepositStatus.CLOSED, Decimal(returned))
    assert deposit.kept_amount == Decimal("40.00") - Decimal(returned)
    for again in ("40.00", "0.00"):
        with pytest.raises(NotAllowed):
            decide_deposit(deposit=deposit, returned=Decimal(again), actor=clerk, reason="Again")
    assert_right()


@pytest.mark.parametrize(("returned", "reason"), [("-0.01", "x"), ("40.01", "x"), ("39.99", "")])
def test_a_deposit_is_not_decided_wrongly(deposit, clerk, returned, reason):
    with pytest.raises(NotAllowed):
        decide_deposit(deposit=deposit, returned=Decimal(returned), actor=clerk, reason=reason)
    assert not Refund.objects.exists()


def test_a_deposit_is_not_refunded_like_a_price(deposit, clerk):
    with pytest.raises(NotAllowed):
        back(deposit.line, clerk)


def test_a_deposit_is_asked_once_for_a_thing_and_cancelled_before_it_is_paid(deposit, resident, clerk):
    about = {"person": resident, "kind": DepositKind.LOCKER, "actor": clerk, "about_kind": "thing", "about_id": 5}
    asked = ask_deposit(amount=Decimal("10.00"), **about)
    with pytest.raises(DomainError):
        ask_deposit(amount=Decimal("10.00"), **about)
    cancel_deposit(deposit=asked, actor=clerk, reason="No locker")
    ask_deposit(amount=Decimal("12.00"), **about)
    for wrong in (asked, deposit):
        with pytest.raises(NotAllowed):
            cancel_deposit(deposit=wrong, actor=clerk, reason="Again")
    assert not Debt.objects.exists()


# What the gateway reports by itself


def report(about: str, reference: str) -> None:
    event = keep_event(gateway_code="scripted", event=Event(f"{about}-1", reference, about), body=b"{}")
    handle_event(event.pk)
    handle_event(event.pk)


def test_a_report_about_a_refund_is_asked_back(line, gateway, clerk):
    refund = back(line, clerk)
    tasks.send_refunds()
    gateway.refund_answers = [Result(status="declined", message="The account is closed.")]
    report("refund", refund.reference)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.FAILED
    assert_right()


def test_a_report_about_a_dispute_comes_to_the_office_and_moves_nothing(line):
    payment = Payment.objects.get()
    report("dispute", payment.reference)
    report("dispute", "nobody")
    assert Dispute.objects.get().payment == payment
    payment.refresh_from_db()
    assert payment.returned == 0
    assert_right()
