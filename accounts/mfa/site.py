"""The office's site asks for the code by itself, too: it must hold if a middleware is ever left out."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from unfold.sites import UnfoldAdminSite

from accounts.mfa import is_verified
from opscom.core.admin import find_by_number


class OfficeSite(UnfoldAdminSite):
    """Unfold's site, for people of the office who have shown a code in this session."""

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_permission(request)) and is_verified(request)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Every page goes through here: those of Django and Unfold, and our own actions."""
        checked: Callable[..., Any] = super().admin_view(find_by_number(view), cacheable)
        return checked
