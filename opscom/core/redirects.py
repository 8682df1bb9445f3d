"""Back to where one came from, but never to somebody else's site."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def safe_next(request: HttpRequest, default: str = "") -> str:
    """Return the `next` of the request (form first, then address) when it is a path of ours; `default` otherwise."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    return target if is_own_path(target) else default


def is_own_path(target: str) -> bool:
    """Say whether a redirect to `target` stays here. A bare word is refused, too: `redirect` takes it for a view's name."""
    return target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
