"""Two at once: the limit holds, and one plate stays one vehicle."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from accounts.services.people import lock_person
from opscom.core.errors import DomainError
from tests.factories.vehicles import make_owner, make_ownership, vehicle_data
from vehicles import services
from vehicles.models import Ownership, Vehicle

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


def together(deeds: list[Callable[[], object]]) -> list[object]:
    """Run the deeds in threads that start at one moment; a refusal is returned as what it raised."""
    gate = Barrier(len(deeds))

    def run(deed: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            gate.wait(timeout=10)
            return deed()
        except DomainError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


@pytest.mark.parametrize("_round", range(3))
def test_adding_at_once_does_not_pass_the_limit(_round: int) -> None:
    owner = make_owner(limit=2)
    data = [vehicle_data() for _number in range(6)]
    together([lambda one=one: services.add_vehicle(owner=owner, data=one) for one in data])
    assert Ownership.objects.usable().count() == 2


@pytest.mark.parametrize("_round", range(3))
def test_switching_on_at_once_does_not_pass_the_limit(_round: int) -> None:
    owner = make_owner(limit=1)
    idle = [make_ownership(owner, is_active=False) for _number in range(4)]
    together([lambda one=one: services.set_vehicle_active(ownership=one, is_active=True) for one in idle])
    assert Ownership.objects.usable().count() == 1


@pytest.mark.parametrize("_round", range(3))
def test_two_people_adding_one_plate_share_one_vehicle(_round: int) -> None:
    owners = [make_owner() for _number in range(4)]
    together([lambda one=one: services.add_vehicle(owner=one, data=vehicle_data(plate="CKMT 482")) for one in owners])
    assert Vehicle.objects.count() == 1
    assert Ownership.objects.current().count() == 4


def test_one_person_adding_one_plate_twice_has_it_once() -> None:
    owner = make_owner(limit=9)
    results = together([lambda: services.add_vehicle(owner=owner, data=vehicle_data(plate="CKMT 482"))] * 4)
    assert Ownership.objects.current().count() == 1
    assert sum(isinstance(result, DomainError) for result in results) == 3


def test_changing_and_removing_at_once_leaves_one_outcome() -> None:
    owner = make_owner()
    old = make_ownership(owner)
    together(
        [
            lambda: services.change_vehicle(ownership=old, data=vehicle_data(plate="BLUE 77")),
            lambda: services.remove_vehicle(ownership=old, by_office=True),
            lambda: services.change_vehicle(ownership=old, data=vehicle_data(plate="BLUE 78")),
        ]
    )
    assert Ownership.objects.current().count() <= 1
    assert Ownership.objects.filter(removed_at__isnull=False, pk=old.pk).exists()


def test_who_holds_the_person_holds_the_plate() -> None:
    owner = make_owner()
    old = make_ownership(owner)
    seen: list[bool] = []

    def put_on_something() -> None:
        with transaction.atomic():
            lock_person(owner)
            before = Ownership.objects.usable().filter(pk=old.pk).exists()
            time.sleep(0.3)
            seen.append(before == Ownership.objects.usable().filter(pk=old.pk).exists())

    together([put_on_something, lambda: services.remove_vehicle(ownership=old, by_office=True)])
    assert seen == [True]
