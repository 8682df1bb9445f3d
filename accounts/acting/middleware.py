"""While somebody acts in another person's account, each request asks anew whether they may."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from accounts.acting import state, switch
from accounts.acting.rules import can_act_as_manager, can_act_as_office
from accounts.acting.state import Acting
from accounts.decorators import refuse_foreign_hands
from accounts.models import User
from opscom.core.context import acting_for
from opscom.core.errors import Stale

# In the session of who has been put back: why, and from whose account.
OVER = "acting_over"


class ActingMiddleware:
    """Say in `request.acting_person` who acts, or end it: the manager's right, password, hour, or the person changed.

    Stands right after the sessions: as soon as anybody asks for `request.user`, a session whose password has changed is
    thrown away, and with it the way back.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.acting_person = None  # type: ignore[attr-defined]
        acting = state.read(request.session)
        if acting is None:
            return self.get_response(request)
        people = User.objects.in_bulk([acting.by, acting.person])
        actor, person = people.get(acting.by), people.get(acting.person)
        because = why_over(request, acting, actor, person)
        if because or actor is None or person is None:
            return end(request, because, person)
        return self.go_on(request, acting, actor, person)

    def go_on(self, request: HttpRequest, acting: Acting, actor: User, person: User) -> HttpResponse:
        """Answer with both names known; a sign-out on the way ends the acting, too."""
        request.acting_person = actor  # type: ignore[attr-defined]
        request.acting = acting  # type: ignore[attr-defined]
        with acting_for(actor=actor, person=person):
            response = self.get_response(request)
            if request.acting_person is not None and state.read(request.session) is None:  # type: ignore[attr-defined]
                switch.record_end(acting, actor=actor, person=person, because="signed out")
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Close allauth's own pages: all that they do is about how somebody signs in."""
        is_closed = str(getattr(view, "__module__", "")).startswith("allauth.")
        return refuse_foreign_hands(request) if is_closed and request.acting_person else None  # type: ignore[attr-defined]


def why_over(request: HttpRequest, acting: Acting, actor: User | None, person: User | None) -> str:
    """Return why the acting must end, in one word; empty while it may go on."""
    if actor is None or not actor.is_active or not state.is_digest_of(acting.digest, actor):
        return "signed out"
    if acting.is_over:
        return "time"
    is_theirs = request.session.get(SESSION_KEY) == str(acting.person)
    if person is None or not is_theirs or not state.is_digest_of(state.digest_in(request.session), person):
        return "changed"
    if acting.company is None:
        decision = can_act_as_office(actor, person)
    elif acting.company != person.company_id:
        return "rights"
    else:
        decision = can_act_as_manager(actor, person)
    return "" if decision.is_allowed else "rights"


def end(request: HttpRequest, because: str, person: User | None) -> HttpResponse:
    """Put who acts back, and lead them to where they are told; what they were about to do is not done."""
    request.user = person or AnonymousUser()
    # hijack's view would ask for the form's token; it came in no form.
    request.csrf_processing_done = True  # type: ignore[attr-defined]
    target = reverse("home:home")
    try:
        if switch.stop(request, because=because):
            request.session[OVER] = [because, str(person or "")]
            target = reverse("accounts:acting_over")
    except Stale:
        pass
    response = HttpResponseClientRedirect(target) if request.headers.get("HX-Request") else redirect(target)
    # This early in the request nothing else would send the new token.
    CsrfViewMiddleware(lambda same: response).process_response(request, response)
    return response
