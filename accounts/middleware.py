"""Language, caches and the profile gate."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from accounts.languages import choose_language, cookie_language, keep_language
from accounts.selectors import missing_fields

AFTER_PROFILE = "after_profile"
GetResponse = Callable[[HttpRequest], HttpResponse]


class LanguageMiddleware:
    """Answer in the language that `choose_language` finds; a link that carries one decides for a device without."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = choose_language(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        if "public" not in response.headers.get("Cache-Control", ""):
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        was_set = settings.LANGUAGE_COOKIE_NAME in response.cookies
        if request.GET.get("lang") == language and not cookie_language(request) and not was_set:
            keep_language(response, language)
        return response


class PrivatePagesMiddleware:
    """What somebody signed in was shown is kept by no cache, and not by the browser's Back after they signed out."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control") and request.user.is_authenticated:
            add_never_cache_headers(response)
        return response


class ProfileGateMiddleware:
    """While a required profile field is empty, lead every page to the profile, and remember where one was going.

    Open stay: public views, views marked `profile_not_required`, the office's site, and the paths of
    PROFILE_GATE_OPEN_PATHS (what is being paid must be finished).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Return the way to the profile, or None to go on."""
        if _is_open(request, view) or not request.user.is_authenticated or not missing_fields(request.user):
            return None
        profile = reverse("accounts:profile")
        if request.htmx:  # type: ignore[attr-defined]
            return HttpResponseClientRedirect(profile)
        if request.method == "GET":
            request.session[AFTER_PROFILE] = request.get_full_path()
        return redirect(profile)


def _is_open(request: HttpRequest, view: Any) -> bool:
    is_public = not getattr(view, "login_required", True)
    is_marked = not getattr(view, "profile_required", True)
    return is_public or is_marked or request.path.startswith(settings.PROFILE_GATE_OPEN_PATHS)
