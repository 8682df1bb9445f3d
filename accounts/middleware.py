"""Language and the profile gate."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class LanguageMiddleware:
    """Placeholder until the language choice lands."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


class ProfileGateMiddleware(LanguageMiddleware):
    """Placeholder until the profile gate lands."""
