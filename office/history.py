"""What happened to one record (the log) and what changed in it (the triggers' rows), newest first."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from office.deeds import describe_deed, describe_facts
from opscom.core.models import AuditEntry

MOST = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after, as people read it."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Happening:
    """One row of a record's history: a deed with who did it, or fields that changed."""

    at: dt.datetime
    deed: str = ""
    who: str = ""
    on_behalf_of: str = ""
    facts: Sequence[tuple[str, str]] = ()
    changes: Sequence[Change] = field(default_factory=list)


def read_history(obj: models.Model) -> list[Happening]:
    """Return the newest hundred deeds and the newest hundred changes of the record, in at most a handful of queries."""
    return sorted([*read_deeds(obj), *read_changes(obj)], key=lambda happening: happening.at, reverse=True)


def read_deeds(obj: models.Model) -> list[Happening]:
    """Return what the log says of the record."""
    entries = AuditEntry.objects.filter(object_kind=obj._meta.label_lower, object_id=obj.pk)
    return [
        Happening(
            at=entry.at,
            deed=describe_deed(entry.action),
            who=entry.actor_label,
            on_behalf_of=str(entry.on_behalf_of or ""),
            facts=describe_facts(entry),
        )
        for entry in entries.select_related("on_behalf_of").order_by("-pk")[:MOST]
    ]


def read_changes(obj: models.Model) -> list[Happening]:
    """Return what the database's triggers recorded of the record; nothing for a kind that is not tracked."""
    tracked = getattr(type(obj), "pgh_event_models", {})
    if not tracked:
        return []
    event_model: Any = next(iter(tracked.values()))
    # One more than is shown: the oldest of them only says what was there before.
    events = list(event_model.objects.filter(pgh_obj_id=obj.pk).order_by("-pgh_id")[: MOST + 1])
    fields = tracked_fields(event_model, type(obj))
    names = related_names(fields, events)
    found = []
    for after, before in pairwise(events):
        changes = [
            Change(str(one.verbose_name), write_value(one, before, names), write_value(one, after, names))
            for one in fields
            if getattr(before, one.attname) != getattr(after, one.attname)
        ]
        if changes:
            found.append(Happening(at=after.pgh_created_at, changes=changes))
    return found


def tracked_fields(event_model: Any, model: type[models.Model]) -> list[Any]:
    """Return the model's fields that its event rows hold."""
    held = {one.name for one in event_model._meta.fields}
    return [one for one in model._meta.concrete_fields if one.name in held and not one.primary_key]


def related_names(fields: Sequence[Any], events: Sequence[Any]) -> dict[tuple[str, Any], str]:
    """Return the names of all records that the events point at, one query for each field that changed."""
    names: dict[tuple[str, Any], str] = {}
    for one in [each for each in fields if each.is_relation]:
        ids = {getattr(event, one.attname) for event in events}
        if len(ids) > 1:
            rows = one.related_model._default_manager.filter(pk__in=ids - {None})
            names |= {(one.name, row.pk): str(row) for row in rows}
    return names


def write_value(one: Any, event: Any, names: dict[tuple[str, Any], str]) -> Any:
    """Return the event's value of the field as people read it; instants stay instants, for the template's time zone."""
    value = getattr(event, one.attname)
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if one.is_relation:
        return names.get((one.name, value), str(value))
    if one.choices:
        return str(dict(one.flatchoices).get(value, value))
    return value
