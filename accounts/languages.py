"""In which language a device, a link or a person is answered."""

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import get_user
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from accounts.selectors import offered_languages


def choose_language(request: HttpRequest) -> str:
    """Return the device's choice, else the link's `?lang=`, else the person's language, else the browser's."""
    offered = [code for code, _name in offered_languages()]
    for wanted in (cookie_language(request), request.GET.get("lang")):
        if wanted in offered:
            return str(wanted)
    # Only now, because it costs a look at the session and the person.
    language = getattr(_at_keyboard(request), "language", None) if SESSION_KEY in request.session else None
    return language if language in offered else browser_language(request, offered)


def _at_keyboard(request: HttpRequest) -> object:
    # This early in the request `request.user` is not there yet.
    return getattr(request, "acting_person", None) or get_user(request)


def cookie_language(request: HttpRequest) -> str | None:
    """Return what was chosen on this device, if anything was."""
    return request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)


def browser_language(request: HttpRequest, offered: list[str]) -> str:
    """Return the first of the browser's languages that is offered; `fr` and `fr-be` find `fr-ca`."""
    for wanted, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        try:
            found = get_supported_language_variant(wanted)
        except LookupError:
            continue
        if found in offered:
            return found
    return offered[0]


def is_choice_due(request: HttpRequest) -> bool:
    """Say whether this device has yet to choose: it has not, there is a choice, and the link brought no language."""
    offered = [code for code, _name in offered_languages()]
    return len(offered) > 1 and cookie_language(request) not in offered and request.GET.get("lang") not in offered


def keep_language(response: HttpResponse, code: str) -> None:
    """Keep the choice on the device for a year."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
