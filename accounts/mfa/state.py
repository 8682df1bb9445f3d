"""The verified state: one entry of this session, worth something only for the person and the factors it was made for.

It goes with the session when somebody signs out, and counts no longer once the person's factors have changed, wherever
that happened.
"""

from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from accounts.models import User

KEY = "mfa_verified"


def mark(session: SessionBase, person: User, device_id: str) -> None:
    """Write down that this person showed a code of this device (django-otp's `persistent_id`) in this session."""
    session[KEY] = {"person": person.pk, "device": device_id, "epoch": person.mfa_epoch}


def is_marked(session: SessionBase, person: User) -> bool:
    """Say whether the session holds the state of exactly this person, and of the factors that they have today."""
    found = session.get(KEY) or {}
    return found.get("person") == person.pk and found.get("epoch") == person.mfa_epoch


def carry(session: SessionBase) -> dict[str, Any]:
    """Return the state as plain JSON, to be put back by `restore` after the session has been flushed; empty if none."""
    return dict(session.get(KEY) or {})


def restore(session: SessionBase, carried: dict[str, Any]) -> None:
    """Put back what `carry` returned; whose state it is, it says itself. Nothing carried leaves nothing behind."""
    session.pop(KEY, None)
    if carried:
        session[KEY] = dict(carried)
