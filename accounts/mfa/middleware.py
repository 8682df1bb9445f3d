"""After the sign-in every page leads to the one-time password, until one has been shown where one is asked."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from accounts.mfa import is_verified

# Where somebody was going, kept in the session.
AFTER_CODE = "after_code"


class CodeMiddleware:
    """Let nobody past who has not shown the code that is asked of them.

    Open stay exactly the public views and those marked `code_not_required`: the manual's five pages. Stands after
    whatever says who sits at the keyboard, and before the profile gate.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Return the way to the code page, or None to go on."""
        is_public = not getattr(view, "login_required", True)
        is_marked = not getattr(view, "code_required", True)
        if is_public or is_marked or not request.user.is_authenticated or is_verified(request):
            return None
        page = reverse("accounts:one_time_password")
        if request.htmx:  # type: ignore[attr-defined]
            return HttpResponseClientRedirect(page)
        if request.method == "GET":
            request.session[AFTER_CODE] = request.get_full_path()
        return redirect(page)
