"""Holds on accounts: who places them, what they stop, what they never stop, and in which words."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.holds import ON_HOLD, can_buy, running_holds
from accounts.models import AccountHold
from accounts.services.holds import lift_hold, lift_hold_of, place_hold
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.models import AuditEntry
from permits.models import Permit
from tests.factories.payments import order_permit
from tests.factories.permits import make_buyer, make_lot, make_permit_type, make_sale, reserve
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def hold(person, **changes):
    return place_hold(**{"person": person, "reason": "Three unpaid tickets.", **changes})


# What it says


def test_refusal_says_why_what_to_pay_until_when_and_whom_to_ask(resident):
    set_provider(name="Harbour Parking", phone="613-555-0100", email="desk@harbour.example")
    ends_at = timezone.now() + 3 * DAY
    hold(resident, amount=Decimal("45.50"), ends_at=ends_at)
    decision = can_buy(resident, timezone.now())
    assert decision.code == ON_HOLD
    assert decision.until == ends_at
    for part in ("The reason: Three unpaid tickets.", "To pay: $45.50.", "Until ", "613-555-0100", "desk@harbour"):
        assert part in decision.reason
    assert ".." not in decision.reason


def test_several_holds_are_all_named_and_one_without_an_end_has_none(resident):
    hold(resident, reason="First", ends_at=timezone.now() + DAY)
    hold(resident, reason="Second")
    decision = can_buy(resident, timezone.now())
    assert "The reason: First." in decision.reason
    assert "The reason: Second." in decision.reason
    assert decision.until is None


def test_it_runs_from_its_beginning_to_just_before_its_end(resident):
    start = timezone.now() + DAY
    hold(resident, starts_at=start, ends_at=start + DAY)
    moments = [start - dt.timedelta(microseconds=1), start, start + DAY - dt.timedelta(microseconds=1), start + DAY]
    assert [can_buy(resident, at).is_allowed for at in moments] == [True, False, False, True]


def test_a_lifted_one_holds_nothing(resident, clerk):
    placed = hold(resident, actor=clerk)
    assert lift_hold(hold=placed, actor=clerk)
    assert not lift_hold(hold=placed, actor=clerk)
    assert can_buy(resident, timezone.now()).is_allowed
    assert [entry.action for entry in AuditEntry.objects.filter(object_id=placed.pk).order_by("pk")][-2:] == [
        "hold.placed",
        "hold.lifted",
    ]


@pytest.mark.parametrize(
    "wrong", [{"ends_at": timezone.now() - DAY}, {"amount": Decimal("0.00")}, {"amount": Decimal("-1")}]
)
def test_senseless_holds_are_refused_in_words(resident, wrong):
    with pytest.raises(DomainError):
        hold(resident, **wrong)
    assert not AccountHold.objects.exists()


# Services


def test_a_service_asking_twice_has_one_hold_with_what_it_said_last(resident):
    first = hold(resident, amount=Decimal(40), source="collections", object_id=7)
    again = hold(resident, amount=Decimal(40), source="collections", object_id=7)
    more = hold(resident, amount=Decimal(60), source="collections", object_id=7)
    assert first.pk == again.pk == more.pk
    assert AccountHold.objects.get().amount == Decimal(60)
    assert list(
        AuditEntry.objects.filter(action__startswith="hold.").order_by("pk").values_list("action", flat=True)
    ) == [
        "hold.placed",
        "hold.changed",
    ]


def test_a_service_lifts_its_own_and_may_place_it_anew(resident):
    first = hold(resident, source="collections", object_id=7)
    other = hold(resident, source="collections", object_id=8)
    assert lift_hold_of(source="collections", object_id=7)
    assert not lift_hold_of(source="collections", object_id=7)
    assert running_holds(resident, timezone.now()) == [other]
    assert hold(resident, source="collections", object_id=7).pk != first.pk


def test_a_cause_that_holds_another_account_is_refused(resident, other_resident):
    hold(resident, source="collections", object_id=7)
    with pytest.raises(DomainError, match="cannot be moved to another account"):
        hold(other_resident, source="collections", object_id=7)


def test_the_office_may_place_several_without_a_cause(resident):
    assert hold(resident).pk != hold(resident).pk


# What it stops


def test_nothing_new_can_be_reserved(client_of):
    buyer, ownership = make_buyer()
    sale = make_sale()
    hold(buyer)
    with pytest.raises(NotAllowed, match="Three unpaid tickets"):
        reserve(sale, buyer)
    client = client_of(buyer)
    page = client.get(reverse("permits:list")).content.decode()
    assert "Account on hold" in page
    assert "Reserve Permit" not in page
    answer = client.post(reverse("permits:reserve", args=[sale.code]), {f"{sale.code}-vehicles": ownership.code})
    assert answer.status_code == 422
    assert "Three unpaid tickets" in answer.content.decode()
    assert not Permit.objects.exists()


def test_another_persons_hold_stops_nobody_else(resident):
    hold(resident)
    assert reserve(make_sale()).pk


def test_what_is_reserved_may_be_paid(client_of):
    buyer, _ownership = make_buyer()
    permit = reserve(make_sale(), buyer)
    hold(buyer)
    assert order_permit(permit).total > 0
    page = client_of(buyer).get(reverse("payments:due")).content.decode()
    assert "Continue to Checkout" in page
    assert "Your account is on hold" in page


def test_a_full_lot_still_says_full(client_of):
    buyer, _ownership = make_buyer()
    sale = make_sale(numbers=1)
    reserve(sale)
    hold(buyer)
    page = client_of(buyer).get(reverse("permits:list")).content.decode()
    assert "Full" in page
    assert ">Account on hold" not in page


# Pages


@pytest.mark.parametrize("name", ["home:home", "payments:due"])
def test_person_is_told_of_running_holds_only(client_of, resident, other_resident, name):
    hold(resident, reason="<b>Runs now</b>", amount=Decimal("45.50"))
    hold(resident, reason="Begins later", starts_at=timezone.now() + DAY)
    hold(other_resident, reason="Another's")
    page = client_of(resident).get(reverse(name)).content.decode()
    assert "&lt;b&gt;Runs now&lt;/b&gt;" in page
    assert "$45.50" in page
    assert "Begins later" not in page
    assert "Another" not in page


@pytest.mark.parametrize("rows", [1, 3])
def test_permit_page_asks_once_for_holds(client_of, rows, django_assert_num_queries):
    buyer, _ownership = make_buyer()
    kind = make_permit_type()
    for _row in range(rows):
        make_sale(permit_type=kind, lot=make_lot())
        hold(buyer)
    client = client_of(buyer)
    client.get(reverse("permits:list"))
    with django_assert_num_queries(17):
        client.get(reverse("permits:list"))
