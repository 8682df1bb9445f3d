"""From a typed code to a verified session."""

from django.http import HttpRequest

from accounts import throttles
from accounts.mfa import state
from accounts.mfa.codes import CodeRefused, check_code
from accounts.models import User
from accounts.sessions.services import follow_key
from accounts.views.common import too_many


class TooMany(CodeRefused):
    """This person, or this client, has typed too many codes."""

    def __init__(self) -> None:
        super().__init__(too_many().message)


def use_code(request: HttpRequest, person: User, code: str) -> str:
    """Count the try, use the code up, and return the id of its device; raises CodeRefused."""
    if not throttles.may_try_code(request, person.code):
        raise TooMany
    return check_code(person=person, code=code)


def let_in(request: HttpRequest, person: User, device_id: str) -> None:
    """Mark the session as verified, under a new key: who knew the old one from before gains nothing."""
    session, old_key = request.session, request.session.session_key
    session.cycle_key()
    follow_key(session, old_key)
    state.mark(session, person, device_id)
