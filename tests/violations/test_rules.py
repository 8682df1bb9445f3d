"""Who may appeal a ticket, when it is locked in the cart, and when it is overdue: tables, to the last second of each day."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.selectors import NOT_PROVED
from tests.factories.vehicles import set_provider
from tests.factories.violations import age, make_appeal, make_offence, make_ticket, reload
from violations.costing import cost_at, deadlines_of, due_at, is_overdue
from violations.models import AppealStatus, CollectionExport, Ticket, TicketStatus
from violations.rules import (
    CLOSED,
    DECIDED,
    LATE,
    OFF,
    OVERDUE,
    UNDER_REVIEW,
    can_appeal,
    can_be_appealed,
    explain_closed,
    payment_lock,
)
from violations.services.appealing import withdraw_appeal
from violations.services.deciding import ask_appellant, decide_appeal

pytestmark = pytest.mark.django_db
TORONTO = ZoneInfo("America/Toronto")


@pytest.fixture(autouse=True)
def at_toronto():
    set_provider(time_zone="America/Toronto")


def issued(at: dt.datetime, **fields) -> Ticket:
    """Return a ticket issued at that instant."""
    ticket = make_ticket(offence=make_offence(**fields))
    Ticket.objects.filter(pk=ticket.pk).update(occurred_at=at, issued_at=at)
    return reload(ticket)


def toronto(month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, second, tzinfo=TORONTO)


def code(ticket: Ticket, at: dt.datetime | None = None) -> str:
    """Return why it cannot be appealed; empty when it can."""
    decision = can_be_appealed(ticket, at)
    return "" if decision.is_allowed else decision.code


def put(ticket: Ticket, status: str) -> Ticket:
    """Put the ticket where it stands by other tests' deeds."""
    changes: dict = {"status": status}
    if status in ("paid", "cancelled", "spoiled"):
        changes |= {"closed_at": timezone.now(), "closing_reason": "Why not."}
    if status == "collections":
        changes["collection"] = CollectionExport.objects.create(total=0)
    Ticket.objects.filter(pk=ticket.pk).update(**changes)
    return reload(ticket)


# The last second of each day, at the provider's place


# Clocks go forward on 8 March 2026 and back on 1 November: days are of 23 and 25 hours there.
SPRING = toronto(3, 1, 23, 30)
AUTUMN = toronto(10, 25, 0, 10)


@pytest.mark.parametrize(
    ("issued_at", "on_last", "after"),
    [
        (SPRING, toronto(3, 11, 23, 59, 59), toronto(3, 12)),
        (AUTUMN, toronto(11, 4, 23, 59, 59), toronto(11, 5)),
        # A ticket of the last minute of a day by the clock of Greenwich, in the evening of the same day there.
        (toronto(6, 1, 20, 30), toronto(6, 11, 23, 59, 59), toronto(6, 12)),
    ],
)
def test_ten_days_to_appeal_and_to_a_discount_end_at_the_places_midnight(issued_at, on_last, after):
    ticket = issued(issued_at, appeal_days=10, discount_days=10)
    assert [code(ticket, at) for at in (issued_at, on_last, after)] == ["", "", LATE]
    assert deadlines_of(ticket).appeal_ends_at == after
    assert [cost_at(ticket, at) for at in (on_last, after)] == [25, 35]


@pytest.mark.parametrize(("issued_at", "last"), [(SPRING, toronto(3, 31)), (AUTUMN, toronto(11, 24))])
def test_thirty_days_to_pay_end_at_the_places_midnight(issued_at, last):
    ticket = issued(issued_at, appeal_days=60)
    on_last, after = last.replace(hour=23, minute=59, second=59), last + dt.timedelta(days=1)
    assert [is_overdue(ticket, at) for at in (issued_at, on_last, after)] == [False, False, True]
    assert [cost_at(ticket, at) for at in (on_last, after)] == [35, 50]
    # However many days there are to appeal: once it is overdue, it is too late.
    assert [code(ticket, at) for at in (on_last, after)] == ["", OVERDUE]
    assert deadlines_of(ticket).appeal == deadlines_of(ticket).due == last.date()


def test_the_refusal_says_until_when_and_whom_to_ask():
    set_provider(time_zone="America/Toronto", name="Harbour Parking", phone="613-555-0100")
    ticket = issued(SPRING, appeal_days=10)
    late = can_be_appealed(ticket, toronto(3, 20))
    assert late.until == toronto(3, 12)
    assert "until March 11, 2026" in late.reason
    assert "613-555-0100" in late.reason
    overdue = can_be_appealed(ticket, toronto(4, 20))
    assert "overdue since the end of March 31, 2026" in overdue.reason


# Every other refusal


def test_who_has_not_proved_their_address_appeals_nothing(unproved_resident):
    ticket = make_ticket(unproved_resident)
    assert can_appeal(ticket, unproved_resident).code == NOT_PROVED
    assert code(ticket) == ""


def test_where_appeals_are_not_taken():
    ticket = make_ticket()
    set_provider(is_appeals_on=False)
    assert code(ticket) == OFF


@pytest.mark.parametrize("status", ["paid", "cancelled", "spoiled", "collections"])
def test_closed(status):
    ticket = put(make_ticket(), status)
    assert code(ticket) == CLOSED
    assert can_be_appealed(ticket).reason == explain_closed(ticket) != ""


def test_under_review_asked_and_withdrawn(resident, clerk):
    ticket = make_ticket(resident)
    appeal = make_appeal(ticket)
    assert code(reload(ticket)) == UNDER_REVIEW
    ask_appellant(appeal=appeal, text="Which sign?", actor=clerk)
    assert code(reload(ticket)) == UNDER_REVIEW
    withdraw_appeal(appeal=appeal, person=resident)
    decision = can_be_appealed(reload(ticket))
    assert decision.code == DECIDED
    assert "withdrawn" in decision.reason


def test_decided(resident, clerk):
    ticket = make_ticket(resident)
    decide_appeal(appeal=make_appeal(ticket), decision=AppealStatus.UPHELD, response="No.", actor=clerk)
    decision = can_be_appealed(reload(ticket))
    assert decision.code == DECIDED
    assert "was decided on" in decision.reason


def test_a_warning_can_be_appealed_and_is_never_overdue(resident):
    ticket = make_ticket(resident, is_warning=True)
    assert code(ticket) == ""
    ticket = age(ticket, 16)
    assert code(ticket) == LATE
    ticket = age(ticket, 100)
    assert code(ticket) == LATE
    assert not is_overdue(ticket)
    assert due_at(ticket) == 0


@pytest.mark.parametrize("status", ["paid", "cancelled", "spoiled"])
def test_what_is_closed_is_never_overdue_and_costs_nothing_more(status):
    ticket = put(make_ticket(days_ago=100), status)
    assert not is_overdue(ticket)
    assert due_at(ticket) == 0
    assert cost_at(ticket) == 50


def test_in_collections_it_is_overdue_all_the_same():
    ticket = put(make_ticket(days_ago=100), "collections")
    assert is_overdue(ticket)


def test_under_review_it_does_not_become_overdue(resident):
    ticket = make_ticket(resident, days_ago=10)
    make_appeal(ticket)
    ticket = age(ticket, 100)
    assert not is_overdue(ticket)
    assert cost_at(ticket) == 35
    withdraw_appeal(appeal=ticket.appeals.get(), person=resident)
    ticket = reload(ticket)
    assert cost_at(ticket) == 35
    assert not is_overdue(ticket)
    assert [cost_at(age(ticket, days)) for days in (20, 1)] == [35, 50]
    assert is_overdue(reload(ticket))


# The cart


@pytest.mark.parametrize(
    ("status", "is_reviewed", "is_booted", "bars", "is_locked"),
    [
        ("open", False, False, True, False),
        ("open", True, False, True, True),
        ("open", True, True, True, False),
        ("collections", False, False, True, True),
        ("collections", False, False, False, False),
        ("collections", False, True, True, False),
        ("open", False, True, True, False),
    ],
)
def test_payment_lock(resident, status, is_reviewed, is_booted, bars, is_locked):
    set_provider(bars_payment_in_collections=bars)
    ticket = make_ticket(resident)
    if is_reviewed:
        make_appeal(ticket)
    if is_booted:
        Ticket.objects.filter(pk=ticket.pk).update(booted_at=timezone.now())
    if status != TicketStatus.OPEN:
        put(ticket, status)
    words = payment_lock(reload(ticket))
    assert bool(words) is is_locked
    if is_reviewed and is_locked:
        assert "Violations Under Review" in words


def test_a_closed_appeal_locks_nothing(resident):
    ticket = make_ticket(resident)
    withdraw_appeal(appeal=make_appeal(ticket), person=resident)
    assert payment_lock(reload(ticket)) == ""
