"""Each app's part of one person. Upper floors plug in from `AppConfig.ready()`, and `accounts` knows none of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from accounts.models import User
from opscom.core.deeds import describe_deed
from opscom.core.models import AuditEntry

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class HistoryKind:
    """What a row of the history is about, as the filter names it; the icon is lucide's."""

    code: str
    label: Any
    icon: str


@dataclass(frozen=True, slots=True)
class Happening:
    """One row in words. `link` is what the link to `url` reads; without it, `what` itself is the link."""

    what: str
    detail: str = ""
    amount: Decimal | None = None
    url: str = ""
    link_label: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """Rows of one table that stand in somebody's history, unordered and uncut: the reader takes one page of them.

    `at` is the field that says when; each row has it, and an index finds this person's rows. `describe` gets the rows
    that are shown, at most a page, and returns one Happening for each, in a fixed number of queries.
    """

    kind: HistoryKind
    rows: QuerySet[Any]
    at: str
    describe: Callable[[Sequence[Any]], Iterable[Happening]]

    @property
    def source(self) -> str:
        """The table. A row that comes through two feeds is one row."""
        return self.rows.model._meta.label_lower


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What becomes of a part when two records are put together, in words for the office.

    `moves`: (what, how many) goes to the record that stays. `conflicts`: where only one of two can stay, which one does.
    `obstacles`: why it cannot be done now.
    """

    moves: Sequence[tuple[Any, int]] = ()
    conflicts: Sequence[str] = ()
    obstacles: Sequence[str] = ()


class PersonPart:
    """What an app answers about one person. Each app says in it what is true of its own tables."""

    name: str
    # Columns that point at people, as "app.Model.column". After a merge those in `moves` point at no merged record;
    # those in `settles` are looked at one by one, and what cannot move stays with the merged record or is ended.
    moves: frozenset[str] = frozenset()
    settles: frozenset[str] = frozenset()

    def feeds(self, person: User, ids: Sequence[int]) -> list[Feed]:
        """Return the tables of the person's history; `ids` are this person's and those of records merged into it."""
        return []

    def lock(self, *, keeper: User, loser: User) -> None:
        """Lock what the merge must find unchanged. Both people are locked; parts are called from the lowest floor up."""

    def plan_merge(self, *, keeper: User, loser: User) -> MergePlan:
        """Return what `merge` would do, without doing it."""
        return MergePlan()

    def merge(self, *, keeper: User, loser: User, actor: User) -> None:
        """Give the keeper what is the loser's, inside the caller's transaction; the log itself is never changed."""


_parts: dict[str, PersonPart] = {}


def register(part: PersonPart) -> None:
    """Plug a part in; one of the same name is replaced."""
    _parts[part.name] = part


def unregister(name: str) -> None:
    """Take a part out again (a test)."""
    _parts.pop(name, None)


def all_parts() -> list[PersonPart]:
    """Return every part, lowest floor first."""
    return list(_parts.values())


def deeds_to(rows: QuerySet[Any], *actions: str) -> QuerySet[AuditEntry]:
    """Return what the log says of these rows; with `actions`, only those."""
    entries = AuditEntry.objects.filter(object_kind=rows.model._meta.label_lower, object_id__in=rows.values("pk"))
    return (entries.filter(action__in=actions) if actions else entries).select_related("actor")


def describe_entries(entries: Sequence[AuditEntry]) -> list[Happening]:
    """Return each deed with the name of the record that it was done to."""
    return [Happening(what=describe_deed(entry.action), detail=entry.object_label) for entry in entries]


def by_pk(rows: QuerySet[M], entries: Sequence[AuditEntry]) -> dict[int, M]:
    """Return the records behind the entries, in one query."""
    return {row.pk: row for row in rows.filter(pk__in={entry.object_id for entry in entries})}
