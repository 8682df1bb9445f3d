"""What pages cost in processor time (web server and PostgreSQL), in units of a bare Django view on the same server.

The unit H, and the goals, are those by which the project measures itself: see docs/operations/measuring.md.
"""

import os
import statistics
import sys
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.cached_db import SessionStore
from django.core.cache import caches
from django.middleware.csrf import _get_new_csrf_string

from accounts.models import User
from demo.data.people import RESIDENT
from opscom.core.cache import ForgivingRedisCache
from opscom.provider.models import Disclaimer
from opscom.provider.services import agree_to_disclaimer
from tests.bench.meter import Server, servers
from tests.browser.site import DATABASE, UNIVERSITY, ensure_university, redis_beside
from tests.conftest import clone_template, default_database

pytestmark = pytest.mark.bench
ROUNDS = 3
# Path, what it is, the goal in H, how often it is asked in each round.
PAGES = [
    ("/provider.css", "an empty page through all middleware", "3", 300),
    ("/", "the first page, signed in", "12", 150),
    ("/permits/", "the permits page", "8", 100),
    ("/vehicles/", "the vehicles page", "-", 100),
    ("/payments/", "the payments page", "-", 100),
    ("/history", "the history", "-", 100),
    ("/security", "security", "-", 100),
]


@pytest.fixture(scope="module")
def pair(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[tuple[Server, Server]]:
    """The portal with a resident signed in, and the bare view."""
    with django_db_blocker.unblock():
        ensure_university()
        clone_template(DATABASE, UNIVERSITY)
        with servers() as (portal, bare), default_database(DATABASE):
            portal.token = _get_new_csrf_string()
            portal.cookies = f"sessionid={sign_in(RESIDENT)}; language=en; csrftoken={portal.token}"
            yield portal, bare


def sign_in(email: str) -> str:
    """Return the key of a session in which this person is signed in."""
    before = caches["default"]
    caches["default"] = ForgivingRedisCache(redis_beside(os.environ["REDIS_URL"]), {})
    try:
        person = User.objects.get(email=email)
        for text in Disclaimer.objects.exclude(kind="locker"):
            agree_to_disclaimer(user=person, kind=text.kind, text=str(text.text), version=text.version)
        session = SessionStore()
        session[SESSION_KEY], session[HASH_SESSION_KEY] = str(person.pk), person.get_session_auth_hash()
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session.save()
        return str(session.session_key)
    finally:
        caches["default"] = before


def get(path: str) -> Callable[[Server], None]:
    """Return the deed of opening a page; it must open."""

    def deed(server: Server) -> None:
        answer = server.ask(path)
        assert answer.status == 200, (path, answer.status, answer.getheader("Location"))

    return deed


@pytest.mark.parametrize(("path", "what", "goal", "times"), PAGES)
def test_page(
    pair: tuple[Server, Server], capsys: pytest.CaptureFixture[str], path: str, what: str, goal: str, times: int
) -> None:
    portal, bare = pair
    ratios = []
    for _round in range(ROUNDS):
        unit = bare.cost(get("/hello"), 1000)
        ratios.append(portal.cost(get(path), times) / unit)
    rounds = ", ".join(f"{ratio:.1f}" for ratio in ratios)
    with capsys.disabled():
        words = (
            f"{what}: {statistics.median(ratios):.1f} H, goal {goal} (rounds: {rounds}; {portal.size / 1024:.0f} KB)"
        )
        sys.stdout.write(f"\n{words}\n")
