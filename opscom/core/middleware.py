"""What surrounds every request: an id for logs and audit, the content policy, and kind words when the database is busy."""

import re
import uuid
from collections.abc import Callable

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from opscom.core.context import request_id
from opscom.core.remember import remembering


class RequestContextMiddleware:
    """Give each request an id, and answer a database time-out with "busy, please try again" instead of a fault."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request_id.set(uuid.uuid4().hex)
        try:
            with remembering():
                response = self.get_response(request)
            response["X-Request-Id"] = request_id.get()
            return response
        finally:
            request_id.reset(token)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """55P03 is a lock that did not come in time, 57014 a statement that took too long, 40P01 a deadlock."""
        state = getattr(error.__cause__, "sqlstate", None) if isinstance(error, OperationalError) else None
        if state in {"55P03", "57014", "40P01"}:
            response = render(request, "busy.html", status=503)
            response["Retry-After"] = "5"
            return response
        return None


def allow_forms_to(response: HttpResponse, origins: list[str]) -> HttpResponse:
    """Let forms of this one page lead to these origins, too, by redirect: browsers stop them otherwise."""
    if origins:
        response._csp_update = {"form-action": origins}  # type: ignore[attr-defined]
    return response


class RequestSizeMiddleware:
    """Refuse a request that is too long before any of it is read, parsed or put on disk.

    Django reads an upload as soon as something asks for the form's token, whoever sends it and wherever to. Without a
    Content-Length it reads nothing, so that there is no way around this.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limits = settings.MOST_REQUEST_BYTES_BY_PATH.items()
        own = (most for path, most in limits if re.match(path, request.path_info))
        limit = next(own, settings.MOST_REQUEST_BYTES)
        length = request.META.get("CONTENT_LENGTH") or ""
        if length.isdecimal() and int(length) > limit:
            # Not this very request: its page may ask for the form's token, and the body would be read after all.
            return render(None, "too_long.html", {"path": request.path_info, "limit": limit}, status=413)
        return self.get_response(request)


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """Two policies by path: the office's pages (Unfold's Alpine) need more than the portal's."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and request.path.startswith("/admin/"):
            parts.config = settings.ADMIN_CONTENT_SECURITY_POLICY
        return parts
