"""What every page of the portal shows around its content. Nothing here is fetched before a template asks for it."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.mfa import is_verified
from home.selectors import cart_sum, held_quotes, offered_languages
from home.tabs import name_menu, tabs
from opscom.provider.selectors import get_provider


def portal(request: HttpRequest) -> dict[str, Any]:
    """Return the provider, the tabs, the name menu, the cart's sum and the languages, each once it is asked for."""
    held = once(held_quotes, request)
    return {
        "provider": SimpleLazyObject(get_provider),
        "owes_code": once(owes_code, request),
        "tabs": once(tabs, request),
        "name_menu": once(name_menu, request),
        "held_quotes": held,
        "cart_sum": lambda: cart_sum(held()),
        "offered_languages": once(offered_languages),
        "is_demo": settings.OPSCOM_DEMO,
    }


def owes_code(request: HttpRequest) -> bool:
    """Say whether somebody signed in has still to show their one-time password: until then nothing of theirs is shown."""
    return request.user.is_authenticated and not is_verified(request)


def once(function: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    """Return a callable for templates, which call it: at the first use it asks, afterwards it remembers."""
    return cache(partial(function, *args))
