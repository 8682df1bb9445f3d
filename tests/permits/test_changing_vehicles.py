"""Other vehicles on a permit, and a car that stands in for one of them for a while."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from opscom.core.errors import DomainError, NotAllowed
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from opscom.provider.selectors import local_date
from permits.entitlement import PermitEntitlements
from permits.models import Permit, PermitStatus, ReplacementCar
from permits.services.documents import make_document, print_permit
from permits.services.vehicles import add_replacement_car, change_vehicles, end_replacement_car
from tests.factories.permits import buy, make_buyer, make_permit_type, make_sale
from tests.factories.vehicles import make_ownership
from vehicles import entitlements
from vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def month_permit(**fields) -> Permit:
    kind = make_permit_type(**{"max_vehicles": 2, "term_kind": "rolling_months", "months": 4} | fields)
    return buy(make_sale(permit_type=kind))


def vehicles_of(permit: Permit) -> set[Vehicle]:
    return {link.vehicle for link in permit.vehicle_links.all()}


def rights(plate: str, permit: Permit, at=None):
    key = plate.replace(" ", "")
    return list(PermitEntitlements().find(plate_key=key, region="", lot=permit.lot, at=at or timezone.now()))


def replace(permit: Permit, *, plate="GARAGE 1", first=0, days=3, **options) -> ReplacementCar:
    own = permit.vehicle_links.first().vehicle
    today = local_date()
    values = {
        "stands_in_for": own,
        "plate": plate,
        "region": "CA-ON",
        "first_day": today + DAY * first,
        "last_day": today + DAY * (first + days - 1),
        "actor": permit.holder,
    }
    return add_replacement_car(permit=permit, **values | options)


def test_a_swap_moves_the_right_and_gives_one_more_print():
    permit = month_permit()
    [old] = vehicles_of(permit)
    new = make_ownership(permit.holder).vehicle
    make_document(permit_id=permit.pk)
    first = print_permit(permit=permit, actor=permit.holder)

    change_vehicles(permit=permit, vehicles=[new], actor=permit.holder)

    assert vehicles_of(permit) == {new}
    assert rights(old.plate_key, permit) == []
    assert [right.is_valid for right in rights(new.plate_key, permit)] == [True]
    make_document(permit_id=permit.pk)
    # Within the minutes of the old print, too: the paper of before is not fetched again.
    second = print_permit(permit=Permit.objects.get(), actor=permit.holder)
    assert second.pk != first.pk
    assert permit.prints.count() == 2
    facts = AuditEntry.objects.get(action="permit.vehicles_changed").facts
    assert (facts["added"], facts["removed"]) == ([str(new)], [str(old)])
    assert new.label in Message.objects.get(template="permits/vehicles_changed").context["plates"]


def test_what_is_the_same_changes_nothing():
    permit = month_permit()
    change_vehicles(permit=permit, vehicles=list(vehicles_of(permit)), actor=permit.holder)
    assert not AuditEntry.objects.filter(action="permit.vehicles_changed").exists()


def test_never_none_never_too_many_never_a_strangers_nor_a_switched_off_one_nor_another_kind():
    permit = month_permit(max_vehicles=1)
    own = list(vehicles_of(permit))
    idle = make_ownership(permit.holder, is_active=False).vehicle
    more = [make_ownership(permit.holder, kind="car").vehicle]
    stranger = make_buyer()[1].vehicle
    for wrong in ([], [*own, *more], [stranger], [idle]):
        with pytest.raises(NotAllowed):
            change_vehicles(permit=permit, vehicles=wrong, actor=permit.holder)
    permit.permit_type.vehicle_kinds = ["motorcycle"]
    permit.permit_type.save()
    with pytest.raises(NotAllowed, match="certain kinds"):
        change_vehicles(permit=permit, vehicles=more, actor=permit.holder)
    assert vehicles_of(permit) == set(own)


def test_one_that_is_over_is_not_changed():
    permit = month_permit()
    own = list(vehicles_of(permit))
    Permit.objects.update(status=PermitStatus.ENDED, closed_at=timezone.now())
    with pytest.raises(NotAllowed):
        change_vehicles(permit=permit, vehicles=[make_ownership(permit.holder).vehicle], actor=permit.holder)
    assert vehicles_of(permit) == set(own)


def test_while_it_runs_the_replacement_is_valid_and_the_replaced_one_is_not():
    permit = month_permit()
    [own] = vehicles_of(permit)
    car = replace(permit, days=3)
    [instead] = rights("GARAGE1", permit)
    assert (instead.is_valid, instead.label, instead.ends_at) == (True, permit.number, car.ends_at)
    assert own.label in instead.note
    [replaced] = rights(own.plate_key, permit)
    assert not replaced.is_valid
    assert "GARAGE 1" in replaced.note
    # It ends by itself.
    later = car.ends_at
    assert rights("GARAGE1", permit, later) == []
    assert [right.is_valid for right in rights(own.plate_key, permit, later)] == [True]
    assert Message.objects.get(template="permits/replacement_car").context["plate"] == "GARAGE 1"


def test_it_ends_earlier_and_one_not_begun_is_as_if_never_asked():
    permit = month_permit()
    [own] = vehicles_of(permit)
    car = replace(permit)
    end_replacement_car(car=car, actor=permit.holder)
    assert [right.is_valid for right in rights(own.plate_key, permit)] == [True]
    assert rights("GARAGE1", permit) == []
    with pytest.raises(NotAllowed):
        end_replacement_car(car=car, actor=permit.holder)
    planned = replace(permit, first=5)
    end_replacement_car(car=planned, actor=permit.holder)
    assert ReplacementCar.objects.count() == 1


def test_twice_a_year_and_fourteen_days_at_most():
    permit = month_permit()
    with pytest.raises(NotAllowed, match="up to 14 days"):
        replace(permit, days=15)
    replace(permit, days=14)
    with pytest.raises(NotAllowed, match="at that time already"):
        replace(permit, first=13, days=1)
    replace(permit, first=20, days=2)
    with pytest.raises(NotAllowed, match="2 times in a year"):
        replace(permit, first=30)


@pytest.mark.parametrize(
    "options",
    [
        {"first": -1},
        {"days": 0},
        {"first": 90},
        {"plate": ""},
        {"plate": "<script>"},
        {"plate": "A" * 40},
        {"stands_in_for": "another"},
    ],
)
def test_impossible_wishes_are_refused(options):
    permit = month_permit()
    if options.get("stands_in_for"):
        options = {"stands_in_for": make_ownership(permit.holder).vehicle}
    with pytest.raises(DomainError):
        replace(permit, **options)
    assert not ReplacementCar.objects.exists()


def test_it_never_outlasts_its_permit():
    permit = month_permit()
    Permit.objects.update(valid_until=timezone.now() + DAY * 2)
    assert replace(permit, days=10).ends_at == Permit.objects.get().valid_until


def test_a_type_without_replacement_cars():
    with pytest.raises(NotAllowed, match="takes no replacement car"):
        replace(month_permit(replacement_car_days=0))


def test_the_replaced_vehicle_stays_on_its_permit_while_it_is_replaced():
    permit = month_permit()
    replace(permit)
    with pytest.raises(NotAllowed, match="end that first"):
        change_vehicles(permit=permit, vehicles=[make_ownership(permit.holder).vehicle], actor=permit.holder)


def test_a_new_plate_of_the_replaced_vehicle_is_replaced_too():
    permit = month_permit()
    [own] = vehicles_of(permit)
    replace(permit)
    new = make_ownership(permit.holder).vehicle
    entitlements.move_vehicle(owner=permit.holder, old=own, new=new)
    assert [right.is_valid for right in rights(new.plate_key, permit)] == [False]


def test_the_new_plate_is_that_of_the_replacement_then_that_is_over():
    permit = month_permit()
    [own] = vehicles_of(permit)
    car = replace(permit)
    entitlements.move_vehicle(owner=permit.holder, old=own, new=car.vehicle)
    assert [right.is_valid for right in rights("GARAGE1", permit)] == [True]
    car.refresh_from_db()
    assert car.ends_at <= timezone.now()


def test_the_database_lets_one_replacement_in_at_a_time():
    permit = month_permit()
    car = replace(permit)
    with pytest.raises(IntegrityError, match="one_at_a_time"), transaction.atomic():
        ReplacementCar.objects.create(
            permit=permit,
            vehicle=car.vehicle,
            stands_in_for=car.stands_in_for,
            starts_at=car.starts_at + DAY,
            ends_at=car.ends_at + DAY,
            made_by=permit.holder,
        )
