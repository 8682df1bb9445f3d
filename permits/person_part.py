"""What `permits` tells of a person."""

from collections.abc import Sequence

from django.db.models import Count, Max, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.person_parts import Feed, Happening, HistoryKind, MergePlan, PersonPart, by_pk, deeds_to
from opscom.core.deeds import describe_deed
from opscom.core.locks import lock_rows
from opscom.core.models import AuditEntry
from permits.models import LIVE, Permit
from permits.services.reserving import next_place

PERMITS = HistoryKind("permits", gettext_lazy("Permits"), "badge-check")


class PermitsPart(PersonPart):
    """Whose permits."""

    name = "permits"
    moves = frozenset({"permits.Permit.holder"})

    def feeds(self, person: User, ids: Sequence[int]) -> list[Feed]:
        """Everything that was done to the person's permits: reserved, active, printed, ended, given back."""
        return [Feed(PERMITS, deeds_to(Permit.objects.filter(holder=person)), "at", describe_permits)]

    def lock(self, *, keeper: User, loser: User) -> None:
        """No permit of either becomes active, lapses or ends meanwhile: each takes or frees a place of its holder."""
        lock_rows(Permit.objects.filter(holder__in=[keeper, loser]), "product", "permit")

    def plan_merge(self, *, keeper: User, loser: User) -> MergePlan:
        """Every permit goes over; who has more than may be keeps them."""
        permits = Permit.objects.filter(holder=loser)
        conflicts = [
            _("Permits that count as “%(group)s”: %(count)d, allowed: %(limit)d. All stay, and no other can be bought.")
            % {"count": count, "group": group, "limit": limit}
            for group, count, limit in groups_above_limit(keeper, loser)
        ]
        moves = [
            (_("Permits held or reserved"), permits.live().count()),
            (_("Past permits"), permits.exclude(status__in=LIVE).count()),
        ]
        return MergePlan(moves, conflicts)

    def merge(self, *, keeper: User, loser: User, actor: User) -> None:
        """Move every permit, each live one to the keeper's next free place of its group."""
        permits = Permit.objects.filter(holder=loser)
        live = list(permits.live().order_by("pk"))
        permits.exclude(pk__in=[permit.pk for permit in live]).update(holder=keeper)
        for permit in live:
            if permit.waits:
                Permit.objects.filter(pk=permit.pk).update(holder=keeper)
                continue
            place = next_place(keeper, permit.limit_group)
            Permit.objects.filter(pk=permit.pk).update(holder=keeper, holder_place=place)


def groups_above_limit(keeper: User, loser: User) -> list[tuple[str, int, int]]:
    """Return (group, live permits, limit) for each group in which the two together hold more than one person may."""
    live = Permit.objects.live().counting().filter(holder__in=[keeper, loser])
    groups = live.values("limit_group").annotate(
        count=Count("pk"), theirs=Count("pk", filter=Q(holder=loser)), limit=Max("sale__permit_type__max_per_person")
    )
    return [
        (row["limit_group"], row["count"], row["limit"])
        for row in groups.order_by("limit_group")
        if row["theirs"] and row["count"] > row["limit"]
    ]


def describe_permits(entries: Sequence[AuditEntry]) -> list[Happening]:
    """Return each deed with the number as it was then; the number leads to the permit's page."""
    permits = by_pk(Permit.objects.select_related("sale__lot", "sale__permit_type"), entries)
    return [_describe(entry, permits[entry.object_id]) for entry in entries]


def _describe(entry: AuditEntry, permit: Permit) -> Happening:
    return Happening(
        what=describe_deed(entry.action),
        detail=f"{permit.lot}, {permit.permit_type}",
        url=reverse("permits:detail", args=[permit.code]),
        link_label=_("Permit"),
        link=entry.object_label,
    )
