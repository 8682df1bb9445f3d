"""A permit that several change at once: its money goes back once, its number moves once, its holder is one."""

import datetime as dt

import pytest

from accounts.models import User
from opscom.core.errors import Busy, NotAllowed
from opscom.provider.selectors import local_date
from payments.models import OrderLine, Refund
from payments.services.refunding import refund_line
from permits.models import Permit, PermitStatus, ReplacementCar, Slot, SlotState
from permits.services.ending import end_early
from permits.services.moving import hand_over_permit, move_permit, replace_permit, switch_permits
from permits.services.vehicles import add_replacement_car, change_vehicles
from tests.factories.permits import buy, make_buyer, make_permit_type, make_sale, reserve
from tests.factories.vehicles import make_owner, make_ownership
from tests.races.together import assert_books_and_numbers_are_right, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


def months_sale(**fields):
    kind = make_permit_type(term_kind="rolling_months", months=4, proration="months", may_end_early=True)
    return make_sale(permit_type=kind, **fields)


def test_ended_by_six_clicks_the_money_goes_back_once():
    permit = buy(months_sale())
    results = together([lambda: end_early(permit=permit, actor=permit.holder) for _one in range(6)])
    assert sum(isinstance(result, Refund) for result in results) == 1
    assert Refund.objects.count() == 1
    assert Slot.objects.filter(sale=permit.sale, state=SlotState.FREE).count() == 5
    assert_books_and_numbers_are_right()


def test_ended_by_the_holder_while_the_office_refunds_it_never_gives_more_than_was_paid():
    permit = buy(months_sale())
    line = OrderLine.objects.get(object_id=permit.pk)
    together(
        [
            lambda: end_early(permit=permit, actor=permit.holder),
            lambda: refund_line(line=line, actor=permit.holder),
            lambda: end_early(permit=permit, actor=permit.holder),
        ]
    )
    assert sum(refund.amount for refund in Refund.objects.all()) <= line.amount
    permit.refresh_from_db()
    assert permit.status in (PermitStatus.ENDED, PermitStatus.CANCELLED)
    assert_books_and_numbers_are_right()


def clerks(count: int = 2) -> list[User]:
    return [make_owner(first_name=f"Clerk{number}") for number in range(count)]


def test_two_clerks_switch_the_same_two_at_once():
    """Once, or twice and so back again: each number has one holder in any case."""
    sale = months_sale()
    one, other = buy(sale), buy(sale)
    a, b = clerks()
    together(
        [
            lambda: switch_permits(one=one, other=other, reason="Asked", actor=a),
            lambda: switch_permits(one=other, other=one, reason="Asked", actor=b),
        ]
    )
    assert {permit.slot.number for permit in Permit.objects.all()} == {one.number, other.number}
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("_round", range(3))
def test_three_permits_switched_in_a_circle_at_once(_round):
    sale = months_sale()
    permits = [buy(sale) for _number in range(3)]
    [actor] = clerks(1)
    pairs = [(0, 1), (1, 2), (2, 0), (1, 0)]
    results = together(
        [
            lambda a=a, b=b: switch_permits(one=permits[a], other=permits[b], reason="Asked", actor=actor)
            for a, b in pairs
        ]
    )
    assert results == [None] * 4
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("_round", range(3))
def test_the_holder_ends_while_a_clerk_switches_and_another_moves(_round):
    sale = months_sale()
    one, other = buy(sale), buy(sale)
    a, b = clerks()
    together(
        [
            lambda: end_early(permit=one, actor=one.holder),
            lambda: switch_permits(one=one, other=other, reason="Asked", actor=a),
            lambda: move_permit(permit=one, sale=sale, number="", reason="Asked", actor=b),
            lambda: replace_permit(permit=one, why="lost", reason="Asked", with_fee=False, actor=b),
        ]
    )
    assert Permit.objects.get(pk=one.pk).status == PermitStatus.ENDED
    assert Refund.objects.count() == 1
    assert_books_and_numbers_are_right()


def test_four_moved_to_the_one_free_number_at_once():
    sale = months_sale()
    permits = [buy(sale) for _number in range(4)]
    target = make_sale(permit_type=sale.permit_type, numbers=1)
    [actor] = clerks(1)
    results = together(
        [
            lambda permit=permit: move_permit(permit=permit, sale=target, number="", reason="Asked", actor=actor)
            for permit in permits
        ]
    )
    assert results.count(None) == 1
    assert all(isinstance(result, NotAllowed | Busy) for result in results if result is not None)
    assert_books_and_numbers_are_right()


def test_two_permits_handed_to_one_person_at_once_stop_at_the_limit():
    sale = months_sale()
    permits = [buy(sale) for _number in range(3)]
    to, ownership = make_buyer()
    [actor] = clerks(1)
    deeds = [
        lambda permit=permit: hand_over_permit(
            permit=permit, to=to, vehicles=[ownership.vehicle], reason="Asked", actor=actor
        )
        for permit in permits
    ]
    results = together([*deeds, lambda: reserve(sale, to)])
    assert Permit.objects.live().filter(holder=to).count() == 1
    assert sum(isinstance(result, NotAllowed) for result in results) == 3
    assert_books_and_numbers_are_right()


def test_a_permit_handed_to_two_people_at_once_is_the_second_ones_or_the_firsts():
    permit = buy(months_sale())
    people = [make_buyer() for _number in range(3)]
    [actor] = clerks(1)
    together(
        [
            lambda to=to, own=own: hand_over_permit(
                permit=permit, to=to, vehicles=[own.vehicle], reason="Asked", actor=actor
            )
            for to, own in people
        ]
    )
    permit.refresh_from_db()
    # Its vehicles are those of its holder, and of nobody else.
    assert [link.vehicle for link in permit.vehicle_links.all()] == [permit.holder.ownerships.get().vehicle]
    assert_books_and_numbers_are_right()


def test_lost_reported_twice_at_once_is_two_numbers_in_a_row():
    permit = buy(months_sale())
    [actor] = clerks(1)
    together(
        [
            lambda: replace_permit(permit=permit, why="lost", reason="Asked", with_fee=True, actor=actor)
            for _number in range(3)
        ]
    )
    assert Permit.objects.get().number == f"{permit.number}-R3"
    assert_books_and_numbers_are_right()


def test_a_third_replacement_car_at_once_is_one_too_many():
    permit = buy(months_sale())
    own = permit.vehicle_links.get().vehicle
    today = local_date()
    results = together(
        [
            lambda number=number: add_replacement_car(
                permit=permit,
                stands_in_for=own,
                plate=f"GARAGE{number}",
                region="CA-ON",
                first_day=today + dt.timedelta(days=number * 3),
                last_day=today + dt.timedelta(days=number * 3 + 1),
                actor=permit.holder,
            )
            for number in range(5)
        ]
    )
    assert sum(isinstance(result, ReplacementCar) for result in results) == 2


def test_vehicles_changed_from_two_windows_stay_within_the_limit():
    kind = make_permit_type(term_kind="rolling_months", max_vehicles=1)
    permit = buy(make_sale(permit_type=kind))
    [own] = [link.vehicle for link in permit.vehicle_links.all()]
    other = make_ownership(permit.holder).vehicle
    together(
        [
            lambda vehicle=vehicle: change_vehicles(permit=permit, vehicles=[vehicle], actor=permit.holder)
            for vehicle in (own, other, own, other)
        ]
    )
    assert permit.vehicle_links.count() == 1
