"""What happened, by whom and for whom: append-only, written in the transaction of the deed itself."""

from typing import Any

from django.db import models

from opscom.core.context import acting, request_id
from opscom.core.models import AuditEntry


def record(action: str, obj: models.Model, *, actor: Any = None, on_behalf_of: Any = None, **facts: Any) -> AuditEntry:
    """Write down that `actor` (None: the system) did `action`, a past-tense word such as `permit.activated`, to `obj`.

    `facts` are plain JSON values. Call it inside the service's transaction, so that deed and entry stand or fall together.
    Services know only in whose account they work: when somebody acts there for the person, both names are written.
    """
    now = acting.get()
    if now and on_behalf_of is None and getattr(actor, "pk", None) == now.person.pk:
        actor, on_behalf_of = now.actor, now.person
    return AuditEntry.objects.create(
        action=action,
        object_kind=obj._meta.label_lower,
        object_id=obj.pk,
        object_label=str(obj)[:200],
        actor=actor if getattr(actor, "pk", None) else None,
        actor_label=str(actor or "")[:200],
        on_behalf_of=on_behalf_of,
        facts=facts,
        request_id=request_id.get(),
    )
