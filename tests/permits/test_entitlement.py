"""May this plate stand here now: permits by lot, weekday and hour, free hours, holidays; what is not yet paid is not valid."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from opscom.provider.models import FreeHours, Holiday
from permits.models import Permit, PermitStatus, PermitValidity
from tests.factories.permits import make_buyer, make_lot, make_permit_type, make_sale, reserve
from vehicles.entitlements import find_entitlements, has_live, move_vehicle
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
TORONTO = ZoneInfo("America/Toronto")
# A Wednesday, a Friday and the Saturday after it.
WEDNESDAY, FRIDAY, SATURDAY = (dt.date(2027, 3, day) for day in (10, 12, 13))


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=TORONTO)


def active(**options) -> Permit:
    """An active permit for all of March 2027, as its row would stand after payment."""
    permit = reserve(make_sale(**options))
    Permit.objects.filter(pk=permit.pk).update(
        status=PermitStatus.ACTIVE, activated_at=timezone.now(), held_until=None,
        valid_from=at(dt.date(2027, 3, 1), 0), valid_until=at(dt.date(2027, 4, 1), 0),
    )  # fmt: skip
    permit.refresh_from_db()
    return permit


def rights(permit: Permit, lot, moment: dt.datetime):
    vehicle = permit.vehicle_links.get().vehicle
    return find_entitlements(plate_key=vehicle.plate_key, region=vehicle.region, lot=lot, at=moment)


def is_right(permit: Permit, lot, moment: dt.datetime) -> bool:
    return any(found.is_valid for found in rights(permit, lot, moment))


def test_a_permit_is_valid_in_its_lot_and_dates_only() -> None:
    permit = active()
    assert is_right(permit, permit.lot, at(WEDNESDAY, 3))
    assert not is_right(permit, make_lot(), at(WEDNESDAY, 3))
    assert not is_right(permit, permit.lot, at(dt.date(2027, 4, 1), 0))
    assert is_right(permit, permit.lot, at(dt.date(2027, 3, 31), 23, 59))


@pytest.mark.parametrize(
    ("day", "hour", "expected"),
    [(WEDNESDAY, 16, False), (WEDNESDAY, 17, True), (FRIDAY, 23, True), (SATURDAY, 5, True), (SATURDAY, 6, False),
     (SATURDAY, 17, False)],
)  # fmt: skip
def test_any_lot_after_five_on_workdays_passes_midnight(day: dt.date, hour: int, expected: bool) -> None:
    kind, other = make_permit_type(), make_lot()
    rule = PermitValidity.objects.create(
        permit_type=kind, weekdays=[0, 1, 2, 3, 4], from_time=dt.time(17), until_time=dt.time(6)
    )
    rule.lots.set([other])
    permit = active(permit_type=kind)
    assert is_right(permit, other, at(day, hour)) is expected
    assert not is_right(permit, permit.lot, at(day, hour))


def test_free_hours_and_their_holidays_need_no_permit() -> None:
    permit, lot = active(), make_lot()
    FreeHours.objects.create(lot=lot, weekdays=[5, 6], from_time=dt.time(0), until_time=dt.time(0), also_holidays=True)
    assert [found.kind for found in rights(permit, lot, at(SATURDAY, 12))] == ["free_hours"]
    assert rights(permit, lot, at(WEDNESDAY, 12)) == []
    Holiday.objects.create(on=WEDNESDAY, name={"en": "Founders' Day"})
    assert is_right(permit, lot, at(WEDNESDAY, 12))


def test_a_reservation_is_seen_and_is_not_valid() -> None:
    permit = reserve(make_sale())
    (found,) = rights(permit, permit.lot, permit.valid_from)
    assert (found.is_valid, str(found.note)) == (False, "Reserved, not paid")


def test_a_new_plate_takes_live_permits_along_and_gives_a_print() -> None:
    permit = active()
    old = permit.vehicle_links.get().vehicle
    _buyer, ownership = make_buyer()
    new: Vehicle = ownership.vehicle
    assert has_live(vehicle=old, owner=permit.holder)
    move_vehicle(owner=permit.holder, old=old, new=new)
    assert permit.vehicle_links.get().vehicle == new
    assert not has_live(vehicle=old, owner=permit.holder)
