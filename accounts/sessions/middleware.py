"""The list of sessions is kept while people use the portal."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from accounts.sessions.services import note_seen


class SeenMiddleware:
    """Note that a session is used; one that was ended, but survived in a cache, ends here.

    Only behind the sign-in: public pages do not ask who comes. Stands after whatever says who sits at the keyboard.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Return the way to the sign-in for a session that was ended, or None to go on."""
        if not getattr(view, "login_required", True) or not request.user.is_authenticated or note_seen(request):
            return None
        logout(request)
        return redirect_to_login(request.get_full_path())
