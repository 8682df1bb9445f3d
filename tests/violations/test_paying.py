"""Tickets in the cart: what they cost when, what happens while somebody is at the bank, and how money goes back."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.utils import timezone

from opscom.core.errors import DomainError, NotAllowed
from opscom.provider.selectors import local_date
from payments.invariants import check_books
from payments.models import (
    Debt,
    Deduction,
    LineStatus,
    MethodKind,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentStatus,
    PromiseStatus,
    Refund,
    RefundReason,
    RefundStatus,
)
from payments.selectors import list_due
from payments.services.paying import pay_order
from payments.services.promising import close_due_promise, promise_order, receive_promise
from payments.services.refunding import approve_refund, refund_line, withdraw_refund
from payments.services.reversals import reverse_payment
from payments.services.settling import finish_order, settle
from payments.tasks import send_refunds
from tests.factories.accounts import make_user
from tests.factories.billing import offer_accounts, open_account, pay_for
from tests.factories.companies import give_company, make_company
from tests.factories.deductions import set_up
from tests.factories.payments import go_to_bank, offer_method, pay_at_bank
from tests.factories.peers import approved
from tests.factories.vehicles import set_provider
from tests.factories.violations import (
    age,
    finish_at_bank,
    link,
    make_appeal,
    make_offence,
    make_ticket,
    order_tickets,
    pay_tickets,
    reload,
)
from violations.costing import cost_at
from violations.models import CollectionExport, Ticket, TicketStatus
from violations.services.appealing import withdraw_appeal
from violations.services.deciding import decide_appeal
from violations.services.delivering import settle_ticket
from violations.services.lowering import adjust_ticket, cancel_ticket, spoil_ticket

pytestmark = pytest.mark.django_db
T = TicketStatus


@pytest.fixture(autouse=True)
def bank():
    offer_method("demo-bank", is_for_guests=True)


@pytest.fixture
def ticket(resident) -> Ticket:
    return make_ticket(resident, offence=make_offence(is_adjustable=True))


def assert_right() -> None:
    assert [*check_books()] == []


def due(person) -> dict[int, Decimal]:
    return {row.quote.object_id: row.quote.amount for row in list_due(person) if row.quote.kind == "ticket"}


def back() -> Decimal:
    return sum((refund.amount for refund in Refund.objects.all()), Decimal(0))


def settled_undelivered(ticket: Ticket) -> OrderLine:
    """Let the money count, and the worker that delivers be dead."""
    payment = go_to_bank(order_tickets(ticket))
    pay_at_bank(payment)
    settle(payment_id=payment.pk, result=replace(approved(str(payment.amount)), gateway_reference=""))
    line = payment.order.lines.get()
    assert (line.status, reload(ticket).status) == (LineStatus.SETTLED, T.OPEN)
    return line


# Who pays what


def test_the_person_owes_it_who_is_linked_may_pay_it_and_strangers_may_not(ticket, resident, other_resident):
    assert due(resident) == {ticket.pk: 25}
    assert due(other_resident) == {}
    with pytest.raises(DomainError, match="can no longer be paid"):
        order_tickets(ticket, payer=other_resident)
    link(ticket, other_resident)
    assert due(other_resident) == {ticket.pk: 25}
    pay_tickets(ticket, payer=other_resident)
    assert due(resident) == due(other_resident) == {}
    assert reload(ticket).status == T.PAID
    assert_right()


def test_a_guest_pays_any_open_one_and_nothing_else(ticket, clerk):
    pay_tickets(ticket, payer=None)
    assert reload(ticket).status == T.PAID
    warning, spoiled = make_ticket(is_warning=True), make_ticket()
    spoil_ticket(ticket=spoiled, reason="A mistake.", actor=clerk)
    for one in (ticket, warning, spoiled):
        with pytest.raises(DomainError, match="can no longer be paid"):
            order_tickets(one, payer=None)


@pytest.mark.parametrize(("days", "amount"), [(0, 25), (7, 25), (8, 35), (30, 35), (31, 50), (300, 50)])
def test_it_is_asked_for_what_it_costs_on_the_day(ticket, resident, days, amount):
    ticket = age(ticket, days)
    assert due(resident) == {ticket.pk: amount}
    assert order_tickets(ticket).total == amount


# While the payer is at the bank


@pytest.mark.parametrize("days", [8, 40])
def test_a_payment_begun_before_a_step_is_honoured(ticket, days):
    payment = go_to_bank(order_tickets(ticket))
    age(ticket, days)
    finish_at_bank(payment)
    assert (reload(ticket).status, payment.amount, back()) == (T.PAID, 25, 0)
    assert_right()


def test_an_order_placed_before_a_step_and_not_begun_is_not(ticket):
    order = order_tickets(ticket)
    ticket = age(ticket, 8)
    with pytest.raises(NotAllowed, match="price has changed"):
        go_to_bank(order)
    assert not Payment.objects.exists()
    again = order_tickets(ticket)
    assert (again.pk != order.pk, again.total) == (True, 35)
    order.refresh_from_db()
    assert order.status == OrderStatus.CLOSED


def test_adjusted_meanwhile_the_difference_goes_back_once(ticket, clerk):
    payment = go_to_bank(order_tickets(ticket))
    adjust_ticket(ticket=ticket, amount=Decimal("10.00"), reason="Fallen sign.", actor=clerk)
    finish_at_bank(payment)
    finish_order(payment.order_id)
    settle_ticket(ticket_id=ticket.pk, order=payment.order)
    assert (reload(ticket).status, back(), Refund.objects.count()) == (T.PAID, 15, 1)
    line = OrderLine.objects.get()
    assert (line.status, line.kept) == (LineStatus.FULFILLED, 10)
    assert_right()


def test_adjusted_and_dearer_by_a_late_fee_since_nothing_goes_back(ticket, clerk):
    payment = go_to_bank(order_tickets(ticket))
    adjust_ticket(ticket=ticket, amount=Decimal("10.00"), reason="Fallen sign.", actor=clerk)
    age(ticket, 31)
    finish_at_bank(payment)
    assert (cost_at(reload(ticket)), back()) == (25, 0)


@pytest.mark.parametrize("deed", [cancel_ticket, spoil_ticket])
def test_void_meanwhile_all_of_it_goes_back(ticket, clerk, deed):
    payment = go_to_bank(order_tickets(ticket))
    deed(ticket=ticket, reason="A mistake.", actor=clerk)
    status = reload(ticket).status
    finish_at_bank(payment)
    send_refunds()
    refund = Refund.objects.get()
    assert (reload(ticket).status, refund.amount, refund.reason) == (status, 25, RefundReason.NOT_AVAILABLE)
    assert OrderLine.objects.get().status == LineStatus.REFUNDED
    assert_right()


@pytest.mark.parametrize(
    ("decision", "amount", "gone_back", "status"),
    [("upheld", None, 0, T.PAID), ("reduced", "5.00", 20, T.PAID), ("cancelled", None, 25, T.CANCELLED)],
)
def test_decided_meanwhile(ticket, clerk, decision, amount, gone_back, status):
    payment = go_to_bank(order_tickets(ticket))
    given = Decimal(amount) if amount else None
    decide_appeal(appeal=make_appeal(ticket), decision=decision, response="So.", actor=clerk, amount=given)
    finish_at_bank(payment)
    assert (reload(ticket).status, back()) == (status, gone_back)
    assert_right()


def test_two_pay_one_ticket_and_the_second_is_refunded(ticket):
    owner, guest = go_to_bank(order_tickets(ticket)), go_to_bank(order_tickets(ticket, payer=None))
    finish_at_bank(guest)
    finish_at_bank(owner)
    refund = Refund.objects.get()
    assert (refund.payment, refund.amount, refund.reason) == (owner, 25, RefundReason.PAID_ELSEWHERE)
    assert OrderLine.objects.get(settled=True).order == guest.order
    assert reload(ticket).status == T.PAID
    assert_right()


# Paid, and not yet delivered


@pytest.mark.parametrize("limit", [None, "20.00"])
def test_cancelled_between_the_money_and_its_delivery(ticket, clerk, limit):
    """What was never delivered goes back with nobody asked, once."""
    set_provider(refund_second_person_above=limit and Decimal(limit))
    line = settled_undelivered(ticket)
    cancel_ticket(ticket=ticket, reason="Our mistake.", actor=clerk)
    finish_order(line.order_id)
    assert_right()
    refund = Refund.objects.get()
    send_refunds()
    refund.refresh_from_db()
    line.refresh_from_db()
    assert (refund.status, refund.amount) == (RefundStatus.SUCCEEDED, 25)
    assert (line.status, reload(ticket).status) == (LineStatus.REFUNDED, T.CANCELLED)
    assert_right()


def test_reduced_between_the_money_and_its_delivery_goes_back_once(ticket, clerk):
    line = settled_undelivered(ticket)
    appeal = make_appeal(ticket)
    decide_appeal(appeal=appeal, decision="reduced", response="So.", actor=clerk, amount=Decimal("10.00"))
    finish_order(line.order_id)
    assert (reload(ticket).status, back(), Refund.objects.count()) == (T.PAID, 15, 1)
    assert_right()


def test_paid_and_not_delivered_it_is_not_void_and_not_paid_again(ticket, clerk):
    settled_undelivered(ticket)
    with pytest.raises(NotAllowed, match="nobody has paid"):
        spoil_ticket(ticket=ticket, reason="A mistake.", actor=clerk)
    with pytest.raises(DomainError, match="can no longer be paid"):
        order_tickets(ticket, payer=None)


# Under review, booted, in collections


def test_under_review_nobody_pays_it_and_after_it_everybody_may(ticket, resident):
    begun = order_tickets(ticket)
    appeal = make_appeal(ticket)
    for pay in (lambda: order_tickets(ticket, payer=None), lambda: order_tickets(ticket), lambda: go_to_bank(begun)):
        with pytest.raises(NotAllowed, match="Violations Under Review"):
            pay()
    [row] = [one for one in list_due(resident) if one.quote.kind == "ticket"]
    assert "Violations Under Review" in row.quote.lock_reason
    withdraw_appeal(appeal=appeal, person=resident)
    pay_tickets(ticket)
    assert reload(ticket).status == T.PAID


def put_in_collections(ticket: Ticket) -> Ticket:
    export = CollectionExport.objects.create(total=0)
    Ticket.objects.filter(pk=ticket.pk).update(status=T.COLLECTIONS, collection=export)
    return reload(ticket)


@pytest.mark.parametrize("payer", ["owner", None])
def test_in_collections_it_is_barred_where_the_provider_says_so(ticket, payer):
    ticket = put_in_collections(ticket)
    with pytest.raises(NotAllowed, match="sent to collections"):
        order_tickets(ticket, payer=payer)
    set_provider(bars_payment_in_collections=False)
    pay_tickets(ticket, payer=payer)
    assert reload(ticket).status == T.PAID


def test_in_collections_it_costs_no_more_each_day(ticket):
    assert cost_at(age(put_in_collections(ticket), 100)) == 35


@pytest.mark.parametrize("where", ["review", "collections"])
def test_a_booted_one_is_always_paid_at_once_and_never_promised(ticket, resident, where):
    offer_method(kind=MethodKind.PROMISE, code="cash")
    Ticket.objects.filter(pk=ticket.pk).update(booted_at=timezone.now())
    if where == "review":
        make_appeal(ticket)
    else:
        put_in_collections(ticket)
    order = order_tickets(ticket)
    with pytest.raises(NotAllowed, match="only be paid online"):
        promise_order(order=order, method_code="cash", actor=resident)
    finish_at_bank(go_to_bank(order))
    assert reload(ticket).status == T.PAID
    assert_right()


# Promised


@pytest.fixture
def promised(ticket, resident):
    offer_method(kind=MethodKind.PROMISE, code="cash", days_to_pay=10)
    return promise_order(order=order_tickets(ticket), method_code="cash", actor=resident)


@pytest.mark.parametrize("way", ["counter", "online"])
def test_a_promise_keeps_the_price(ticket, promised, clerk, way):
    age(ticket, 8)
    assert cost_at(reload(ticket)) == 35
    with pytest.raises(NotAllowed, match="You promised"):
        order_tickets(ticket, payer=None)
    if way == "counter":
        receive_promise(promise=promised, actor=clerk, amount=Decimal("25.00"), tender="cash", reference="R-1")
        finish_order(promised.order_id)
    else:
        promised.order.refresh_from_db()
        finish_at_bank(go_to_bank(promised.order))
    promised.refresh_from_db()
    assert promised.status == (PromiseStatus.RECEIVED if way == "counter" else PromiseStatus.PAID_OTHERWISE)
    assert (reload(ticket).status, back()) == (T.PAID, 0)
    assert_right()


def test_a_promise_that_is_not_kept_ends_with_its_price(ticket, promised, resident):
    age(ticket, 31)
    close_due_promise(promised.pk, now=promised.pay_by)
    assert due(resident) == {ticket.pk: 50}
    assert reload(ticket).status == T.OPEN
    assert_right()


def test_a_promised_ticket_that_is_cancelled_takes_no_money(ticket, promised, clerk):
    cancel_ticket(ticket=ticket, reason="Our mistake.", actor=clerk)
    receive_promise(promise=promised, actor=clerk, amount=Decimal("25.00"), tender="cash", reference="R-1")
    finish_order(promised.order_id)
    assert (reload(ticket).status, back()) == (T.CANCELLED, 25)
    assert_right()


# Its money goes back


def test_refunded_it_is_open_again_at_what_it_costs_by_now(ticket, clerk, resident):
    pay_tickets(ticket)
    age(ticket, 40)
    refund_line(line=OrderLine.objects.get(), actor=clerk)
    ticket = reload(ticket)
    assert (ticket.status, ticket.closed_at, due(resident)) == (T.OPEN, None, {ticket.pk: 50})
    assert ticket.next_step_on == local_date(), "its notice is due"
    pay_tickets(ticket)
    assert reload(ticket).status == T.PAID
    assert OrderLine.objects.filter(settled=True).count() == 1
    assert_right()


@pytest.mark.parametrize(("takes_back", "status"), [(True, T.OPEN), (False, T.PAID)])
def test_a_chargeback_opens_it_again_or_is_owed_as_a_debt(ticket, clerk, resident, takes_back, status):
    payment = pay_tickets(ticket)
    reverse_payment(payment=payment, reason=RefundReason.DISPUTED, actor=clerk, takes_back=takes_back)
    assert reload(ticket).status == status
    assert due(resident) == ({ticket.pk: 25} if takes_back else {})
    assert Debt.objects.exists() is not takes_back
    assert_right()


def test_a_part_that_goes_back_leaves_it_paid(ticket, clerk):
    pay_tickets(ticket)
    refund_line(line=OrderLine.objects.get(), actor=clerk, amount=Decimal("5.00"))
    assert reload(ticket).status == T.PAID
    cancel_ticket(ticket=ticket, reason="Our mistake.", actor=clerk)
    assert [refund.amount for refund in Refund.objects.order_by("pk")] == [5, 20]
    assert_right()


def test_proposed_and_then_cancelled_goes_back_once(ticket, clerk, administrator):
    set_provider(refund_second_person_above=Decimal("20.00"))
    pay_tickets(ticket)
    refund = refund_line(line=OrderLine.objects.get(), actor=clerk)
    assert (refund.status, reload(ticket).status) == (RefundStatus.PROPOSED, T.PAID)
    cancel_ticket(ticket=ticket, reason="Our mistake.", actor=clerk)
    approve_refund(refund=refund, actor=administrator)
    assert (reload(ticket).status, Refund.objects.count()) == (T.CANCELLED, 1)
    assert_right()


def test_a_proposal_that_is_withdrawn_changes_nothing(ticket, clerk):
    set_provider(refund_second_person_above=Decimal("20.00"))
    pay_tickets(ticket)
    refund = refund_line(line=OrderLine.objects.get(), actor=clerk)
    withdraw_refund(refund=refund, actor=clerk, note="No.")
    assert reload(ticket).status == T.PAID
    assert_right()


# From wages, on a company's account, and by methods for other things only


def test_from_wages(ticket, resident):
    stored = set_up(resident)
    pay_order(order=order_tickets(ticket), method_code=f"stored:{stored.code}", actor=resident)
    assert reload(ticket).status == T.PAID
    assert Deduction.objects.get().amount == 25
    assert_right()


def test_on_a_companys_account(ticket, resident):
    offer_accounts(product_kinds=["ticket"])
    company = make_company(resident)
    boss = give_company(company, make_user())
    open_account(company)
    payment = pay_for(resident, manager=boss, order=order_tickets(ticket))
    assert payment.status == PaymentStatus.APPROVED
    assert reload(ticket).status == T.PAID
    assert_right()


@pytest.mark.parametrize("kinds", [["permit"], ["ticket"], []])
def test_methods_for_some_kinds_only(ticket, resident, kinds):
    offer_method("demo-bank", product_kinds=kinds)
    order = order_tickets(ticket)
    if kinds == ["permit"]:
        with pytest.raises(NotAllowed, match="not offered"):
            go_to_bank(order)
    else:
        finish_at_bank(go_to_bank(order))
    assert reload(ticket).status == (T.OPEN if kinds == ["permit"] else T.PAID)


def test_a_hold_for_overdue_tickets_is_lifted_by_paying(resident, django_capture_on_commit_callbacks):
    from violations.services.overdue import refresh_hold

    set_provider(overdue_hold_above=Decimal("20.00"))
    ticket = make_ticket(resident, days_ago=40)
    refresh_hold(resident)
    hold = resident.holds.get()
    assert hold.amount == 50
    with django_capture_on_commit_callbacks(execute=True):
        pay_tickets(ticket, payer=None)
    hold.refresh_from_db()
    assert hold.lifted_at is not None
