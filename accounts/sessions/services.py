"""Sessions begin to be listed, are seen again, and end."""

import datetime as dt

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.cached_db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.acting import person_at_keyboard
from accounts.models import User
from opscom.core import audit
from opscom.core.addresses import client_address
from opscom.core.hooks import after_commit

# In the session: [its key, the second in which it was last written down].
SEEN = "seen"
UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing listens there
PAUSE = dt.timedelta(minutes=5)
LONGEST_AGENT = UserSession._meta.get_field("user_agent").max_length or 200


def note_seen(request: HttpRequest) -> bool:
    """Write down, every five minutes at the most, that the session is used; False: it was ended meanwhile.

    Listed is who sits at the keyboard: somebody who acts for another person does so in a session of their own.
    """
    now, session = timezone.now(), request.session
    key, at = session.get(SEEN) or ("", 0)
    if key == session.session_key and now.timestamp() - at < PAUSE.total_seconds():
        return True
    values = {
        "user": person_at_keyboard(request),
        "ip": client_address(request) or UNKNOWN_ADDRESS,
        "user_agent": request.headers.get("User-Agent", "")[:LONGEST_AGENT],
        "last_seen_at": now,
    }
    if key and key != session.session_key:
        follow_key(session, key)
    rows = UserSession.objects.filter(session_key=session.session_key)
    if key and not rows.exists():
        return False
    rows.update_or_create(session_key=session.session_key, defaults=values)
    session[SEEN] = [session.session_key, now.timestamp()]
    return True


def follow_key(session: SessionBase, old_key: str | None) -> None:
    """Keep the row of a session whose key has changed; call it where that is done and sessions are ended besides."""
    UserSession.objects.filter(session_key=session.session_key).delete()
    UserSession.objects.filter(session_key=old_key or "").update(session_key=session.session_key)
    if seen := session.get(SEEN):
        session[SEEN] = [session.session_key, seen[1]]


@transaction.atomic
def end_session(*, person: User, row: UserSession) -> None:
    """End one of the person's sessions; it is dead at once, also in the cache."""
    audit.record("person.sessions_ended", person, actor=person, count=1)
    _end([row])


@transaction.atomic
def end_sessions(*, person: User, keep: str = "", actor: User | None = None) -> int:
    """End all sessions of the person but the one with the key `keep`, and return how many; `actor`: who asked for it."""
    rows = list(UserSession.objects.filter(user=person).exclude(session_key=keep))
    if rows and actor:
        audit.record("person.sessions_ended", person, actor=actor, count=len(rows))
    _end(rows)
    return len(rows)


def forget_dead_sessions() -> int:
    """Delete what is kept of sessions that have run out or were left: addresses and browsers of no more use. For the worker."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    # A session younger than this may have its row before it is written itself.
    since = timezone.now() - dt.timedelta(hours=1)
    dead = UserSession.objects.filter(last_seen_at__lt=since).exclude(
        session_key__in=Session.objects.values("session_key")
    )
    return int(dead.delete()[0])


def _end(rows: list[UserSession]) -> None:
    for row in rows:
        row.end()
        # Once more when others see the row gone: until then a request could put the session back into the cache.
        after_commit(_forget_cached, row.session_key)


def _forget_cached(key: str) -> None:
    SessionStore().delete(key)
