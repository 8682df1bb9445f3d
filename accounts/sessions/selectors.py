"""Where somebody is signed in."""

import datetime as dt
from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.mfa.secrecy import digest
from accounts.models import User
from accounts.sessions.agents import describe_agent
from accounts.sessions.services import UNKNOWN_ADDRESS


@dataclass(frozen=True, slots=True)
class Place:
    """One session, as the page shows it. `code` names it in addresses: neither its row nor its key shows in it."""

    code: str
    browser: str
    address: str
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    is_here: bool


def places_of(person: User, *, here: str | None) -> list[Place]:
    """Return the person's living sessions, this one (key `here`) first, then the last seen."""
    places = [
        Place(
            code=_code(row),
            browser=describe_agent(row.user_agent),
            address="" if row.ip == UNKNOWN_ADDRESS else row.ip,
            first_seen_at=row.created_at,
            last_seen_at=row.last_seen_at,
            is_here=row.session_key == here,
        )
        for row in _living(person)
    ]
    return sorted(places, key=lambda place: not place.is_here)


def find_session(person: User, code: str) -> UserSession | None:
    """Return the person's own session that goes by this code."""
    return next((row for row in _living(person) if _code(row) == code), None)


def _living(person: User) -> list[UserSession]:
    keys = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    return list(UserSession.objects.filter(user=person, session_key__in=keys).order_by("-last_seen_at", "-pk"))


def _code(row: UserSession) -> str:
    return digest("session", row.session_key)
