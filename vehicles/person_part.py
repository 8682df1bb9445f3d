"""What `vehicles` tells of a person."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.person_parts import Feed, Happening, HistoryKind, by_pk, deeds_to
from opscom.core.deeds import describe_deed
from opscom.core.models import AuditEntry
from vehicles.models import Ownership

VEHICLES = HistoryKind("vehicles", gettext_lazy("Vehicles"), "car")


class VehiclesPart:
    """Whose vehicles."""

    name = "vehicles"

    def feeds(self, person: User, ids: Sequence[int]) -> list[Feed]:
        """Everything that was done to the person's vehicles, those that left the list among them."""
        return [Feed(VEHICLES, deeds_to(Ownership.objects.filter(user=person)), "at", describe_vehicles)]


def describe_vehicles(entries: Sequence[AuditEntry]) -> list[Happening]:
    """Return each deed with the plate as it was then; a vehicle that is still in the list is linked."""
    kept = by_pk(Ownership.objects.current(), entries)
    return [
        Happening(describe_deed(entry.action), entry.object_label, url=_address(kept.get(entry.object_id)))
        for entry in entries
    ]


def _address(ownership: Ownership | None) -> str:
    return reverse("vehicles:edit", args=[ownership.code]) if ownership else ""
