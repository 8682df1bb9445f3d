"""The health page, ahead of everything that needs the database, a known host name or https."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from opscom.provider.views import health


class HealthMiddleware:
    """Answer the probe before the other layers: they read the provider's row, and probes come by address over http."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return health(request) if request.path_info == "/health/" else self.get_response(request)
