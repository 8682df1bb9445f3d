"""The demo's university is believable: everything is there, and every rule of the books holds."""

import datetime as dt

import pytest
from django.core.management import call_command

from accounts.acting.selectors import company_people
from accounts.models import AccountHold, DocumentRequest, ProfileAnswer, User
from boots.models import Boot, BootStatus
from demo.data.people import MANAGER, RESIDENT
from demo.data.tickets import STRANGERS_PLATE
from opscom.provider.models import Lot
from opscom.provider.selectors import local_date
from payments.models import (
    Adjustment,
    Debt,
    Deduction,
    Deposit,
    DepositStatus,
    Refund,
    RefundStatus,
    Statement,
    StoredMethod,
)
from permits.models import Permit, PermitStatus
from tests.races.together import assert_books_and_numbers_are_right
from violations.costing import cost_at, due_at, is_overdue
from violations.models import (
    Appeal,
    AppealStatus,
    Evidence,
    Notice,
    NoticeKind,
    NoticeWay,
    TextBlock,
    Ticket,
    TicketPhoto,
    TicketStatus,
)

pytestmark = [pytest.mark.django_db(transaction=True)]


def test_demo_data_is_whole_and_loads_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("demo_data")
    logins = capsys.readouterr().out.strip().splitlines()
    assert len(logins) == 3
    assert Lot.objects.count() == 6
    assert User.objects.filter(is_staff=False).count() == 30
    assert set(Permit.objects.values_list("status", flat=True)) == set(PermitStatus.values)
    manager = User.objects.get(email=MANAGER)
    assert [one.is_open for one in company_people(manager)] == [True, True, True, False]
    assert set(DocumentRequest.objects.values_list("status", flat=True)) == {"asked", "sent", "declined"}
    assert AccountHold.objects.exists()
    assert ProfileAnswer.objects.get().value == "lakeside"
    assert_every_screen_about_money_has_something()
    assert_every_screen_about_tickets_has_something()
    # A lost one has no screen of its own.
    assert set(Boot.objects.values_list("status", flat=True)) == set(BootStatus.values) - {BootStatus.LOST}
    assert_books_and_numbers_are_right()
    call_command("check_invariants")
    before = Permit.objects.count(), Ticket.objects.count()
    call_command("demo_data")
    assert (Permit.objects.count(), Ticket.objects.count()) == before


def assert_every_screen_about_money_has_something() -> None:
    """Debts, corrections, deposits in each state but cancelled, refunds done and proposed, stored cards, one expiring soon."""
    maya = User.objects.get(email=RESIDENT)
    assert Debt.objects.filter(person=maya, status="due").exists()
    assert Deposit.objects.filter(person=maya, status="due").exists()
    assert {adjustment.amount > 0 for adjustment in Adjustment.objects.all()} == {True, False}
    assert set(Deposit.objects.values_list("status", flat=True)) == set(DepositStatus.values) - {"cancelled"}
    assert {RefundStatus.SUCCEEDED, RefundStatus.PROPOSED} <= set(Refund.objects.values_list("status", flat=True))
    soon = local_date() + dt.timedelta(days=62)
    assert StoredMethod.objects.filter(expires_on__lt=soon).count() == 1
    assert StoredMethod.objects.live().filter(kind="card").count() == 3
    assert set(Deduction.objects.values_list("status", flat=True)) == {"sent", "waiting"}
    assert Statement.objects.get().company.name == "Northbuild Contractors"


def assert_every_screen_about_tickets_has_something() -> None:
    """Tickets and appeals in every state; at the lower price, at the full one and overdue; photos, evidence and letters."""
    assert set(Ticket.objects.values_list("status", flat=True)) == set(TicketStatus.values)
    assert set(Appeal.objects.values_list("status", flat=True)) == set(AppealStatus.values)
    tickets = Ticket.objects.with_reviews().filter(status=TicketStatus.OPEN)
    assert {is_overdue(ticket) for ticket in tickets} == {True, False}
    assert [cost_at(ticket) for ticket in tickets if ticket.is_warning] == [0]
    fine = {due_at(ticket) - ticket.fine for ticket in tickets if not ticket.is_warning}
    assert {-15, 0, 20} <= fine, "discount, full fine, late fee"
    maya = User.objects.get(email=RESIDENT)
    assert [str(due_at(ticket)) for ticket in tickets.filter(person=maya)] == ["115.00", "30.00", "20.00"]
    assert TicketPhoto.objects.exclude(thumbnail="").count() == 2 * Ticket.objects.count()
    assert Evidence.objects.exclude(appeal=None).count() == 2
    assert TextBlock.objects.count() == 3
    letters = Notice.objects.filter(way=NoticeWay.LETTER, printed_at=None)
    assert set(letters.values_list("kind", flat=True)) == {NoticeKind.NEW, NoticeKind.PAST_DUE}
    stranger = Ticket.objects.get(plate=STRANGERS_PLATE)
    assert (stranger.person, stranger.status) == (None, TicketStatus.OPEN)
