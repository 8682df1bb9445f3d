"""The slip guard: rights to park of plates that look like this one, so that a slip of the pen is no fine."""

import datetime as dt

from opscom.provider.models import Lot
from vehicles.entitlements import find_entitlements
from vehicles.models import Vehicle

# What is mistaken for what, on a plate or by a hand on a telephone.
LOOK_ALIKES = ["O0DQ", "I1L", "B8", "S5", "Z2", "G6", "UV", "MN"]
# A plate of ten characters has some thirty neighbours.
MOST_FOUND = 5


def neighbours(plate_key: str) -> set[str]:
    """Return plates that differ by one look-alike character, or by two swapped neighbours."""
    found = set()
    for place, character in enumerate(plate_key):
        for group in LOOK_ALIKES:
            if character in group:
                found |= {plate_key[:place] + other + plate_key[place + 1 :] for other in group}
        if place:
            swapped = plate_key[: place - 1] + character + plate_key[place - 1] + plate_key[place + 1 :]
            found.add(swapped)
    return found - {plate_key}


def near_rights(*, plate_key: str, region: str, lot: Lot | None, at: dt.datetime) -> list[tuple[str, str]]:
    """Return (plate, right) of look-alike plates that might stand in the lot at that time: at most five of them.

    One query finds which of the neighbours we know; only those are asked about.
    """
    if lot is None or not plate_key:
        return []
    known = Vehicle.objects.filter(plate_key__in=neighbours(plate_key), region=region).order_by("plate_key")
    found = []
    for vehicle in known[:MOST_FOUND]:
        rights = find_entitlements(plate_key=vehicle.plate_key, region=region, lot=lot, at=at)
        own = [right for right in rights if right.is_valid and right.kind != "free_hours"]
        found += [(vehicle.plate, right.label) for right in own[:1]]
    return found
