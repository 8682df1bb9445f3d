"""What the pages behind links that come by e-mail share."""

import hashlib
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts import throttles
from accounts.links import LinkDead, Purpose, read_token
from accounts.models import User

# In the session: the tokens of the links that were opened here, by what stands for them in the address.
OPENED = "opened_links"
# No token begins so.
MARK = "~"
MOST = 5
LinkView = Callable[..., HttpResponse]


def token_out_of_sight(purpose: Purpose) -> Callable[[LinkView], LinkView]:
    """Lead a link that works to an address of the same page without the token, which goes into the session.

    Tokens are secrets; addresses stand in the logs of web servers and in the browser's history. The new address holds a
    digest, so that two links opened in two tabs do not get into each other's way; it opens nothing in another session.
    """

    def decorate(view: LinkView) -> LinkView:
        @wraps(view)
        def hide(request: HttpRequest, token: str) -> HttpResponse:
            if token.startswith(MARK):
                return view(request, token=request.session.get(OPENED, {}).get(token, ""))
            if request.method == "POST" or not _works(token, purpose):
                return view(request, token=token)
            return redirect(request.resolver_match.view_name, token=_keep(request, token))  # type: ignore[union-attr]

        return hide

    return decorate


def open_link(request: HttpRequest, token: str, purpose: Purpose) -> User | None:
    """Return whose link this is; None when it is dead, or when too many were tried from there."""
    if not throttles.may_open_link(request):
        return None
    try:
        return read_token(token, purpose)
    except LinkDead:
        return None


def dead_link(request: HttpRequest) -> HttpResponse:
    """One answer for used, expired and altered links, with the way to a new one."""
    return render(request, "accounts/dead_link.html", status=410)


def _works(token: str, purpose: Purpose) -> bool:
    try:
        read_token(token, purpose)
    except LinkDead:
        return False
    return True


def _keep(request: HttpRequest, token: str) -> str:
    name = MARK + hashlib.sha256(token.encode()).hexdigest()[:16]
    others = {key: kept for key, kept in request.session.get(OPENED, {}).items() if key != name}
    request.session[OPENED] = dict([*others.items(), (name, token)][-MOST:])
    return name
