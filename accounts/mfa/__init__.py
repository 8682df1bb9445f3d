"""Multi-factor authentication: who must show a code, the devices that make them, and the one question `is_verified`."""

from django.http import HttpRequest

from accounts.acting import person_at_keyboard
from accounts.mfa import rules, state


def is_verified(request: HttpRequest) -> bool:
    """Say whether the person at the keyboard has shown in this session all that is asked of them.

    THE one question: the middleware, the office's site and acting for others ask it. Somebody of whom no code is asked
    is verified by being signed in; nobody signed in is not.
    """
    person = person_at_keyboard(request)
    if not person.is_authenticated:
        return False
    return state.is_marked(request.session, person) or not rules.needs_code(person)
