"""What every page of the portal shows around its content."""

from typing import Any

from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, Any]:
    """Return the provider."""
    from opscom.provider.selectors import get_provider

    return {"provider": get_provider()}
