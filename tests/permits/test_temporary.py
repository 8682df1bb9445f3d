"""Temporary permits: which stays are sold, how spaces are counted, what is charged, and to whom."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from opscom.core.errors import NotAllowed
from payments.services.confirming import confirm_payment
from permits.invariants import check_permits
from permits.models import Permit, PermitStatus
from permits.services.delivering import activate_permit
from permits.services.reserving import reserve_permit
from permits.services.temporary import Guest, Wish, can_reserve_temporary, reserve_temporary
from permits.temporary import Stay, can_stay, count_free, latest_end, most_at_once, price, stay_by_dates, stay_by_hours
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import (
    lapse_hold,
    make_buyer,
    make_rate_table,
    make_tax,
    make_temporary_sale,
    make_wish,
    offer_demo_bank,
    reserve_time,
)
from tests.factories.vehicles import make_ownership
from vehicles.services import identify_vehicle

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("America/Toronto")
HOUR = dt.timedelta(hours=1)
START = dt.datetime(2026, 7, 1, 9, tzinfo=dt.UTC)

offsets = st.integers(0, 60)
intervals = st.lists(st.tuples(offsets, st.integers(1, 20)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=25)


def minutes(value: int) -> dt.datetime:
    return START + dt.timedelta(minutes=value)


@given(intervals, offsets, st.integers(1, 40))
def test_spaces_are_counted_at_each_instant(taken: list[tuple[int, int]], start: int, length: int) -> None:
    """The naive way: look at each minute of the stay."""
    stay = Stay(minutes(start), minutes(start + length))
    naive = max(sum(one <= at < other for one, other in taken) for at in range(start, start + length))
    assert most_at_once([(minutes(one), minutes(other)) for one, other in taken], stay) == naive


def test_one_space_is_sold_again_when_it_is_left() -> None:
    sale, noon = make_temporary_sale(spaces=1), timezone.now() + dt.timedelta(days=1)
    reserve_time(make_wish(sale, start=noon, hours=2))
    reserve_time(make_wish(sale, start=noon + 2 * HOUR, hours=2))
    reserve_time(make_wish(sale, start=noon - 2 * HOUR, hours=2))
    for start in (noon - HOUR, noon, noon + HOUR, noon + 3 * HOUR):
        with pytest.raises(NotAllowed, match="no space is free"):
            reserve_time(make_wish(sale, start=start))
    assert list(check_permits()) == []


def test_types_of_one_lot_share_its_spaces() -> None:
    sale = make_temporary_sale(spaces=1)
    other = make_temporary_sale(lot=sale.lot)
    wish = make_wish(sale)
    reserve_time(wish)
    assert count_free(sale.lot, wish.stay) == 0
    with pytest.raises(NotAllowed, match="no space is free"):
        reserve_time(make_wish(other))


def test_what_is_shown_is_what_is_charged_with_its_taxes() -> None:
    sale = make_temporary_sale(
        taxes=[make_tax("13")], rate_table=make_rate_table({"rate": Decimal(4)}, maximum_fee=Decimal(20))
    )
    start = dt.datetime.combine(timezone.now().date() + dt.timedelta(days=2), dt.time(8), tzinfo=ZONE)
    permit = reserve_time(make_wish(sale, start=start, hours=10))
    assert permit.net == Decimal(20)
    assert permit.taxes[0]["amount"] == "2.60"
    assert [part["kind"] for part in permit.price_parts] == ["time", "cap"]
    assert sum(Decimal(part["amount"]) for part in permit.price_parts) == permit.net
    with pytest.raises(NotAllowed, match="price has changed"):
        reserve_temporary(make_wish(sale), shown=Decimal("0.01"))


def test_thirty_days_at_most() -> None:
    sale, now = make_temporary_sale(), timezone.now()
    today = now.astimezone(ZONE).date()
    thirty = stay_by_dates(today + dt.timedelta(days=1), today + dt.timedelta(days=30), now)
    assert can_stay(sale, thirty, by_hours=False, now=now).is_allowed
    longer = stay_by_dates(today + dt.timedelta(days=1), today + dt.timedelta(days=31), now)
    refused = can_stay(sale, longer, by_hours=False, now=now)
    assert "buy a standard permit" in str(refused.reason)


@pytest.mark.parametrize("day", [dt.date(2026, 10, 15), dt.date(2026, 2, 20)])
def test_thirty_days_are_days_of_the_calendar_when_clocks_change(day: dt.date) -> None:
    start = dt.datetime.combine(day, dt.time(12), tzinfo=ZONE)
    assert latest_end(start) == dt.datetime.combine(day + dt.timedelta(days=30), dt.time(12), tzinfo=ZONE)


def test_hours_are_real_hours_when_clocks_change() -> None:
    evening = dt.datetime(2026, 10, 31, 22, tzinfo=ZONE)
    assert stay_by_hours(evening, 6).end == dt.datetime(2026, 11, 1, 3, tzinfo=ZONE)
    evening = dt.datetime(2026, 3, 7, 22, tzinfo=ZONE)
    assert stay_by_hours(evening, 6).end == dt.datetime(2026, 3, 8, 5, tzinfo=ZONE)


def test_dates_are_whole_days_and_today_begins_now() -> None:
    now = dt.datetime(2026, 11, 1, 10, tzinfo=ZONE)
    stay = stay_by_dates(dt.date(2026, 11, 1), dt.date(2026, 11, 2), now)
    assert (stay.start, stay.end) == (now, dt.datetime(2026, 11, 3, tzinfo=ZONE))
    # The day on which clocks go back has 25 hours.
    whole = stay_by_dates(dt.date(2026, 11, 1), dt.date(2026, 11, 1), now - dt.timedelta(days=1))
    assert whole.end - whole.start == 25 * HOUR


@pytest.mark.parametrize(
    ("fields", "start", "hours", "words"),
    [
        ({"is_by_hours": False}, HOUR, 2, "cannot be had in that way"),
        ({}, -HOUR, 2, "start is over"),
        ({"most_hours": 4}, HOUR, 5, "4 hours at most"),
        ({"days_ahead": 3}, dt.timedelta(days=5), 2, "3 days ahead"),
    ],
)
def test_the_type_sets_limits(fields: dict[str, object], start: dt.timedelta, hours: int, words: str) -> None:
    sale, now = make_temporary_sale(**fields), timezone.now()
    refused = can_stay(sale, stay_by_hours(now + start, hours), by_hours=True, now=now)
    assert words in str(refused.reason)


def test_the_sale_sets_its_dates() -> None:
    sale, now = make_temporary_sale(), timezone.now()
    today = now.astimezone(ZONE).date()
    sale.valid_from, sale.valid_until = today + dt.timedelta(days=2), today + dt.timedelta(days=3)
    for days in (1, 4):
        stay = stay_by_dates(today + dt.timedelta(days=days), today + dt.timedelta(days=days), now)
        assert not can_stay(sale, stay, by_hours=False, now=now).is_allowed
    stay = stay_by_dates(today + dt.timedelta(days=2), today + dt.timedelta(days=2), now)
    assert can_stay(sale, stay, by_hours=False, now=now).is_allowed


def test_one_vehicle_has_one_permit_at_a_time_in_a_lot() -> None:
    sale = make_temporary_sale()
    buyer, _ownership = make_buyer()
    first = reserve_time(make_wish(sale, buyer))
    with pytest.raises(NotAllowed, match=first.number):
        reserve_time(make_wish(sale, buyer))
    make_ownership(buyer)
    second = Wish(sale, make_wish(sale, buyer).stay, buyer.ownerships.last().vehicle, by_hours=True, holder=buyer)
    assert reserve_time(second).status == PermitStatus.RESERVED


def test_a_stranger_learns_nothing_of_a_parked_plate() -> None:
    sale = make_temporary_sale()
    wish = make_wish(sale)
    permit = reserve_time(wish)
    guest = Wish(sale, wish.stay, wish.vehicle, by_hours=True, guest=Guest("guest@example.org", "en"))
    refused = can_reserve_temporary(guest, timezone.now())
    assert permit.number not in str(refused.reason)


def test_the_type_counts_per_person() -> None:
    sale = make_temporary_sale(max_per_person=1)
    buyer, _ownership = make_buyer()
    reserve_time(make_wish(sale, buyer))
    with pytest.raises(NotAllowed, match="1 permit of this kind"):
        reserve_time(make_wish(sale, buyer, start=timezone.now() + dt.timedelta(days=3)))


def test_a_temporary_permit_is_not_reserved_as_a_standard_one() -> None:
    sale = make_temporary_sale()
    buyer, ownership = make_buyer()
    with pytest.raises(NotAllowed, match="choose its time"):
        reserve_permit(holder=buyer, sale=sale, vehicles=[ownership.vehicle])


def test_a_space_is_free_again_when_nobody_pays() -> None:
    sale = make_temporary_sale(spaces=1)
    permit = lapse_hold(reserve_time(make_wish(sale)))
    assert permit.status == PermitStatus.LAPSED
    assert reserve_time(make_wish(sale)).status == PermitStatus.RESERVED


def test_a_hold_that_ran_out_a_moment_ago_stands_in_nobodys_way() -> None:
    sale = make_temporary_sale(spaces=1)
    permit = reserve_time(make_wish(sale))
    Permit.objects.filter(pk=permit.pk).update(held_until=timezone.now() - dt.timedelta(seconds=1))
    assert reserve_time(make_wish(sale)).status == PermitStatus.RESERVED


def test_late_money_gets_the_space_back_if_it_is_free_else_goes_back() -> None:
    sale = make_temporary_sale(spaces=1)
    permit = reserve_time(make_wish(sale))
    order = order_permit(permit)
    lapse_hold(permit)
    assert type(activate_permit(permit_id=permit.pk, order=order)).__name__ == "Done"

    other_sale = make_temporary_sale(spaces=1)
    permit = reserve_time(make_wish(other_sale))
    order = order_permit(permit)
    lapse_hold(permit)
    reserve_time(make_wish(other_sale))
    assert "every space is taken" in str(activate_permit(permit_id=permit.pk, order=order).reason)


def test_paid_it_is_active_and_ends_by_itself() -> None:
    from permits.tasks import end_permits

    permit = reserve_time(make_wish(make_temporary_sale()))
    offer_demo_bank()
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    confirm_payment(payment)
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE
    assert list(check_permits()) == []
    past = timezone.now() - HOUR
    Permit.objects.filter(pk=permit.pk).update(valid_from=past - HOUR, valid_until=past)
    end_permits()
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ENDED


def test_a_guest_may_have_what_is_sold_to_guests() -> None:
    sale = make_temporary_sale()
    stay = stay_by_hours(timezone.now(), 2)
    wish = Wish(sale, stay, identify_vehicle(plate="GUEST 1", region="ON"), True, guest=Guest("g@example.org", "fr-ca"))
    permit = reserve_time(wish)
    assert (permit.holder, permit.guest_email, permit.language) == (None, "g@example.org", "fr-ca")
    closed = make_temporary_sale(is_for_guests=False)
    with pytest.raises(NotAllowed, match="with an account"):
        reserve_time(Wish(closed, stay, wish.vehicle, True, guest=wish.guest))


def test_planted_wrong_states_are_named() -> None:
    sale = make_temporary_sale(spaces=1)
    permit = reserve_time(make_wish(sale))
    other = reserve_time(make_wish(sale, start=timezone.now() + dt.timedelta(days=5)))
    Permit.objects.filter(pk=other.pk).update(valid_from=permit.valid_from, valid_until=permit.valid_until)
    assert any("2 temporary permits at one instant" in sentence for sentence in check_permits())
    Permit.objects.filter(pk=other.pk).update(is_temporary=False)
    assert any("not of its type's kind" in sentence for sentence in check_permits())


def test_the_price_needs_rates() -> None:
    sale = make_temporary_sale()
    sale.permit_type.rate_table = None
    with pytest.raises(ValueError, match="no rates"):
        price(sale, stay_by_hours(timezone.now(), 1))
