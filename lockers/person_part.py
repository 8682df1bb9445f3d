"""What `lockers` tells of a person."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.person_parts import Feed, Happening, HistoryKind, MergePlan, PersonPart, by_pk, deeds_to
from lockers.locking import KIND
from lockers.models import Locker, Rental
from lockers.services.reserving import next_place
from opscom.core.deeds import describe_deed
from opscom.core.locks import lock_rows
from opscom.core.models import AuditEntry

LOCKERS = HistoryKind("lockers", gettext_lazy("Lockers"), "lock")


class LockersPart(PersonPart):
    """Whose lockers."""

    name = "lockers"
    moves = frozenset({"lockers.Rental.renter"})

    def feeds(self, person: User, ids: Sequence[int]) -> list[Feed]:
        """Everything that was done about the person's rentals: reserved, active, switched, ended."""
        return [Feed(LOCKERS, deeds_to(Rental.objects.filter(renter=person)), "at", describe_rentals)]

    def lock(self, *, keeper: User, loser: User) -> None:
        """No rental of either begins, lapses or ends meanwhile: each takes or frees a place of its renter."""
        rented = Rental.objects.filter(renter__in=[keeper, loser]).values("locker")
        lock_rows(Locker.objects.filter(pk__in=rented), "product", KIND)

    def plan_merge(self, *, keeper: User, loser: User) -> MergePlan:
        """Every rental goes over; who has more than may be keeps them."""
        rentals = Rental.objects.filter(renter=loser)
        moves = [
            (_("Lockers rented or reserved"), rentals.live().count()),
            (_("Past lockers"), rentals.exclude(pk__in=rentals.live()).count()),
        ]
        return MergePlan(moves, [])

    def merge(self, *, keeper: User, loser: User, actor: User) -> None:
        """Move every rental, each live one to the keeper's next free place of its term."""
        rentals = Rental.objects.filter(renter=loser)
        live = list(rentals.live().select_related("sale").order_by("pk"))
        rentals.exclude(pk__in=[one.pk for one in live]).update(renter=keeper)
        for one in live:
            Rental.objects.filter(pk=one.pk).update(renter=keeper, place=next_place(keeper, one.sale))


def describe_rentals(entries: Sequence[AuditEntry]) -> list[Happening]:
    """Return each deed with the locker's number as it was then; the number leads to the rental's page."""
    rentals = by_pk(Rental.objects.select_related("sale__area"), entries)
    return [
        Happening(
            what=describe_deed(entry.action),
            detail=str(rentals[entry.object_id].sale.area),
            url=reverse("lockers:detail", args=[rentals[entry.object_id].code]),
            link_label=_("Locker"),
            link=entry.object_label,
        )
        for entry in entries
    ]
