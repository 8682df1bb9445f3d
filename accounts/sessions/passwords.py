"""What a new password means for the sessions of its owner."""

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest

from accounts.models import User
from accounts.sessions.services import end_sessions, follow_key


def end_other_sessions(request: HttpRequest, person: User) -> None:
    """Go on in this session, under a new key, and end all others of the person after their password was changed.

    The others would die by themselves, because a session carries a digest of the password; ended, they also leave the list.
    """
    old_key = request.session.session_key
    update_session_auth_hash(request, person)
    follow_key(request.session, old_key)
    end_sessions(person=person, keep=request.session.session_key or "")
