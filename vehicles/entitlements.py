"""May this plate stand in this lot now? Permits and parking sessions plug in here; the officer's check asks only this.

`vehicles` knows none of its sources. Each registers itself in its `AppConfig.ready()`. A source that gives no right to
park (tickets) registers too, because its rows keep a vehicle from being deleted: its `find` returns nothing.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext

from accounts.models import User
from opscom.provider.hours import is_free
from opscom.provider.models import Lot
from vehicles.models import Vehicle


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One right to park. `label` is what the officer reads (a permit's number); `ends_at` is not included.

    `is_valid` is False for what looks like a right and is none yet, such as a promised permit; `note` then says why.
    """

    kind: str
    label: str
    is_valid: bool
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    note: object = ""


@dataclass(frozen=True, slots=True)
class LinkedVehicle:
    """A vehicle that stands in somebody's list and is not theirs. `note` says what for, and until when."""

    label: str
    region_name: str
    note: str
    url: str = ""


class EntitlementSource(Protocol):
    """What permits, parking sessions and tickets answer about vehicles."""

    kind: str

    def find(self, *, plate_key: str, region: str, lot: Lot, at: dt.datetime) -> Iterable[Entitlement]:
        """Return this plate's rights to stand in the lot at that time; `region` is empty when it was not read."""

    def has_live(self, *, vehicle: Vehicle, owner: User | None) -> bool:
        """Say whether something live of this owner (of anybody, when None) hangs on the vehicle."""

    def move_vehicle(self, *, owner: User, old: Vehicle, new: Vehicle) -> None:
        """Put what is live of this owner from the old plate on the new one, inside the caller's transaction.

        The person's row is locked by then, so this may lock anything that comes after it in `core.locks`.
        """

    def list_linked(self, *, owner: User) -> Iterable[LinkedVehicle]:
        """Return vehicles of others that this person sees for a while: never on a permit, never counted."""


_sources: dict[str, EntitlementSource] = {}


def register(source: EntitlementSource) -> None:
    """Plug a source in; one of the same kind is replaced."""
    _sources[source.kind] = source


def unregister(kind: str) -> None:
    """Take a source out again (a module that is switched off, a test)."""
    _sources.pop(kind, None)


def find_entitlements(*, plate_key: str, region: str, lot: Lot, at: dt.datetime) -> list[Entitlement]:
    """Return every right of this plate to stand in the lot at that time, valid ones first.

    In a lot's free hours everybody has one: it stands first.
    """
    if is_free(lot, at):
        free = [Entitlement("free_hours", gettext("No permit needed now"), True, at, None)]
    else:
        free = []
    found = free + [
        entitlement
        for source in _sources.values()
        for entitlement in source.find(plate_key=plate_key, region=region, lot=lot, at=at)
    ]
    return sorted(found, key=lambda entitlement: not entitlement.is_valid)


def has_live(*, vehicle: Vehicle, owner: User | None) -> bool:
    """Say whether any source still needs the vehicle: for this owner, or for anybody when None."""
    return any(source.has_live(vehicle=vehicle, owner=owner) for source in _sources.values())


def list_linked(owner: User) -> list[LinkedVehicle]:
    """Return what stands in the person's list of vehicles beside their own."""
    return [linked for source in _sources.values() for linked in source.list_linked(owner=owner)]


def move_vehicle(*, owner: User, old: Vehicle, new: Vehicle) -> None:
    """Tell every source that this owner's plate has changed; call it inside the transaction that changes it."""
    for source in _sources.values():
        source.move_vehicle(owner=owner, old=old, new=new)
