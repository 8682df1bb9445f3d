"""What the session holds while somebody acts in another person's account."""

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import constant_time_compare

from accounts.models import User

KEY = "acting"
MOST_SECONDS = 60 * 60


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts (`by`) in whose account (`person`), and since when.

    `digest`: the session hash of who acts, which changes with their password. `company`: by which company's grant;
    None: by the office's right. `back`: the path to which the way back leads.
    """

    by: int
    person: int
    digest: str
    since: float
    company: int | None = None
    back: str = ""

    @property
    def until(self) -> datetime:
        """When it ends at the latest."""
        return datetime.fromtimestamp(self.since + MOST_SECONDS, UTC)

    @property
    def is_over(self) -> bool:
        return not 0 <= time.time() - self.since < MOST_SECONDS


def read(session: SessionBase) -> Acting | None:
    """Return what this session holds; None while nobody acts in it."""
    kept = session.get(KEY)
    return Acting(**kept) if kept else None


def write(session: SessionBase, acting: Acting) -> None:
    """Keep it in the session."""
    session[KEY] = asdict(acting)


def digest_in(session: SessionBase) -> str:
    """Return the session hash of who is signed in."""
    return str(session.get(HASH_SESSION_KEY, ""))


def is_digest_of(digest: str, person: User) -> bool:
    """Say whether the person's password is still the one that was theirs when this session began."""
    good = [person.get_session_auth_hash(), *person.get_session_auth_fallback_hash()]
    return any(constant_time_compare(digest, one) for one in good)
