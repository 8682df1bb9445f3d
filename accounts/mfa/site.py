"""The office's site asks for the code by itself, too: it must hold if a middleware is ever left out."""

from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite

from accounts.mfa import is_verified


class OfficeSite(UnfoldAdminSite):
    """Unfold's site, for people of the office who have shown a code in this session."""

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_permission(request)) and is_verified(request)
