"""What is done about a ticket as its days go by: notices once each, by e-mail or letter, the hold, and collections."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.holds import can_buy
from accounts.models import AccountHold, User
from accounts.services.holds import place_hold
from opscom.core.errors import NotAllowed
from opscom.messaging.models import Message
from opscom.provider.selectors import local_date
from payments.collection_files import ResultLine
from payments.models import COLLECTIONS, DeductionStatus, MethodKind, OrderLine
from payments.services.promising import close_due_promise, promise_order
from tests.factories.accounts import make_user
from tests.factories.merging import merge
from tests.factories.payments import offer_method
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
from violations import collecting
from violations.costing import cost_at
from violations.models import Association, CollectionExport, Notice, NoticeKind, NoticeWay, Ticket, TicketStatus
from violations.services import steps
from violations.services.appealing import withdraw_appeal
from violations.services.collecting import (
    judge_results,
    read_results,
    recall_ticket,
    send_to_collections,
    tickets_to_collect,
)
from violations.services.lowering import adjust_ticket, cancel_ticket
from violations.services.overdue import overdue_sum, refresh_hold, refresh_holds
from violations.services.steps import send_notice, take_next_step
from violations.tasks import take_steps

pytestmark = pytest.mark.django_db
K, T = NoticeKind, TicketStatus
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def bank():
    offer_method("demo-bank", is_for_guests=True)


@pytest.fixture
def ticket(resident) -> Ticket:
    return make_ticket(resident)


def told(ticket: Ticket) -> list[str]:
    return list(Notice.objects.filter(ticket=ticket).order_by("pk").values_list("kind", flat=True))


def mails(name: str) -> int:
    return Message.objects.filter(template=f"violations/ticket_{name}").count()


def live(ticket: Ticket, days: int) -> list[str]:
    """Let so many days go by, with the worker awake each day, and say what was told."""
    for _day in range(days):
        ticket = age_without_planning(ticket)
        take_steps()
    return told(ticket)


def age_without_planning(ticket: Ticket) -> Ticket:
    """Let a day go by as the clock does: what is planned comes a day nearer, and nothing is planned anew."""
    planned = reload(ticket).next_step_on
    age(ticket, 1)
    Ticket.objects.filter(pk=ticket.pk).update(next_step_on=planned and planned - DAY)
    return reload(ticket)


# Notices


def test_a_life_of_forty_days_has_three_notices_each_once(ticket):
    told_on = {day: live(ticket, 1) for day in range(1, 41)}
    assert [day for day in told_on if told_on[day] != told_on.get(day - 1, [K.NEW])] == [4, 31]
    assert told_on[40] == [K.NEW, K.DISCOUNT_ENDS, K.PAST_DUE]
    assert [mails(name) for name in ("new", "discount_ends", "past_due")] == [1, 1, 1]
    assert reload(ticket).next_step_on is None


@pytest.mark.parametrize(
    ("notice_days", "discount_days", "first"),
    [(3, 7, 4), (0, 7, 7), (7, 7, 1), (30, 7, 1), (3, 1, 1), (3, 0, None)],
)
def test_the_window_of_the_discounts_notice(resident, notice_days, discount_days, first):
    """On the last days of the discount, never on the ticket's own day, and not once it is over."""
    set_provider(discount_notice_days=notice_days)
    ticket = make_ticket(resident, offence=make_offence(discount_days=discount_days))
    days = [day for day in range(1, 12) if K.DISCOUNT_ENDS in live(ticket, 1)]
    assert (days[0] if days else None) == first


def test_a_worker_that_slept_tells_what_still_matters(resident):
    slept = [make_ticket(resident, days_ago=days) for days in (6, 9, 45)]
    take_steps()
    assert [told(one) for one in slept] == [[K.NEW, K.DISCOUNT_ENDS], [K.NEW], [K.NEW, K.PAST_DUE]]
    assert all((reload(one).next_step_on or local_date() + DAY) > local_date() for one in slept)


def test_without_a_discount_or_after_a_decision_no_discount_ends(resident, clerk):
    plain = make_ticket(resident, offence=make_offence(discount=0, discount_days=0))
    lowered = make_ticket(resident, offence=make_offence(is_adjustable=True))
    adjust_ticket(ticket=lowered, amount=Decimal(5), reason="Fallen sign.", actor=clerk)
    assert [live(one, 20) for one in (plain, lowered)] == [[K.NEW], [K.NEW]]


def test_a_letter_for_who_has_no_address_and_nothing_for_nobody():
    person = make_user(is_proved=False)
    User.objects.filter(pk=person.pk).update(email=None)
    ticket, nobodys = make_ticket(User.objects.get(pk=person.pk)), make_ticket()
    assert live(ticket, 35) == [K.NEW, K.DISCOUNT_ENDS, K.PAST_DUE]
    assert live(nobodys, 35) == []
    assert set(Notice.objects.values_list("way", flat=True)) == {NoticeWay.LETTER}
    assert not Message.objects.filter(template__startswith="violations/").exists()


def test_told_once_however_often_it_is_asked(ticket):
    assert send_notice(ticket, K.NEW) is None
    assert send_notice(ticket, K.PAST_DUE) is not None
    assert send_notice(ticket, K.PAST_DUE) is None
    assert (mails("new"), mails("past_due")) == (1, 1)


def test_a_warning_is_told_once_and_never_past_due(resident):
    assert live(make_ticket(resident, is_warning=True), 40) == [K.NEW]


@pytest.mark.parametrize("end", ["paid", "cancelled"])
def test_nothing_more_is_told_once_it_is_closed(ticket, clerk, end):
    if end == "paid":
        pay_tickets(ticket)
    else:
        cancel_ticket(ticket=ticket, reason="A mistake.", actor=clerk)
    assert live(ticket, 40) == [K.NEW]


def test_under_review_nothing_is_told_and_then_by_its_own_days(ticket, resident):
    live(ticket, 3)
    appeal = make_appeal(ticket)
    assert live(ticket, 60) == [K.NEW]
    withdraw_appeal(appeal=appeal, person=resident)
    assert live(ticket, 1) == [K.NEW, K.DISCOUNT_ENDS]
    assert live(ticket, 26) == [K.NEW, K.DISCOUNT_ENDS]
    assert live(ticket, 1) == [K.NEW, K.DISCOUNT_ENDS, K.PAST_DUE]


def test_promised_nothing_is_told_until_the_promise_ends(ticket, resident):
    offer_method(kind=MethodKind.PROMISE, code="cash", days_to_pay=60)
    live(ticket, 1)
    promise = promise_order(order=order_tickets(reload(ticket)), method_code="cash", actor=resident)
    assert live(ticket, 40) == [K.NEW]
    close_due_promise(promise.pk, now=promise.pay_by)
    assert live(ticket, 1) == [K.NEW, K.PAST_DUE]


def test_reopened_long_after_it_was_due_it_is_told(ticket, clerk):
    from payments.services.refunding import refund_line

    pay_tickets(ticket)
    live(ticket, 60)
    refund_line(line=OrderLine.objects.get(), actor=clerk)
    take_steps()
    assert told(ticket) == [K.NEW, K.PAST_DUE]
    assert reload(ticket).next_step_on is None


def test_one_that_fails_stops_nobody_behind_it(resident, monkeypatch):
    """Its mail cannot be written: the others are told, and it is tried again at the next run."""
    bad, good = make_ticket(resident, days_ago=50), make_ticket(resident, days_ago=40)
    whole = steps.send_due_notices

    def fails_for_one(ticket: Ticket, today: dt.date) -> None:
        if ticket.pk == bad.pk:
            raise RuntimeError("no words")
        whole(ticket, today)

    monkeypatch.setattr(steps, "send_due_notices", fails_for_one)
    take_steps()
    assert (told(bad), told(good)) == ([K.NEW], [K.NEW, K.PAST_DUE])
    assert reload(bad).next_step_on <= local_date()
    with pytest.raises(RuntimeError):
        take_next_step()
    monkeypatch.undo()
    take_steps()
    assert told(bad) == [K.NEW, K.PAST_DUE]


# The hold


def holds(person) -> list[Decimal]:
    return list(AccountHold.objects.filter(person=person, lifted_at=None).values_list("amount", flat=True))


@pytest.mark.parametrize(("limit", "is_held"), [(None, False), ("50.00", False), ("49.99", True), ("0.00", True)])
def test_a_hold_above_the_limit_only(resident, limit, is_held):
    set_provider(overdue_hold_above=limit and Decimal(limit))
    ticket = make_ticket(resident, days_ago=31)
    assert overdue_sum(resident) == 50
    refresh_hold(resident)
    refresh_hold(resident)
    assert holds(resident) == ([50] if is_held else [])
    assert can_buy(resident, timezone.now()).is_allowed is not is_held
    assert reload(ticket).status == T.OPEN


def test_what_is_not_overdue_reviewed_or_closed_is_not_asked_for(resident, clerk):
    set_provider(overdue_hold_above=Decimal(0))
    make_ticket(resident, days_ago=30)
    make_ticket(resident, days_ago=100, is_warning=True)
    reviewed = make_ticket(resident, days_ago=10)
    make_appeal(reviewed)
    age(reviewed, 100)
    cancel_ticket(ticket=make_ticket(resident, days_ago=100), reason="A mistake.", actor=clerk)
    assert overdue_sum(resident) == 0
    refresh_hold(resident)
    assert holds(resident) == []


def test_the_step_places_it_and_paying_lifts_it_at_once(resident, django_capture_on_commit_callbacks):
    set_provider(overdue_hold_above=Decimal(60))
    tickets = [make_ticket(resident, days_ago=31) for _number in range(2)]
    with django_capture_on_commit_callbacks(execute=True):
        take_steps()
    assert holds(resident) == [100]
    with django_capture_on_commit_callbacks(execute=True):
        pay_tickets(tickets[0])
    assert holds(resident) == [], "what is left is not above the limit"


@pytest.mark.parametrize("deed", ["adjust", "cancel"])
def test_lowering_changes_or_lifts_it_at_once(resident, clerk, deed, django_capture_on_commit_callbacks):
    set_provider(overdue_hold_above=Decimal(20))
    ticket = make_ticket(resident, offence=make_offence(is_adjustable=True), days_ago=31)
    refresh_hold(resident)
    with django_capture_on_commit_callbacks(execute=True):
        if deed == "adjust":
            adjust_ticket(ticket=ticket, amount=Decimal(30), reason="Half.", actor=clerk)
        else:
            cancel_ticket(ticket=ticket, reason="A mistake.", actor=clerk)
    assert holds(resident) == ([30] if deed == "adjust" else [])


def test_the_beat_brings_right_what_a_killed_process_left(resident, other_resident):
    set_provider(overdue_hold_above=Decimal(20))
    make_ticket(resident, days_ago=31)
    place_hold(
        person=other_resident, reason="x", amount=Decimal(9), source="overdue-tickets", object_id=other_resident.pk
    )
    by_hand = place_hold(person=other_resident, reason="A bounced cheque")
    assert refresh_holds() == 2
    assert holds(resident) == [50]
    by_hand.refresh_from_db()
    assert (holds(other_resident), by_hand.lifted_at) == ([None], None), "the office's own hold stays"
    set_provider(overdue_hold_above=None)
    refresh_holds()
    assert holds(resident) == []


# Two accounts become one


def test_merged_the_hold_is_one_and_goes_when_it_is_paid(clerk, administrator, django_capture_on_commit_callbacks):
    set_provider(overdue_hold_above=Decimal(20))
    keeper, loser = make_user(), make_user()
    tickets = [make_ticket(person, days_ago=31) for person in (keeper, loser)]
    for person in (keeper, loser):
        refresh_hold(person)
    with django_capture_on_commit_callbacks(execute=True):
        merge(keeper, loser, administrator)
    assert holds(keeper) == [100]
    assert {reload(one).person for one in tickets} == {keeper}
    for one in tickets:
        with django_capture_on_commit_callbacks(execute=True):
            pay_tickets(reload(one))
    assert holds(keeper) == []


def test_merged_the_link_that_an_appeal_holds_stays(administrator):
    keeper, loser, ticket = make_user(), make_user(), make_ticket()
    link(ticket, keeper)
    link(ticket, loser)
    make_appeal(ticket, loser)
    merge(keeper, loser, administrator)
    assert [(one.person, one.ends_at) for one in Association.objects.all()] == [(keeper, None)]


# Collections


def lines(*rows: tuple[Ticket, str]) -> list[ResultLine]:
    words = {"paid": DeductionStatus.TAKEN, "refused": DeductionStatus.REFUSED}
    return [ResultLine(n, one.number, words[word], word, None, "") for n, (one, word) in enumerate(rows, start=2)]


@pytest.mark.parametrize(("days", "is_sent"), [(60, False), (61, True)])
def test_the_edge_of_the_days_overdue(resident, days, is_sent):
    ticket = make_ticket(resident, days_ago=days)
    assert (ticket in tickets_to_collect(overdue_days=30)) is is_sent


def test_what_is_reviewed_promised_booted_paid_or_a_warning_is_not_sent(resident, clerk):
    offer_method(kind=MethodKind.PROMISE, code="cash", days_to_pay=60)
    reviewed = make_ticket(resident, days_ago=10)
    make_appeal(reviewed)
    age(reviewed, 100)
    promised = make_ticket(resident, days_ago=100)
    promise_order(order=order_tickets(promised), method_code="cash", actor=resident)
    booted = make_ticket(resident, days_ago=100)
    Ticket.objects.filter(pk=booted.pk).update(booted_at=timezone.now())
    make_ticket(resident, days_ago=100, is_warning=True)
    pay_tickets(make_ticket(resident, days_ago=100))
    with pytest.raises(NotAllowed, match="No ticket"):
        send_to_collections(overdue_days=30, actor=clerk)
    assert not CollectionExport.objects.exists()


def test_sent_once_at_a_sum_that_rises_no_more_and_never_a_second_time(resident, clerk):
    offence = make_offence(late_fees=[(30, "15.00"), (200, "99.00")])
    ticket = make_ticket(resident, offence=offence, days_ago=100)
    export = send_to_collections(overdue_days=30, actor=clerk)
    assert (export.total, export.rows) == (50, [{"ticket": ticket.number, "amount": "50.00"}])
    ticket = age(ticket, 200)
    assert (cost_at(ticket), ticket.next_step_on) == (50, None)
    recall_ticket(ticket=ticket, actor=clerk, reason="A mistake.")
    with pytest.raises(NotAllowed, match="not in collections"):
        recall_ticket(ticket=ticket, actor=clerk, reason="Again.")
    assert (reload(ticket).status, cost_at(reload(ticket))) == (T.OPEN, 50)
    with pytest.raises(NotAllowed, match="No ticket"):
        send_to_collections(overdue_days=30, actor=clerk)


def test_the_file_names_person_and_number_and_holds_no_formula(resident, clerk):
    User.objects.filter(pk=resident.pk).update(student_number="S-77", employee_number="=1+1")
    make_ticket(User.objects.get(pk=resident.pk), days_ago=100)
    make_ticket(vin="1HGCM82633A004352", region="", days_ago=100)
    export = send_to_collections(overdue_days=30, actor=clerk)
    text = collecting.write_file(export)
    assert text == collecting.write_file(export)
    header, first, second = text.splitlines()
    assert header.split(",") == collecting.HEADERS
    assert "S-77" in first
    assert ",=1+1" not in first
    assert "1HGCM82633A004352" in second


def test_results_count_once_and_what_is_wrong_is_named(resident, clerk):
    paid, refused = make_ticket(resident, days_ago=100), make_ticket(resident, days_ago=100)
    stranger = make_ticket(resident)
    export = send_to_collections(overdue_days=30, actor=clerk)
    rows = lines((paid, "paid"), (refused, "refused"), (stranger, "paid"), (paid, "paid"))
    judged = judge_results(export, rows)
    assert not OrderLine.objects.exists(), "looking changes nothing"
    done = read_results(export=export, lines=rows, actor=clerk)
    assert [number for number, _words in done.problems] == [number for number, _words in judged.problems] == [4, 5]
    assert [reload(one).status for one in (paid, refused, stranger)] == [T.PAID, T.COLLECTIONS, T.OPEN]
    line = OrderLine.objects.get()
    assert (line.order.payments.get().gateway, line.kept) == (COLLECTIONS, 50)
    again = read_results(export=export, lines=rows[:1], actor=clerk)
    assert (again.known, again.paid) == (1, [])
    assert OrderLine.objects.count() == 1


def test_another_sum_than_it_costs_is_left_to_the_office(resident, clerk):
    ticket = make_ticket(resident, days_ago=100)
    export = send_to_collections(overdue_days=30, actor=clerk)
    row = ResultLine(2, ticket.number, DeductionStatus.TAKEN, "paid", Decimal("49.99"), "")
    done = read_results(export=export, lines=[row], actor=clerk)
    assert "49.99" in done.problems[0][1]
    assert reload(ticket).status == T.COLLECTIONS
