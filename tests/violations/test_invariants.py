"""`check_invariants` names each wrong state of tickets that the database lets in, and is silent about every right one."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from office.proving import find_problems
from opscom.provider.selectors import local_date
from payments.models import LineStatus, OrderLine, Refund, RefundReason
from payments.services.refunding import refund_line, withdraw_refund
from payments.services.reversals import reverse_payment
from tests.factories.accounts import make_user
from tests.factories.payments import offer_method
from tests.factories.vehicles import set_provider
from tests.factories.violations import age, link, make_appeal, make_ticket, pay_tickets, reload
from violations.invariants import check_tickets
from violations.models import Appeal, Association, CollectionExport, Ticket, TicketStatus
from violations.services.appealing import withdraw_appeal
from violations.services.collecting import recall_ticket, send_to_collections
from violations.services.deciding import decide_appeal
from violations.services.lowering import cancel_ticket, spoil_ticket

pytestmark = pytest.mark.django_db
T = TicketStatus
TODAY = local_date
DAY = dt.timedelta(days=1)


@pytest.fixture
def history(clerk) -> dict[str, int]:
    """One of each: open, a warning, paid, refunded, reversed, cancelled after it was paid, void, reviewed, decided, collected."""
    offer_method("demo-bank", is_for_guests=True)
    names = ["open", "paid", "refunded", "reversed", "cancelled", "void", "reviewed", "reduced", "granted", "withdrawn"]
    tickets = {name: make_ticket(make_user()) for name in names}
    tickets["warning"] = make_ticket(make_user(), is_warning=True)
    for name in ("paid", "refunded", "reversed", "cancelled"):
        payment = pay_tickets(tickets[name])
        line = payment.order.lines.get()
        if name == "refunded":
            refund_line(line=line, actor=clerk)
        elif name == "reversed":
            reverse_payment(payment=payment, reason=RefundReason.DISPUTED, actor=clerk, takes_back=False)
        elif name == "cancelled":
            cancel_ticket(ticket=tickets[name], reason="A mistake.", actor=clerk)
    spoil_ticket(ticket=tickets["void"], reason="A mistake.", actor=clerk)
    driver = make_user()
    for name in ("reviewed", "reduced", "granted", "withdrawn"):
        link(tickets[name], driver)
        appeal = make_appeal(tickets[name], driver)
        if name == "withdrawn":
            withdraw_appeal(appeal=appeal, person=driver)
        elif name != "reviewed":
            decision = {"reduced": "reduced", "granted": "cancelled"}[name]
            amount = Decimal(10) if name == "reduced" else None
            decide_appeal(
                appeal=appeal,
                decision=decision,
                response="So.",
                actor=clerk,
                amount=amount,
                keep_link=name == "reduced",
            )
    for name in ("collected", "recalled"):
        tickets[name] = make_ticket(make_user(), days_ago=100)
        Ticket.objects.filter(pk=tickets[name].pk).update(next_step_on=None)
        send_to_collections(overdue_days=30, actor=clerk)
    recall_ticket(ticket=tickets["recalled"], actor=clerk, reason="A mistake.")
    return {name: ticket.pk for name, ticket in tickets.items()}


def test_all_that_is_right_is_right(history):
    assert find_problems() == []


def test_above_the_limit_a_refund_that_waits_is_right_and_one_that_is_withdrawn_is_named(clerk, resident):
    offer_method("demo-bank")
    set_provider(refund_second_person_above=Decimal(20))
    ticket = make_ticket(resident)
    pay_tickets(ticket)
    cancel_ticket(ticket=ticket, reason="A mistake.", actor=clerk)
    assert find_problems() == []
    withdraw_refund(refund=Refund.objects.get(), actor=clerk, note="No.")
    [found] = find_problems()
    assert "25.00 paid for it do not go back" in found


def row(h: dict[str, int], name: str):
    return Ticket.objects.filter(pk=h[name])


def line(h: dict[str, int], name: str):
    return OrderLine.objects.filter(kind="ticket", object_id=h[name])


def appeal(h: dict[str, int], name: str):
    return Appeal.objects.filter(ticket=h[name])


CLOSED = {"closed_at": timezone.now(), "closing_reason": "x", "next_step_on": None}
# What is planted, and a word of the sentence that must name it.
WRONG: dict[str, tuple[Callable[[dict[str, int]], object], str]] = {
    "paid for nothing": (lambda h: row(h, "open").update(status=T.PAID, **CLOSED), "nobody paid for it"),
    "paid and its line given back": (
        lambda h: line(h, "paid").update(settled=False, status=LineStatus.REFUNDED),
        "nobody paid for it",
    ),
    "money in, ticket open": (
        lambda h: row(h, "paid").update(status=T.OPEN, closed_at=None),
        "was paid for, and is open",
    ),
    "money in, ticket void": (lambda h: row(h, "paid").update(status=T.SPOILED, closing_reason="x"), "and is spoiled"),
    "cancelled and money kept": (
        lambda h: row(h, "paid").update(status=T.CANCELLED, closing_reason="x"),
        "25.00 paid for it do not go back",
    ),
    "paid for no ticket": (lambda h: line(h, "paid").update(object_id=0), "a ticket that there is not"),
    "granted and still open": (
        lambda h: row(h, "granted").update(status=T.OPEN, closed_at=None, closing_reason=""),
        "was cancelled by an appeal, and is open",
    ),
    "reduced in words only": (lambda h: row(h, "reduced").update(set_amount=None, set_on_day=None), "its sum is not"),
    "void and still reviewed": (
        lambda h: row(h, "reviewed").update(status=T.SPOILED, **CLOSED),
        "an appeal of it still",
    ),
    "two reviews at once": (
        lambda h: (
            Appeal.objects.create(
                ticket_id=h["withdrawn"],
                appellant="x",
                reason="x",
                status="withdrawn",
                closed_at=timezone.now(),
                review_from=TODAY(),
                review_until=TODAY() + DAY,
                amount_before=1,
            )
            and appeal(h, "withdrawn").update(review_until=TODAY() + 2 * DAY)
        ),
        "two of its appeals",
    ),
    "reviewed before it was issued": (
        lambda h: appeal(h, "reviewed").update(review_from=TODAY() - 5 * DAY),
        "before it was issued",
    ),
    "link without an end": (
        lambda h: Association.objects.filter(ticket=h["withdrawn"]).update(ends_at=None),
        "no appeal of it waits",
    ),
    "link of nobody's appeal": (
        lambda h: Association.objects.filter(ticket=h["reduced"]).update(is_kept=False),
        "no appeal of it waits",
    ),
    "link that ends too early": (
        lambda h: Association.objects.filter(ticket=h["reviewed"]).update(ends_at=timezone.now()),
        "a link ends before",
    ),
    "step not taken": (lambda h: row(h, "open").update(next_step_on=TODAY() - 3 * DAY), "is not done"),
    "step of a paid one": (lambda h: row(h, "paid").update(next_step_on=TODAY()), "its days do not go by"),
    "step of a warning": (lambda h: row(h, "warning").update(next_step_on=TODAY()), "its days do not go by"),
    "step under review": (lambda h: row(h, "reviewed").update(next_step_on=TODAY()), "its days do not go by"),
    "no step planned": (lambda h: row(h, "open").update(next_step_on=None), "nobody will look at it on"),
    "file with another total": (
        lambda h: CollectionExport.objects.filter(tickets=h["collected"]).update(total=7),
        "total 7.00, its tickets 50.00",
    ),
    "file without its ticket": (
        lambda h: row(h, "collected").update(collection=row(h, "recalled").get().collection),
        "does not list the tickets",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_state_is_named(history, name):
    plant, words = WRONG[name]
    plant(history)
    found = [*check_tickets()]
    assert any(words in sentence for sentence in found), found
    assert set(found) <= set(find_problems())


def test_a_step_is_late_only_after_two_days(history):
    row(history, "open").update(next_step_on=TODAY() - 2 * DAY)
    assert [*check_tickets()] == []


IMPOSSIBLE: dict[str, Callable[[dict[str, int]], object]] = {
    "two reviews of one ticket": lambda h: Appeal.objects.create(
        ticket_id=h["reviewed"], appellant="x", reason="x", review_from=TODAY(), amount_before=1
    ),
    "closed at no time": lambda h: row(h, "paid").update(closed_at=None),
    "open and closed": lambda h: row(h, "open").update(closed_at=timezone.now()),
    "cancelled for no reason": lambda h: row(h, "cancelled").update(closing_reason=""),
    "in collections with no file": lambda h: row(h, "collected").update(collection=None),
    "unknown status": lambda h: row(h, "open").update(status="lost"),
    "a warning that costs": lambda h: row(h, "warning").update(fine=1),
    "a discount beyond the fine": lambda h: row(h, "open").update(discount=36),
    "a discount after it is due": lambda h: row(h, "open").update(discount_days=31),
    "less than nothing": lambda h: row(h, "open").update(fine=-1),
    "a decided sum and no day": lambda h: row(h, "open").update(set_amount=1),
    "neither plate nor VIN": lambda h: row(h, "open").update(plate="", plate_key=""),
    "issued before it happened": lambda h: row(h, "open").update(occurred_at=timezone.now() + DAY),
    "decided by nobody": lambda h: appeal(h, "granted").update(decided_by=None),
    "decided without words": lambda h: appeal(h, "granted").update(response=""),
    "appealed by nobody": lambda h: appeal(h, "reviewed").update(person=None),
    "closed and no end of review": lambda h: appeal(h, "granted").update(review_until=None),
    "review ends before it begins": lambda h: appeal(h, "granted").update(review_until=TODAY() - DAY),
    "linked twice": lambda h: Association.objects.create(
        person=appeal(h, "reviewed").get().person, ticket_id=h["reviewed"]
    ),
    "paid twice": lambda h: line(h, "refunded").update(settled=True, status="fulfilled", object_id=h["paid"]),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_the_database_itself_refuses(history, name):
    with pytest.raises(IntegrityError), transaction.atomic():
        IMPOSSIBLE[name](history)


def test_time_goes_by_and_all_is_right(history):
    """A hundred days later, with every step taken."""
    from violations.tasks import take_steps

    for pk in history.values():
        age(reload(Ticket.objects.get(pk=pk)), 100)
    Association.objects.filter(ends_at__isnull=False).delete()
    take_steps()
    assert [*check_tickets()] == []
