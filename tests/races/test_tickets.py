"""Tickets under several hands at once, and under deeds that die: nothing is lost, doubled, or given back twice."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from django.utils import timezone

from accounts.models import AccountHold, User
from accounts.roles import CLERK
from opscom.core.errors import DomainError
from opscom.messaging.models import Message
from payments.collection_files import ResultLine
from payments.models import DeductionStatus, LineStatus, OrderLine, Payment, Refund, RefundStatus
from payments.services.attempts import start_payment
from payments.services.confirming import check_payment, confirm_payment
from payments.tasks import send_refunds
from tests.factories.accounts import make_user
from tests.factories.payments import go_to_bank, offer_method, pay_at_bank
from tests.factories.vehicles import set_provider
from tests.factories.violations import (
    age,
    link,
    make_appeal,
    make_offence,
    make_ticket,
    order_tickets,
    pay_tickets,
    reload,
)
from tests.races.crashes import at_each_write
from tests.races.together import assert_books_and_numbers_are_right, let_hours_pass, together
from violations.models import Appeal, AppealStatus, CollectionExport, Notice, NoticeKind, Ticket, TicketStatus
from violations.services.appealing import submit_appeal, withdraw_appeal
from violations.services.collecting import read_results, send_to_collections
from violations.services.deciding import decide_appeal
from violations.services.lowering import adjust_ticket, cancel_ticket, spoil_ticket
from violations.services.overdue import refresh_hold
from violations.services.steps import take_next_step
from violations.tasks import take_steps

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
A, T = AppealStatus, TicketStatus
ROUNDS = range(4)


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_method("demo-bank", is_for_guests=True)


@pytest.fixture
def clerk() -> User:
    return make_user(role=CLERK)


def new_ticket(days_ago: int = 0) -> Ticket:
    return make_ticket(make_user(), offence=make_offence(is_adjustable=True), days_ago=days_ago)


def at_bank(ticket: Ticket, payer: User | str | None = "owner") -> Payment:
    """Return a payment whose payer has paid at the bank; nothing is told to us yet."""
    payment = go_to_bank(order_tickets(ticket, payer=payer))
    pay_at_bank(payment)
    return payment


def appeal(ticket: Ticket) -> Appeal:
    return submit_appeal(ticket=ticket, person=ticket.person, reason="The sign.", language="en")


def decide(one: Appeal, decision: str, actor: User, amount: str | None = None) -> None:
    given = Decimal(amount) if amount else None
    decide_appeal(appeal=one, decision=A(decision), response="So.", actor=actor, amount=given)


def given_back() -> Decimal:
    """Return what has gone back in all, after everything that was under way has ended."""
    let_hours_pass()
    send_refunds()
    assert not Refund.objects.exclude(status=RefundStatus.SUCCEEDED).exists()
    assert_books_and_numbers_are_right()
    return sum((refund.amount for refund in Refund.objects.all()), Decimal(0))


def refusals(results: list) -> int:
    return sum(isinstance(result, DomainError) for result in results)


# Two hands


def test_pay_and_appeal_in_the_same_moment() -> None:
    """Both stand, or the appeal came after the money and was refused; the money is never lost."""
    for _round in ROUNDS:
        ticket = new_ticket()
        payment = at_bank(ticket)
        together([partial(confirm_payment, payment), partial(appeal, ticket)])
        let_hours_pass()
        assert reload(ticket).status == T.PAID
        assert_books_and_numbers_are_right()


def test_begin_to_pay_and_appeal_in_the_same_moment() -> None:
    for _round in ROUNDS:
        ticket = new_ticket()
        order = order_tickets(ticket)
        paid, appealed = together(
            [partial(start_payment, order=order, method_code="demo-bank"), partial(appeal, ticket)]
        )
        assert isinstance(appealed, Appeal)
        assert isinstance(paid, DomainError) is not order.payments.exists()
        with pytest.raises(DomainError):
            start_payment(order=order, method_code="demo-bank")


def test_two_appeals_of_one_ticket() -> None:
    for _round in ROUNDS:
        ticket, other = new_ticket(), make_user()
        link(ticket, other)
        deeds = [
            partial(submit_appeal, ticket=ticket, person=person, reason="Why.", language="en")
            for person in (ticket.person, ticket.person, other)
        ]
        assert refusals(together(deeds)) == 2
        assert reload(ticket).appeals.count() == 1
        assert_books_and_numbers_are_right()


def test_decide_and_withdraw_in_the_same_moment(clerk) -> None:
    for _round in ROUNDS:
        ticket = new_ticket()
        one = appeal(ticket)
        deeds = [partial(decide, one, "cancelled", clerk), partial(withdraw_appeal, appeal=one, person=ticket.person)]
        assert refusals(together(deeds)) == 1
        one.refresh_from_db()
        assert reload(ticket).status == (T.CANCELLED if one.status == A.CANCELLED else T.OPEN)
        assert (
            Message.objects.filter(dedupe_key__in=[f"appeal-decided:{one.pk}", f"appeal-withdrawn:{one.pk}"]).count()
            == 1
        )
        assert_books_and_numbers_are_right()


def test_two_decisions_about_a_paid_ticket_give_back_once(clerk) -> None:
    other = make_user(role=CLERK)
    for _round in ROUNDS:
        ticket = new_ticket()
        payment, one = at_bank(ticket), appeal(ticket)
        confirm_payment(payment)
        before = given_back()
        deeds = [partial(decide, one, "cancelled", clerk), partial(decide, one, "reduced", other, "10.00")]
        assert refusals(together(deeds)) == 1
        one.refresh_from_db()
        assert given_back() - before == (25 if one.status == A.CANCELLED else 15)


def test_owner_and_guest_pay_one_ticket() -> None:
    for _round in ROUNDS:
        ticket, before = new_ticket(), given_back()
        payments = [at_bank(ticket), at_bank(ticket, payer=None), at_bank(ticket, payer=None)]
        together([partial(confirm_payment, payment) for payment in payments])
        assert given_back() - before == 50
        assert reload(ticket).status == T.PAID


@pytest.mark.parametrize("name", ["cancel", "spoil", "adjust"])
def test_lowered_while_the_money_arrives(clerk, name) -> None:
    deed = {
        "cancel": partial(cancel_ticket, reason="A mistake.", actor=clerk),
        "spoil": partial(spoil_ticket, reason="A mistake.", actor=clerk),
        "adjust": partial(adjust_ticket, reason="A mistake.", actor=clerk, amount=Decimal(10)),
    }[name]
    for _round in ROUNDS:
        ticket, before = new_ticket(), given_back()
        payment = at_bank(ticket)
        together([partial(confirm_payment, payment), partial(deed, ticket=ticket)])
        back = given_back() - before
        ticket = reload(ticket)
        if ticket.status == T.PAID:
            assert back == (15 if ticket.set_amount else 0)
        else:
            assert (back, ticket.closing_reason) == (25, "A mistake.")


def test_decided_while_the_money_arrives(clerk) -> None:
    for _round in ROUNDS:
        ticket, before = new_ticket(), given_back()
        payment, one = at_bank(ticket), appeal(ticket)
        together([partial(confirm_payment, payment), partial(decide, one, "cancelled", clerk)])
        one.refresh_from_db()
        back = given_back() - before
        assert back == (25 if one.status == A.CANCELLED else 0)
        assert reload(ticket).status == (T.CANCELLED if one.status == A.CANCELLED else T.PAID)


def test_notices_are_sent_once_by_several_workers() -> None:
    tickets = [new_ticket(days_ago=31) for _number in range(4)]
    together([take_steps] * 4)
    together([take_next_step] * 4)
    for ticket in tickets:
        assert Notice.objects.filter(ticket=ticket, kind=NoticeKind.PAST_DUE).count() == 1
        assert Message.objects.filter(dedupe_key=f"ticket-past_due:{ticket.pk}").count() == 1
    assert_books_and_numbers_are_right()


def test_a_step_while_its_ticket_is_appealed_or_paid() -> None:
    for _round in ROUNDS:
        appealed, paid = new_ticket(days_ago=5), new_ticket(days_ago=31)
        payment = at_bank(paid)
        together([partial(appeal, appealed), partial(confirm_payment, payment), take_steps, take_steps])
        let_hours_pass(1)
        assert (reload(appealed).next_step_on, reload(paid).next_step_on) == (None, None)
        assert_books_and_numbers_are_right()


def test_two_sends_to_collections_at_once(clerk) -> None:
    tickets = [new_ticket(days_ago=100) for _number in range(3)]
    # The one that was issued first is not the one that was written first: locks go by row.
    age(tickets[2], 5)
    together([partial(send_to_collections, overdue_days=30, actor=clerk)] * 3)
    assert CollectionExport.objects.count() == 1
    assert len(CollectionExport.objects.get().rows) == 3
    assert_books_and_numbers_are_right()


def test_sent_to_collections_while_it_is_paid_or_cancelled(clerk) -> None:
    for _round in ROUNDS:
        paid, cancelled, third = [new_ticket(days_ago=100) for _number in range(3)]
        payment = at_bank(paid)
        together(
            [
                partial(confirm_payment, payment),
                partial(cancel_ticket, ticket=cancelled, reason="A mistake.", actor=clerk),
                partial(send_to_collections, overdue_days=30, actor=clerk),
            ]
        )
        let_hours_pass()
        assert [reload(one).status for one in (paid, cancelled)] == [T.PAID, T.CANCELLED]
        assert reload(third).status == T.COLLECTIONS
        assert_books_and_numbers_are_right()


def result_lines(*tickets: Ticket) -> list[ResultLine]:
    return [
        ResultLine(
            number=number, reference=one.number, status=DeductionStatus.TAKEN, amount=None, reason="", word="paid"
        )
        for number, one in enumerate(tickets, start=2)
    ]


def test_results_of_the_agency_read_by_four_hands(clerk) -> None:
    tickets = [new_ticket(days_ago=100) for _number in range(2)]
    export = send_to_collections(overdue_days=30, actor=clerk)
    together([partial(read_results, export=export, lines=result_lines(*tickets), actor=clerk)] * 4)
    assert [reload(one).status for one in tickets] == [T.PAID, T.PAID]
    assert OrderLine.objects.filter(settled=True).count() == 2
    assert given_back() == 0


def test_the_hold_of_several_workers_is_one() -> None:
    set_provider(overdue_hold_above=Decimal("20.00"))
    ticket = new_ticket(days_ago=40)
    together([partial(refresh_hold, ticket.person)] * 4)
    assert AccountHold.objects.filter(lifted_at=None).count() == 1
    payment = at_bank(ticket)
    together([partial(confirm_payment, payment), partial(refresh_hold, ticket.person)])
    let_hours_pass(1)
    assert not AccountHold.objects.filter(lifted_at=None).exists()


# Deeds that die


def test_dies_while_the_money_counts() -> None:
    ticket: Ticket

    def make() -> Callable[[], object]:
        nonlocal ticket
        ticket = new_ticket()
        payment = at_bank(ticket)
        Payment.objects.filter(pk=payment.pk).update(next_check_at=timezone.now())
        return lambda: check_payment(payment.pk)

    def check() -> None:
        assert reload(ticket).status == T.PAID
        assert OrderLine.objects.get(object_id=ticket.pk).status == LineStatus.FULFILLED

    at_each_write(make, check)


@pytest.mark.parametrize("decision", ["cancelled", "reduced"])
def test_dies_while_a_paid_ticket_is_decided(clerk, decision) -> None:
    """Decided with its refund, or not at all."""
    one: Appeal

    def make() -> Callable[[], object]:
        nonlocal one
        ticket = new_ticket()
        payment, one = at_bank(ticket), appeal(ticket)
        confirm_payment(payment)
        return lambda: decide(one, decision, clerk, "10.00" if decision == "reduced" else None)

    def check() -> None:
        one.refresh_from_db()
        is_decided = one.status == decision
        refunds = Refund.objects.filter(line__object_id=one.ticket_id)
        assert refunds.count() == is_decided == Message.objects.filter(dedupe_key=f"appeal-decided:{one.pk}").count()
        is_cancelled = is_decided and decision == "cancelled"
        assert Ticket.objects.get(pk=one.ticket_id).status == (T.CANCELLED if is_cancelled else T.PAID)

    at_each_write(make, check)


@pytest.mark.parametrize("is_linked", [False, True])
def test_dies_while_an_appeal_is_sent(is_linked) -> None:
    ticket: Ticket

    def make() -> Callable[[], object]:
        nonlocal ticket
        ticket = new_ticket()
        who = make_user() if is_linked else ticket.person
        if is_linked:
            link(ticket, who)
        return lambda: make_appeal(ticket, who)

    def check() -> None:
        appeals = list(Appeal.objects.filter(ticket=ticket))
        keys = [f"appeal-received:{one.pk}" for one in appeals]
        assert len(appeals) <= 1
        assert Message.objects.filter(dedupe_key__in=keys).count() == len(appeals)

    at_each_write(make, check)


def test_dies_while_tickets_are_sent_to_collections(clerk) -> None:
    ticket: Ticket

    def make() -> Callable[[], object]:
        nonlocal ticket
        Ticket.objects.filter(status=T.OPEN).update(booted_at=timezone.now())
        ticket = new_ticket(days_ago=100)
        return lambda: send_to_collections(overdue_days=30, actor=clerk)

    def check() -> None:
        fresh = reload(ticket)
        assert (fresh.status == T.COLLECTIONS) is (fresh.collection is not None)

    at_each_write(make, check)


def test_dies_while_results_of_the_agency_are_read(clerk) -> None:
    ticket: Ticket
    export: CollectionExport

    def make() -> Callable[[], object]:
        nonlocal ticket, export
        ticket = new_ticket(days_ago=100)
        export = send_to_collections(overdue_days=30, actor=clerk)
        return partial(read_results, export=export, lines=result_lines(ticket), actor=clerk)

    def check() -> None:
        read_results(export=export, lines=result_lines(ticket), actor=clerk)
        let_hours_pass(1)
        assert reload(ticket).status == T.PAID
        assert OrderLine.objects.filter(object_id=ticket.pk, kind="ticket").count() == 1

    at_each_write(make, check)


def test_dies_while_a_notice_is_sent() -> None:
    ticket: Ticket

    def make() -> Callable[[], object]:
        nonlocal ticket
        set_provider(overdue_hold_above=Decimal("20.00"))
        ticket = new_ticket(days_ago=31)
        return take_next_step

    def check() -> None:
        assert Message.objects.filter(dedupe_key=f"ticket-past_due:{ticket.pk}").count() == 1
        assert AccountHold.objects.filter(person=ticket.person, lifted_at=None).count() == 1

    at_each_write(make, check)


def test_dies_while_a_ticket_is_cancelled_and_paid_for(clerk) -> None:
    ticket: Ticket

    def make() -> Callable[[], object]:
        nonlocal ticket
        ticket = new_ticket()
        pay_tickets(ticket)
        return lambda: cancel_ticket(ticket=ticket, reason="A mistake.", actor=clerk)

    def check() -> None:
        is_cancelled = reload(ticket).status == T.CANCELLED
        refunds = Refund.objects.filter(line__object_id=ticket.pk, status=RefundStatus.SUCCEEDED)
        assert refunds.count() == is_cancelled

    at_each_write(make, check)
