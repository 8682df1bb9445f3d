"""`Your sessions`: where one is signed in, and ending that."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import own_hands_only, profile_not_required
from accounts.requests import SignedIn
from accounts.sessions import selectors, services
from accounts.views.common import SIGN_IN

SESSIONS = "accounts:sessions"


@profile_not_required
@own_hands_only
@never_cache
@require_safe
def sessions(request: SignedIn) -> HttpResponse:
    """List where one is signed in."""
    places = selectors.places_of(request.user, here=request.session.session_key)
    return render(request, "accounts/sessions.html", {"places": places, "has_others": len(places) > 1})


@profile_not_required
@own_hands_only
@require_POST
def end_session(request: SignedIn, code: str) -> HttpResponse:
    """End one session of one's own; ending this one is signing out."""
    row = selectors.find_session(request.user, code)
    if row is None:
        raise Http404
    is_here = row.session_key == request.session.session_key
    services.end_session(person=request.user, row=row)
    if is_here:
        logout(request)
        return redirect(SIGN_IN)
    messages.success(request, _("That session has ended."))
    return redirect(SESSIONS)


@profile_not_required
@own_hands_only
@require_POST
def end_other_sessions(request: SignedIn) -> HttpResponse:
    """End all sessions but this one."""
    here = request.session.session_key or ""
    count = services.end_sessions(person=request.user, keep=here, actor=request.user)
    text = ngettext("%d other session has ended.", "%d other sessions have ended.", count)
    messages.success(request, text % count if count else _("There was no other session."))
    return redirect(SESSIONS)
