"""What the waitlists tell of a person."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.person_parts import Feed, Happening, MergePlan, PersonPart, by_pk, deeds_to
from opscom.core import audit
from opscom.core.deeds import describe_deed
from opscom.core.locks import lock_rows
from opscom.core.models import AuditEntry
from permits.models import EntryStatus, WaitlistEntry
from permits.person_part import PERMITS
from permits.services.lining_up import leave_line

# What the beat writes down for the office is no news for who waits.
TOLD = [
    "waitlist.joined",
    "waitlist.left",
    "waitlist.offered",
    "waitlist.declined",
    "waitlist.lapsed",
    "waitlist.extended",
    "waitlist.released",
    "waitlist.removed",
    "waitlist.class_changed",
    "waitlist.served",
]


class WaitlistsPart(PersonPart):
    """Whose places in line."""

    name = "waitlists"
    moves = frozenset({"permits.WaitlistEntry.person"})

    def feeds(self, person: User, ids: Sequence[int]) -> list[Feed]:
        """When they joined and left, what was offered, and what became of it."""
        rows = deeds_to(WaitlistEntry.objects.filter(person=person), *TOLD)
        return [Feed(PERMITS, rows, "at", describe_places)]

    def lock(self, *, keeper: User, loser: User) -> None:
        """Nothing is offered to either place meanwhile, and none is paid for: see `offering.lock_offered`."""
        lock_rows(WaitlistEntry.objects.on_list().filter(person__in=[keeper, loser]), "product", "place")

    def plan_merge(self, *, keeper: User, loser: User) -> MergePlan:
        """Every place goes over; on a list on which both stand, the better one stays."""
        places = WaitlistEntry.objects.filter(person=loser)
        conflicts, obstacles = [], []
        for better, worse in shared_places(keeper, loser):
            both_offered = better.status == worse.status == EntryStatus.OFFERED
            if both_offered:
                obstacles.append(
                    _("Both have an open offer of the waitlist %(list)s. Withdraw one of them first.")
                    % {"list": better.waitlist}
                )
            else:
                conflicts.append(
                    _("Both are on the waitlist %(list)s: the better place stays.") % {"list": better.waitlist}
                )
        on_list = places.on_list().count()
        moves = [(_("Places on waitlists"), on_list), (_("Past places on waitlists"), places.count() - on_list)]
        return MergePlan(moves, conflicts, obstacles)

    def merge(self, *, keeper: User, loser: User, actor: User) -> None:
        """Take the worse of two places off its list, then move all."""
        for _better, worse in shared_places(keeper, loser):
            leave_line(worse, EntryStatus.REMOVED)
            audit.record("waitlist.removed", worse, actor=actor, because="merged")
        WaitlistEntry.objects.filter(person=loser).update(person=keeper)


def shared_places(keeper: User, loser: User) -> list[tuple[WaitlistEntry, WaitlistEntry]]:
    """Return (better, worse) for each list on which both stand; an offer is better than any place."""
    places = WaitlistEntry.objects.on_list().filter(person__in=[keeper, loser])
    by_list: dict[int, list[WaitlistEntry]] = {}
    for place in places.select_related("person", "waitlist__lot", "waitlist__permit_type").order_by("pk"):
        by_list.setdefault(place.waitlist_id, []).append(place)
    pairs = [sorted(two, key=_rank) for two in by_list.values() if len(two) == 2]
    return [(better, worse) for better, worse in pairs]


def _rank(place: WaitlistEntry) -> tuple[bool, int, int]:
    return place.status == EntryStatus.WAITING, place.priority, place.ticket


def describe_places(entries: Sequence[AuditEntry]) -> list[Happening]:
    """Return each deed with its list; it leads to the lots."""
    places = by_pk(WaitlistEntry.objects.select_related("waitlist__lot", "waitlist__permit_type"), entries)
    return [
        Happening(
            what=describe_deed(entry.action),
            detail=str(places[entry.object_id].waitlist),
            url=reverse("permits:list"),
            link_label=_("Waitlist"),
            link=str(entry.facts.get("number", "")),
        )
        for entry in entries
    ]
