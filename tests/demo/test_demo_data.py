"""The demo's university is believable: everything is there, and every rule of the books holds."""

import datetime as dt

import pytest
from django.core.management import call_command

from accounts.acting.selectors import company_people
from accounts.models import AccountHold, DocumentRequest, ProfileAnswer, User
from demo.data.people import MANAGER, RESIDENT
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
    assert_books_and_numbers_are_right()
    call_command("check_invariants")
    permits = Permit.objects.count()
    call_command("demo_data")
    assert Permit.objects.count() == permits


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
