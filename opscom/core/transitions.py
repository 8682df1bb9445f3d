"""The one place that writes a status."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from opscom.core.errors import IllegalMove, Stale

# Any: each table is keyed by its own enumeration of text, and a mapping does not vary in its keys.
Moves = Mapping[Any, frozenset[Any]]


def advance(obj: models.Model, to: str, *, table: Moves, field: str = "status", **changes: Any) -> None:
    """Move the object's status to `to`, or raise; the database row decides, not our copy.

    `table` maps each status to the statuses that may follow it. `changes` are written in the same statement (`auto_now`
    is skipped by it). Raises IllegalMove when the table lacks the move, Stale when another process moved first.
    """
    seen = getattr(obj, field)
    if to not in table[seen]:
        raise IllegalMove(
            _("%(thing)s cannot go from %(seen)s to %(to)s.")
            % {"thing": obj._meta.verbose_name, "seen": seen, "to": to}
        )
    won = type(obj)._base_manager.filter(pk=obj.pk, **{field: seen}).update(**{field: to}, **changes)
    if not won:
        raise Stale(_("This record changed while you were looking at it. Please reload."))
    for name, value in {field: to, **changes}.items():
        setattr(obj, name, value)
