"""Have a page wait until its disclaimer is agreed to."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from opscom.provider.selectors import needs_agreement

View = Callable[..., HttpResponse]


def agree_url(kind: str, back_to: str) -> str:
    """Return the address of the disclaimer's page, which leads back to the path `back_to`."""
    return f"{reverse('provider:agree', args=[kind])}?{urlencode({'next': back_to})}"


def disclaimer_required(kind: str) -> Callable[[View], View]:
    """Decorate a view: who has not agreed to the disclaimer as it stands is led to it first, and back afterwards."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated or not needs_agreement(request.user, kind):
                return view(request, *args, **kwargs)
            if request.htmx:  # type: ignore[attr-defined]
                # htmx would follow a redirect inside the part that it swaps.
                return HttpResponseClientRedirect(agree_url(kind, request.get_full_path()))
            return HttpResponseRedirect(agree_url(kind, request.get_full_path()))

        return wrapped

    return decorate
