"""Vehicles for tests, made through the services that people use."""

from itertools import count
from typing import Any

from accounts.models import User, UserType
from opscom.provider.models import Provider
from opscom.provider.selectors import forget_cached
from vehicles.models import Ownership, PlateType
from vehicles.services import VehicleData, add_vehicle

_numbers = count(1)


def plate_type(code: str = "passenger") -> PlateType:
    """Return one of the plate types that every provider begins with."""
    return PlateType.objects.get(code=code)


def vehicle_data(**changes: Any) -> VehicleData:
    """Return what a person would fill in: an Ontario passenger car with a plate of its own."""
    fields = {"plate": f"TST {next(_numbers):04}", "region": "CA-ON", "year": 2021, **changes}
    if fields["plate"] and "plate_type" not in fields:
        fields["plate_type"] = plate_type()
    return VehicleData(**fields)


def make_ownership(owner: User, *, is_active: bool = True, **changes: Any) -> Ownership:
    """Give the person a vehicle; `ownership.vehicle` is the vehicle itself."""
    ownership = add_vehicle(owner=owner, data=vehicle_data(**changes))
    if not is_active:
        ownership.is_active = False
        ownership.save(update_fields=["is_active"])
    return ownership


def make_owner(*, limit: int = 2, **fields: Any) -> User:
    """Return somebody of a user type that may have `limit` active vehicles."""
    number = next(_numbers)
    user_type = UserType.objects.create(code=f"drivers-{number}", name={"en": "Drivers"}, max_active_vehicles=limit)
    fields = {"first_name": "Dana", "last_name": f"Driver {number}", **fields}
    return User.objects.create_user(f"driver{number}@example.org", user_type=user_type, **fields)


def set_provider(**switches: Any) -> None:
    """Set switches of the provider for this test."""
    Provider.objects.update_or_create(pk=1, defaults=switches)
    forget_cached()
