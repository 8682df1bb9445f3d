"""What `violations` tells of a person."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.person_parts import Feed, Happening, HistoryKind, MergePlan, PersonPart, by_pk, deeds_to
from opscom.core.deeds import describe_deed
from opscom.core.hooks import after_commit
from opscom.core.locks import lock_rows
from opscom.core.models import AuditEntry
from violations.models import Appeal, Association, Evidence, Ticket
from violations.services.locking import KIND
from violations.services.overdue import refresh_hold_of

TICKETS = HistoryKind("tickets", gettext_lazy("Tickets"), "ticket")
APPEALS = HistoryKind("appeals", gettext_lazy("Appeals"), "scale")


class ViolationsPart(PersonPart):
    """Whose tickets and appeals."""

    name = "violations"
    moves = frozenset(
        {
            "violations.Ticket.person",
            "violations.Appeal.person",
            "violations.Association.person",
            "violations.Evidence.person",
        }
    )

    def feeds(self, person: User, ids: Sequence[int]) -> list[Feed]:
        """What happened to the person's tickets, and to their appeals."""
        tickets, appeals = Ticket.objects.filter(person=person), Appeal.objects.filter(person=person)
        return [
            Feed(TICKETS, deeds_to(tickets), "at", describe_tickets),
            Feed(APPEALS, deeds_to(appeals), "at", describe_appeals),
        ]

    def lock(self, *, keeper: User, loser: User) -> None:
        """No ticket of either is paid, appealed or decided meanwhile."""
        lock_rows(Ticket.objects.filter(person__in=[keeper, loser]), "product", KIND)

    def plan_merge(self, *, keeper: User, loser: User) -> MergePlan:
        """Every ticket and appeal goes over."""
        return MergePlan(
            [
                (_("Tickets"), Ticket.objects.filter(person=loser).count()),
                (_("Appeals"), Appeal.objects.filter(person=loser).count()),
                (_("Vehicles linked for an appeal"), Association.objects.live().filter(person=loser).count()),
            ]
        )

    def merge(self, *, keeper: User, loser: User, actor: User) -> None:
        """Move them; a vehicle that is linked to both for one ticket stays linked once."""
        mine = Association.objects.filter(person=keeper)
        # Of two links the one without an end stays: an appeal under review, or the office, holds it.
        lasting = Association.objects.filter(person=loser, ends_at=None)
        mine.filter(ticket__in=lasting.values("ticket"), ends_at__isnull=False).delete()
        Association.objects.filter(person=loser, ticket__in=mine.values("ticket")).delete()
        for model in (Ticket, Appeal, Association, Evidence):
            model.objects.filter(person=loser).update(person=keeper)
        after_commit(refresh_hold_of, keeper.pk)


def describe_tickets(entries: Sequence[AuditEntry]) -> list[Happening]:
    """Return each deed with the ticket's number, which leads to its page."""
    tickets = by_pk(Ticket.objects.select_related("offence"), entries)
    return [_describe(entry, tickets[entry.object_id]) for entry in entries]


def describe_appeals(entries: Sequence[AuditEntry]) -> list[Happening]:
    """Return each deed with the number of the ticket that is appealed."""
    appeals = by_pk(Appeal.objects.select_related("ticket__offence"), entries)
    return [_describe(entry, appeals[entry.object_id].ticket) for entry in entries]


def _describe(entry: AuditEntry, ticket: Ticket) -> Happening:
    return Happening(
        what=describe_deed(entry.action),
        detail=f"{ticket.offence.description}, {ticket.vehicle_label}",
        url=reverse("violations:ticket", args=[ticket.code]),
        link_label=_("Ticket"),
        link=ticket.number,
    )
