"""Every write to vehicles. Each locks the person first, so that counting and writing cannot be torn apart."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.services.people import lock_person
from opscom.core import audit
from opscom.core.errors import DomainError, NotAllowed, Stale
from vehicles import entitlements, plates
from vehicles.models import Ownership, PlateType, Vehicle
from vehicles.regions import region_codes
from vehicles.selectors import can_activate, can_add_vehicle, can_remove, default_plate_type

ALREADY_YOURS = _("This plate is already in your list of vehicles. You can edit it there, or switch it to active.")
SENTENCES = {"vehicles_ownership_once_per_person": ALREADY_YOURS}


@dataclass(frozen=True, slots=True)
class VehicleData:
    """What a person says of a vehicle. Either a plate with its type, or a VIN; what ends needs its last day."""

    region: str
    plate: str = ""
    plate_type: PlateType | None = None
    vin: str = ""
    temporary_plate_until: dt.date | None = None
    year: int | None = None
    kind: str = ""
    make: str = ""
    model: str = ""
    colour: str = ""

    @property
    def has_end(self) -> bool:
        return not self.plate or bool(self.plate_type and self.plate_type.is_temporary)

    def own_fields(self) -> dict[str, object]:
        """Return what belongs to this owner alone."""
        names = ("temporary_plate_until", "year", "kind", "make", "model", "colour")
        return {"plate": plates.show_plate(self.plate), **{name: getattr(self, name) for name in names}}


@transaction.atomic
def add_vehicle(*, owner: User, data: VehicleData, actor: User | None = None) -> Ownership:
    """Put an active vehicle into the person's list. Somebody else's plate is linked, and nobody is told of the other.

    Raises DomainError for impossible data, NotAllowed at the limit or when the person has this plate already.
    """
    data = _checked(data)
    owner = lock_person(owner)
    vehicle = _get_or_make_vehicle(data)
    _refuse_second(owner, vehicle)
    can_add_vehicle(owner).or_raise()
    with _kind_sentences():
        ownership = Ownership.objects.create(user=owner, vehicle=vehicle, **data.own_fields())
    _record("vehicle.added", ownership, actor)
    return ownership


@transaction.atomic
def change_vehicle(*, ownership: Ownership, data: VehicleData, actor: User | None = None) -> Ownership:
    """Write what the person changed, and return what now stands in the list.

    Another plate, region or type is another vehicle from now on: the old one leaves the list with its tickets and its
    history, live permits move along, and a new ownership (with a code of its own) takes its place. Raises as
    `add_vehicle` does, and Stale when the vehicle has left the list meanwhile.
    """
    # An end date that has passed may stay as it is while something else is mended.
    data = _checked(data, known_last_day=ownership.temporary_plate_until)
    owner = lock_person(ownership.user)
    old = _reload(ownership)
    vehicle = _get_or_make_vehicle(data)
    if vehicle == old.vehicle:
        return _describe(old, data, actor)
    _refuse_second(owner, vehicle)
    was_active = old.is_active
    Ownership.objects.filter(pk=old.pk).update(is_active=False, removed_at=timezone.now())
    with _kind_sentences():
        new = Ownership.objects.create(user=owner, vehicle=vehicle, is_active=was_active, **data.own_fields())
    entitlements.move_vehicle(owner=owner, old=old.vehicle, new=vehicle)
    _record("vehicle.plate_changed", new, actor, old_plate=old.label, old_region=old.vehicle.region, replaces=old.code)
    return new


@transaction.atomic
def set_vehicle_active(*, ownership: Ownership, is_active: bool, actor: User | None = None) -> Ownership:
    """Switch the vehicle on or off; doing so twice does no harm. Raises NotAllowed at the limit, Stale when it is gone."""
    lock_person(ownership.user)
    current = _reload(ownership)
    if current.is_active == is_active:
        return current
    if is_active:
        can_activate(current).or_raise()
    current.is_active = is_active
    current.save(update_fields=["is_active"])
    _record("vehicle.activated" if is_active else "vehicle.deactivated", current, actor)
    return current


@transaction.atomic
def remove_vehicle(*, ownership: Ownership, actor: User | None = None, by_office: bool = False) -> None:
    """Take the vehicle out of the person's list; its rows stay, for tickets and history.

    Raises NotAllowed when deletion is off (unless `by_office`) or something live hangs on it, Stale when it is gone.
    """
    lock_person(ownership.user)
    current = _reload(ownership)
    can_remove(current, by_office=by_office).or_raise()
    Ownership.objects.filter(pk=current.pk).update(is_active=False, removed_at=timezone.now())
    _record("vehicle.removed", current, actor)


def _reload(ownership: Ownership) -> Ownership:
    current = Ownership.objects.current().select_related("vehicle", "user").filter(pk=ownership.pk).first()
    if current is None:
        raise Stale(_("This vehicle is no longer in your list."))
    return current


def _checked(data: VehicleData, *, known_last_day: dt.date | None = None) -> VehicleData:
    """Return the data with what does not apply left out; raises DomainError for what cannot be."""
    if data.region not in region_codes():
        raise DomainError(_("Choose the state or province of the plate."))
    if data.year is not None:
        plates.check_year(data.year)
    if data.plate:
        plates.read_plate(data.plate)
        if data.plate_type is None:
            raise DomainError(_("Choose the type of the plate."))
    elif not data.vin:
        raise DomainError(_("Enter the plate, or the VIN if there is no plate yet."))
    if not data.has_end:
        return replace(data, vin="", temporary_plate_until=None)
    if data.temporary_plate_until is None:
        raise DomainError(_("Enter the last day on which the vehicle goes without its own plate."))
    if data.temporary_plate_until != known_last_day:
        plates.check_last_day(data.temporary_plate_until)
    return replace(data, vin="") if data.plate else replace(data, vin=plates.read_vin(data.vin), plate_type=None)


def _get_or_make_vehicle(data: VehicleData) -> Vehicle:
    """Return the one row of this identity; of two who add it at once, the second waits and finds the first's row."""
    if not data.plate:
        return Vehicle.objects.get_or_create(vin=data.vin, defaults={"region": data.region})[0]
    return Vehicle.objects.get_or_create(
        plate_key=plates.read_plate(data.plate),
        region=data.region,
        plate_type=data.plate_type,
        defaults={"plate": plates.show_plate(data.plate)},
    )[0]


def identify_vehicle(*, plate: str, region: str) -> Vehicle:
    """Return the vehicle with this plate, of whichever plate type, for somebody who need not own it; made when new.

    Raises DomainError when the plate cannot be read.
    """
    key = plates.read_plate(plate)
    known = Vehicle.objects.filter(plate_key=key, region=region).order_by("pk").first()
    if known:
        return known
    # The office may have marked no plate type as the usual one.
    plate_type = default_plate_type() or PlateType.objects.order_by("pk").first()
    return Vehicle.objects.get_or_create(
        plate_key=key, region=region, plate_type=plate_type, defaults={"plate": plates.show_plate(plate)}
    )[0]


def _refuse_second(owner: User, vehicle: Vehicle) -> None:
    if Ownership.objects.visible_to(owner).filter(vehicle=vehicle).exists():
        raise NotAllowed(ALREADY_YOURS)


def _describe(ownership: Ownership, data: VehicleData, actor: User | None) -> Ownership:
    """Write this owner's own words; nothing that another owner of the vehicle could see."""
    changed = {name: value for name, value in data.own_fields().items() if getattr(ownership, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(ownership, name, value)
        ownership.save(update_fields=list(changed))
        _record("vehicle.changed", ownership, actor, fields=sorted(changed))
    return ownership


def _record(action: str, ownership: Ownership, actor: User | None, **facts: object) -> None:
    owner = ownership.user
    for_whom = owner if actor is not None and actor.pk != owner.pk else None
    region = ownership.vehicle.region
    audit.record(action, ownership, actor=actor, on_behalf_of=for_whom, plate=ownership.label, region=region, **facts)


@contextmanager
def _kind_sentences() -> Iterator[None]:
    """Say in words what a constraint refused. Our checks come first; this is for writers that go round them."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if name not in SENTENCES:
            raise
        raise NotAllowed(SENTENCES[name]) from error
