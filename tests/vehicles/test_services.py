"""Adding, changing, switching and removing vehicles, and what the database refuses whoever asks."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from opscom.core.errors import DomainError, NotAllowed, Stale
from opscom.core.models import AuditEntry
from opscom.provider.models import Lot
from opscom.provider.selectors import local_date
from tests.factories.vehicles import make_owner, make_ownership, plate_type, set_provider, vehicle_data
from vehicles import entitlements, selectors, services
from vehicles.models import Ownership, Vehicle

pytestmark = pytest.mark.django_db

VIN = "1HGCM82633A004352"


class Permits:
    """A source as permits will be one: remembers which vehicle of whom is on something live."""

    kind = "test permits"

    def __init__(self) -> None:
        self.live: set[tuple[int, int]] = set()

    def find(self, *, plate_key, region, lot, at):
        start = at - dt.timedelta(hours=1)
        for valid in (False, True):
            yield entitlements.Entitlement(self.kind, f"{plate_key} {valid}", valid, start, None)

    def has_live(self, *, vehicle, owner):
        return any(v == vehicle.pk and (owner is None or o == owner.pk) for o, v in self.live)

    def move_vehicle(self, *, owner, old, new):
        if (owner.pk, old.pk) in self.live:
            self.live.remove((owner.pk, old.pk))
            self.live.add((owner.pk, new.pk))


@pytest.fixture
def permits() -> Iterator[Permits]:
    source = Permits()
    entitlements.register(source)
    yield source
    entitlements.unregister(source.kind)


@pytest.fixture
def owner() -> User:
    return make_owner()


def add(owner: User, **changes) -> Ownership:
    return services.add_vehicle(owner=owner, data=vehicle_data(**changes), actor=owner)


def change(ownership: Ownership, **changes) -> Ownership:
    data = vehicle_data(**{"plate": ownership.plate, "plate_type": ownership.vehicle.plate_type, **changes})
    return services.change_vehicle(ownership=ownership, data=data, actor=ownership.user)


# Adding


def test_added_vehicle_is_active_and_on_record(owner: User) -> None:
    ownership = add(owner, plate="ckmt 482", make="Mazda", colour="red")
    assert ownership.is_active
    assert (ownership.plate, ownership.vehicle.plate, ownership.vehicle.plate_key) == (
        "CKMT 482",
        "CKMT 482",
        "CKMT482",
    )
    entry = AuditEntry.objects.get(action="vehicle.added")
    assert (entry.actor, entry.on_behalf_of, entry.object_id) == (owner, None, ownership.pk)


def test_who_adds_for_somebody_else_is_on_record(owner: User) -> None:
    manager = make_owner()
    services.add_vehicle(owner=owner, data=vehicle_data(), actor=manager)
    entry = AuditEntry.objects.get(action="vehicle.added")
    assert (entry.actor, entry.on_behalf_of) == (manager, owner)


def test_second_owner_is_linked_to_the_same_vehicle(owner: User) -> None:
    first = add(owner, plate="CKMT 482", make="Mazda", year=2019)
    second = add(make_owner(), plate="ckmt-482", make="Honda", year=2020)
    assert first.vehicle == second.vehicle
    assert (second.plate, second.make, second.year) == ("CKMT-482", "Honda", 2020)
    first.refresh_from_db()
    assert (first.plate, first.make, first.year, first.vehicle.plate) == ("CKMT 482", "Mazda", 2019, "CKMT 482")


@pytest.mark.parametrize("other", [{"region": "CA-QC"}, {"plate_type": "dealer"}, {"plate": "CKMT 483"}])
def test_other_region_type_or_text_is_another_vehicle(owner: User, other: dict) -> None:
    first = add(owner, plate="CKMT 482")
    if "plate_type" in other:
        other = {"plate_type": plate_type(other["plate_type"]), "temporary_plate_until": local_date()}
    second = add(owner, **{"plate": "CKMT 482", **other})
    assert first.vehicle != second.vehicle


def test_same_plate_twice_in_one_list_is_refused(owner: User) -> None:
    add(owner, plate="CKMT 482")
    with pytest.raises(NotAllowed, match="already in your list"):
        add(owner, plate="ckmt482")
    assert Ownership.objects.count() == 1


def test_limit_counts_active_vehicles_only(owner: User) -> None:
    set_provider(is_vehicle_deletion_on=False)
    first, _second = add(owner), add(owner)
    with pytest.raises(NotAllowed) as caught:
        add(owner)
    told = str(caught.value)
    assert "Mark your vehicle as 'inactive' before adding a new one." in told
    assert "Contact your parking provider to delete the inactive vehicle" in told
    assert selectors.can_add_vehicle(owner).code == "vehicle_limit"
    services.set_vehicle_active(ownership=first, is_active=False)
    assert add(owner).is_active


def test_limit_of_an_ended_user_type_is_that_of_the_default(owner: User) -> None:
    owner.user_type_until = local_date()
    owner.user_type.max_active_vehicles = 0
    assert selectors.active_limit(owner) > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"plate": "A*B"}, "letters A to Z"),
        ({"plate": ""}, "Enter the plate"),
        ({"plate_type": None}, "type of the plate"),
        ({"region": "CA-XX"}, "state or province"),
        ({"region": "CA"}, "state or province"),
        ({"year": 1899}, "year from 1900"),
        ({"plate": "", "vin": VIN}, "last day"),
        ({"plate": "", "vin": "X", "temporary_plate_until": "today"}, "17 letters"),
        ({"plate": "", "vin": VIN, "temporary_plate_until": "yesterday"}, "day is over"),
    ],
)
def test_impossible_data_is_refused_whoever_calls(owner: User, changes: dict, words: str) -> None:
    days = {"today": local_date(), "yesterday": local_date() - dt.timedelta(days=1)}
    changes = {name: days.get(value, value) for name, value in changes.items()}
    with pytest.raises(DomainError, match=words):
        add(owner, **changes)
    assert not Vehicle.objects.exists()


# No plate yet


def test_vin_stands_in_until_the_plate_comes(owner: User, permits: Permits) -> None:
    before = add(owner, plate="", vin=VIN, temporary_plate_until=local_date())
    assert before.vehicle.plate_type is None
    assert "004352" in before.label
    permits.live = {(owner.pk, before.vehicle_id)}
    after = change(before, plate="CKMT 482", plate_type=plate_type(), vin=VIN, temporary_plate_until=local_date())
    assert (after.vehicle.plate_key, after.vehicle.vin, after.temporary_plate_until) == ("CKMT482", "", None)
    assert permits.live == {(owner.pk, after.vehicle_id)}


def test_dealer_plate_needs_its_last_day_and_cannot_be_used_after_it(owner: User) -> None:
    with pytest.raises(DomainError, match="last day"):
        add(owner, plate_type=plate_type("dealer"))
    ownership = add(owner, plate_type=plate_type("dealer"), temporary_plate_until=local_date())
    assert list(selectors.active_vehicles_of(owner)) == [ownership]
    Ownership.objects.update(temporary_plate_until=local_date() - dt.timedelta(days=1))
    ownership.refresh_from_db()
    assert ownership.has_plate_ended
    assert not selectors.active_vehicles_of(owner).exists()
    assert change(ownership, temporary_plate_until=ownership.temporary_plate_until, make="Kia").make == "Kia"


# Changing


def test_own_words_change_without_a_new_vehicle(owner: User) -> None:
    ownership = add(owner, plate="CKMT 482")
    other = add(make_owner(), plate="CKMT 482", make="Honda")
    changed = change(ownership, plate="ckmt-482", make="Mazda", colour="blue")
    assert (changed.pk, changed.plate, changed.make) == (ownership.pk, "CKMT-482", "Mazda")
    other.refresh_from_db()
    assert (other.plate, other.make, other.vehicle.plate) == ("CKMT 482", "Honda", "CKMT 482")
    assert AuditEntry.objects.get(action="vehicle.changed").facts["fields"] == ["colour", "make", "plate"]


def test_saving_without_a_change_writes_nothing(owner: User) -> None:
    ownership = add(owner, plate="CKMT 482")
    change(ownership, year=2021)
    assert not AuditEntry.objects.filter(action="vehicle.changed").exists()


def test_new_plate_takes_live_permits_and_leaves_the_old_behind(owner: User, permits: Permits) -> None:
    old, other = add(owner, plate="CKMT 482"), add(make_owner(), plate="CKMT 482")
    permits.live = {(owner.pk, old.vehicle_id), (other.user_id, other.vehicle_id)}
    new = change(old, plate="BLUE 77")
    old.refresh_from_db()
    assert new.vehicle != old.vehicle
    assert old.vehicle.plate_key == "CKMT482"
    assert (old.is_active, old.removed_at is None) == (False, False)
    assert new.is_active
    assert new.code != old.code
    # The other owner's permit stays where it is.
    assert permits.live == {(owner.pk, new.vehicle_id), (other.user_id, other.vehicle_id)}
    facts = AuditEntry.objects.get(action="vehicle.plate_changed").facts
    assert (facts["old_plate"], facts["plate"], facts["replaces"]) == ("CKMT 482", "BLUE 77", old.code)
    assert list(selectors.vehicles_of(owner)) == [new]


def test_new_plate_of_an_inactive_vehicle_stays_inactive_at_the_limit(owner: User) -> None:
    idle = add(owner)
    services.set_vehicle_active(ownership=idle, is_active=False)
    add(owner), add(owner)
    assert not change(idle, plate="BLUE 77").is_active


def test_changing_to_a_plate_that_is_in_the_list_is_refused(owner: User) -> None:
    first, second = add(owner), add(owner)
    with pytest.raises(NotAllowed, match="already in your list"):
        change(first, plate=second.plate)
    assert selectors.vehicles_of(owner).count() == 2


def test_failing_move_of_permits_leaves_the_plate_as_it_was(owner: User, permits: Permits, monkeypatch) -> None:
    ownership = add(owner, plate="CKMT 482")

    def fail(**_anything: object) -> None:
        raise DomainError("no")

    monkeypatch.setattr(permits, "move_vehicle", fail)
    with pytest.raises(DomainError, match="no"), transaction.atomic():
        change(ownership, plate="BLUE 77")
    assert list(selectors.vehicles_of(owner)) == [ownership]
    assert not Vehicle.objects.filter(plate_key="BLUE77").exists()


def test_coming_back_to_an_old_plate_is_a_new_row_for_the_same_vehicle(owner: User) -> None:
    first = add(owner, plate="CKMT 482")
    second = change(first, plate="BLUE 77")
    third = change(second, plate="CKMT 482")
    assert third.vehicle == first.vehicle
    assert third.pk != first.pk


# Switching


def test_switching_twice_does_no_harm(owner: User) -> None:
    ownership = add(owner)
    for _time in range(2):
        ownership = services.set_vehicle_active(ownership=ownership, is_active=False, actor=owner)
    assert not ownership.is_active
    assert AuditEntry.objects.filter(action="vehicle.deactivated").count() == 1


def test_switching_on_stops_at_the_limit(owner: User) -> None:
    idle = add(owner)
    services.set_vehicle_active(ownership=idle, is_active=False)
    add(owner), add(owner)
    with pytest.raises(NotAllowed, match="Mark another one as 'inactive' first"):
        services.set_vehicle_active(ownership=idle, is_active=True)
    idle.refresh_from_db()
    assert not idle.is_active


# Removing


def test_removing_needs_the_switch_of_the_provider(owner: User) -> None:
    set_provider(is_vehicle_deletion_on=False)
    ownership = add(owner)
    with pytest.raises(NotAllowed, match="Contact your parking provider"):
        services.remove_vehicle(ownership=ownership, actor=owner)
    services.remove_vehicle(ownership=ownership, by_office=True)
    assert not selectors.vehicles_of(owner).exists()


def test_removed_vehicle_leaves_the_list_and_keeps_its_rows(owner: User) -> None:
    set_provider(is_vehicle_deletion_on=True)
    ownership = add(owner, plate="CKMT 482")
    services.remove_vehicle(ownership=ownership, actor=owner)
    ownership.refresh_from_db()
    assert (ownership.is_active, ownership.removed_at is None) == (False, False)
    assert Vehicle.objects.count() == 1
    with pytest.raises(Stale):
        services.remove_vehicle(ownership=ownership, actor=owner)
    assert add(owner, plate="CKMT 482").vehicle == ownership.vehicle


@pytest.mark.parametrize("by_office", [False, True])
def test_nobody_removes_a_vehicle_with_a_live_permit_or_ticket(owner: User, permits: Permits, by_office: bool) -> None:
    set_provider(is_vehicle_deletion_on=True)
    ownership = add(owner)
    permits.live = {(owner.pk, ownership.vehicle_id)}
    assert selectors.can_remove(ownership, by_office=by_office).code == "in_use"
    with pytest.raises(NotAllowed, match="permit or a ticket"):
        services.remove_vehicle(ownership=ownership, by_office=by_office)
    assert selectors.vehicles_of(owner).exists()


def test_another_owners_permit_neither_holds_nor_shows(owner: User, permits: Permits) -> None:
    set_provider(is_vehicle_deletion_on=True)
    mine, other = add(owner, plate="CKMT 482"), add(make_owner(), plate="CKMT 482")
    permits.live = {(other.user_id, other.vehicle_id)}
    services.remove_vehicle(ownership=mine, actor=owner)
    assert not selectors.vehicles_of(owner).exists()
    assert entitlements.has_live(vehicle=other.vehicle, owner=None)


# The registry


def test_entitlements_are_gathered_with_the_valid_ones_first(permits: Permits) -> None:
    lot = Lot.objects.create(code="1", name={"en": "One"})
    found = entitlements.find_entitlements(plate_key="A1", region="", lot=lot, at=dt.datetime.now(dt.UTC))
    assert [entitlement.label for entitlement in found] == ["A1 True", "A1 False"]


# What the database itself refuses


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"plate_key": "ab 1"}, "plate_or_vin"),
        ({"plate_key": "", "plate": ""}, "plate_or_vin"),
        ({"vin": VIN}, "plate_or_vin"),
        ({"plate_type": None}, "plate_or_vin"),
        ({"region": ""}, "has_region"),
    ],
)
def test_database_refuses_impossible_vehicles(owner: User, changes: dict, constraint: str) -> None:
    ownership = add(owner)
    with pytest.raises(IntegrityError, match=f"vehicles_vehicle_{constraint}"), transaction.atomic():
        Vehicle.objects.filter(pk=ownership.vehicle_id).update(**changes)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"removed_at": dt.datetime(2100, 1, 1, tzinfo=dt.UTC)}, "removed_is_inactive"),
        ({"removed_at": dt.datetime(2000, 1, 1, tzinfo=dt.UTC), "is_active": False}, "removed_after_added"),
        ({"year": 1800}, "year_possible"),
        ({"kind": "boat"}, "kind_known"),
        ({"colour": "plaid"}, "colour_known"),
    ],
)
def test_database_refuses_impossible_ownerships(owner: User, changes: dict, constraint: str) -> None:
    ownership = add(owner)
    with pytest.raises(IntegrityError, match=f"vehicles_ownership_{constraint}"), transaction.atomic():
        Ownership.objects.filter(pk=ownership.pk).update(**changes)


def test_database_refuses_one_plate_twice(owner: User) -> None:
    vehicle = add(owner).vehicle
    again = Vehicle(plate="x", plate_key=vehicle.plate_key, region=vehicle.region, plate_type=vehicle.plate_type)
    with pytest.raises(IntegrityError, match="one_per_plate"), transaction.atomic():
        again.save()


def test_what_goes_round_the_checks_meets_a_kind_sentence(owner: User, monkeypatch) -> None:
    ownership = make_ownership(owner)
    monkeypatch.setattr(services, "_refuse_second", lambda *_anything: None)
    with pytest.raises(NotAllowed, match="already in your list"):
        add(owner, plate=ownership.plate)


def test_changes_are_in_the_history(owner: User) -> None:
    ownership = add(owner)
    services.set_vehicle_active(ownership=ownership, is_active=False)
    events = Ownership.pgh_event_models["update"].objects.filter(pgh_obj=ownership).order_by("pk")
    assert list(events.values_list("pgh_label", "is_active")) == [("insert", True), ("update", False)]
