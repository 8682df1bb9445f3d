"""The office reads and types times as its own clock shows them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from opscom.provider.selectors import get_time_zone


class OfficeTimeMiddleware:
    """Put the office's site into the provider's time zone: its lists and forms show and take times without naming one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin/"):
            return self.get_response(request)
        # Template responses are rendered inside `get_response`, so they stand in the zone, too.
        with timezone.override(get_time_zone()):
            return self.get_response(request)
