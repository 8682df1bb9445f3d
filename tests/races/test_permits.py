"""Never more permits than numbers, never one number twice, never one person past the limit."""

import pytest
from django.db import connection, transaction

from opscom.core.errors import Busy, DomainError, NotAllowed
from permits.models import Permit, PermitStatus, Slot, SlotState
from permits.services.holding import give_back_reservation, lapse_next
from permits.services.reserving import reserve_permit
from tests.factories.permits import lapse_hold, make_buyer, make_permit_type, make_sale, reserve
from tests.races.together import assert_books_and_numbers_are_right, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("_round", range(3))
def test_twelve_buyers_share_four_numbers(_round: int) -> None:
    sale = make_sale(numbers=4)
    buyers = [make_buyer()[0] for _one in range(12)]

    results = together([lambda buyer=buyer: reserve(sale, buyer) for buyer in buyers])

    sold = [result for result in results if isinstance(result, Permit)]
    refused = [result for result in results if isinstance(result, NotAllowed | Busy)]
    assert len(sold) == 4
    assert len({permit.number for permit in sold}) == 4
    assert len(refused) == 8
    assert_books_and_numbers_are_right()


def test_one_person_clicking_six_times_holds_one() -> None:
    sale = make_sale(numbers=6)
    buyer, _ownership = make_buyer()

    results = together([lambda: reserve(sale, buyer) for _one in range(6)])

    assert sum(isinstance(result, Permit) for result in results) == 1
    assert Slot.objects.filter(sale=sale, state=SlotState.FREE).count() == 5
    assert all("at a time" in str(r) for r in results if isinstance(r, NotAllowed))


def test_a_limit_of_two_is_two_whoever_races() -> None:
    sale = make_sale(numbers=9, permit_type=make_permit_type(max_per_person=2))
    buyer, _ownership = make_buyer()
    for _round in range(3):
        together([lambda: reserve(sale, buyer) for _one in range(5)])
    assert Permit.objects.live().count() == 2


def test_locked_last_number_is_busy_not_sold_out() -> None:
    """Its claimer may still roll back: nobody may be told that the lot is full."""
    sale = make_sale(numbers=1)
    first, _one = make_buyer()
    second, _two = make_buyer()
    with transaction.atomic():
        reserve_permit(holder=first, sale=sale, vehicles=[first.ownerships.get().vehicle])
        (result,) = together([lambda: reserve(sale, second)])
        assert isinstance(result, Busy)
        transaction.set_rollback(True)
    connection.close()
    assert isinstance(reserve(sale, second), Permit)


def test_claims_by_twelve_at_once_never_wait_for_each_other() -> None:
    """With more numbers than buyers, nobody is turned away."""
    sale = make_sale(numbers=40)
    buyers = [make_buyer()[0] for _one in range(12)]
    results = together([lambda buyer=buyer: reserve(sale, buyer) for buyer in buyers])
    assert [result for result in results if isinstance(result, DomainError)] == []


def test_a_hold_lapses_once_and_frees_its_number() -> None:
    sale = make_sale(numbers=1)
    permit = reserve(sale)
    Permit.objects.filter(pk=permit.pk).update(held_until=permit.reserved_at)
    assert sum(together([lapse_next] * 5)) == 1
    permit.refresh_from_db()
    assert permit.status == PermitStatus.LAPSED
    assert Slot.objects.get(sale=sale).state == SlotState.FREE
    assert_books_and_numbers_are_right()


def test_giving_back_and_lapsing_at_once_is_one_of_them() -> None:
    sale = make_sale(numbers=1)
    permit = reserve(sale)
    Permit.objects.filter(pk=permit.pk).update(held_until=permit.reserved_at)
    together([lapse_next, lambda: give_back_reservation(permit=permit, actor=permit.holder)])
    permit.refresh_from_db()
    assert permit.status in (PermitStatus.LAPSED, PermitStatus.CANCELLED)
    assert Slot.objects.get(sale=sale).state == SlotState.FREE


def test_lapsed_number_is_sold_again() -> None:
    sale = make_sale(numbers=1)
    lapse_hold(reserve(sale))
    assert reserve(sale).number == Slot.objects.get(sale=sale).number
