"""What `permits` tells of a person."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.person_parts import Feed, Happening, HistoryKind, by_pk, deeds_to
from opscom.core.deeds import describe_deed
from opscom.core.models import AuditEntry
from permits.models import Permit

PERMITS = HistoryKind("permits", gettext_lazy("Permits"), "badge-check")


class PermitsPart:
    """Whose permits."""

    name = "permits"

    def feeds(self, person: User, ids: Sequence[int]) -> list[Feed]:
        """Everything that was done to the person's permits: reserved, active, printed, ended, given back."""
        return [Feed(PERMITS, deeds_to(Permit.objects.filter(holder=person)), "at", describe_permits)]


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
