"""What `vehicles` tells of a person."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.person_parts import Feed, Happening, HistoryKind, MergePlan, PersonPart, by_pk, deeds_to
from opscom.core import audit
from opscom.core.deeds import describe_deed
from opscom.core.models import AuditEntry
from vehicles.models import Ownership
from vehicles.selectors import active_limit

VEHICLES = HistoryKind("vehicles", gettext_lazy("Vehicles"), "car")


class VehiclesPart(PersonPart):
    """Whose vehicles."""

    name = "vehicles"
    moves = frozenset({"vehicles.Ownership.user"})

    def feeds(self, person: User, ids: Sequence[int]) -> list[Feed]:
        """Everything that was done to the person's vehicles, those that left the list among them."""
        return [Feed(VEHICLES, deeds_to(Ownership.objects.filter(user=person)), "at", describe_vehicles)]

    def plan_merge(self, *, keeper: User, loser: User) -> MergePlan:
        """Both lists become one; a vehicle that stands in both stands there once."""
        theirs = Ownership.objects.filter(user=loser)
        conflicts = [
            _("%(plate)s is in both lists: the description in the record that stays is kept.") % {"plate": one.label}
            for one in shared_vehicles(keeper, loser)
        ]
        if (count := active_after(keeper, loser)) > (limit := active_limit(keeper)):
            conflicts.append(
                _("Active vehicles: %(count)d, allowed: %(limit)d. All stay active, and no other can be added.")
                % {"count": count, "limit": limit}
            )
        moves = [
            (_("Vehicles"), theirs.current().count()),
            (_("Vehicles removed earlier"), theirs.filter(removed_at__isnull=False).count()),
        ]
        return MergePlan(moves, conflicts)

    def merge(self, *, keeper: User, loser: User, actor: User) -> None:
        """Move every ownership; of a vehicle in both lists the keeper's goes on, active if either was."""
        for theirs in shared_vehicles(keeper, loser):
            if theirs.is_active:
                Ownership.objects.visible_to(keeper).filter(vehicle=theirs.vehicle).update(is_active=True)
            Ownership.objects.filter(pk=theirs.pk).update(is_active=False, removed_at=timezone.now())
            audit.record("vehicle.removed", theirs, actor=actor, plate=theirs.label, because="merged")
        Ownership.objects.filter(user=loser).update(user=keeper)


def shared_vehicles(keeper: User, loser: User) -> list[Ownership]:
    """Return the loser's vehicles that the keeper has in their list, too."""
    mine = Ownership.objects.visible_to(keeper)
    theirs = Ownership.objects.visible_to(loser).filter(vehicle__in=mine.values("vehicle"))
    return list(theirs.select_related("vehicle").order_by("pk"))


def active_after(keeper: User, loser: User) -> int:
    """Return how many vehicles will be active when the lists are one."""
    return (
        Ownership.objects.current()
        .filter(user__in=[keeper, loser], is_active=True)
        .values("vehicle")
        .distinct()
        .count()
    )


def describe_vehicles(entries: Sequence[AuditEntry]) -> list[Happening]:
    """Return each deed with the plate as it was then; a vehicle that is still in the list is linked."""
    kept = by_pk(Ownership.objects.current(), entries)
    return [
        Happening(describe_deed(entry.action), entry.object_label, url=_address(kept.get(entry.object_id)))
        for entry in entries
    ]


def _address(ownership: Ownership | None) -> str:
    return reverse("vehicles:edit", args=[ownership.code]) if ownership else ""
