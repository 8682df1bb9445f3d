"""Who is at the keyboard in this request, for the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import pghistory

request_id: ContextVar[str] = ContextVar("request_id", default="")


@dataclass(frozen=True, slots=True)
class Acting:
    """`actor` acts in the account of `person` (both people)."""

    actor: Any
    person: Any


acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


@contextmanager
def acting_for(*, actor: Any, person: Any) -> Iterator[None]:
    """Let the log, and the triggers' rows, name both for all that is done in this block as `person`."""
    token = acting.set(Acting(actor, person))
    try:
        with pghistory.context(actor=actor.pk, on_behalf_of=person.pk):
            yield
    finally:
        acting.reset(token)


def office_acts() -> bool:
    """Say whether somebody of the office is at the keyboard for the person: what opens things is not for their eyes here."""
    now = acting.get()
    return now is not None and now.actor.is_staff
