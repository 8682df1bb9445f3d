"""How this app puts a mail into the outbox, and the addresses in it."""

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import override

from accounts.models import User
from opscom.messaging.models import Lane
from opscom.messaging.services import queue_email
from opscom.provider.selectors import get_provider


def send(
    name: str,
    to: str,
    language: str,
    *,
    context: dict[str, Any] | None = None,
    secret: dict[str, Any] | None = None,
    key: str = "",
) -> None:
    """Queue the mail; a second one with the same `key` is not sent."""
    queue_email(
        template=f"accounts/{name}",
        to=to,
        language=language,
        # Each request is a message of its own: what limits their number is the throttle, not this key.
        dedupe_key=f"accounts.{name}:{key or uuid.uuid4().hex}",
        context={"hours": get_provider().password_link_hours, **(context or {})},
        secret_context=secret,
        lane=Lane.URGENT,
    )


def write_to(
    person: User, template: str, *, key: str, about: Callable[[], dict[str, Any]], lane: Lane = Lane.URGENT
) -> None:
    """Queue a mail of any app to a person, in their language; who has no address gets none.

    `about` makes what the mail says: it is called while their language is active, so that words and dates are in it. A
    second mail with the same `key` is not sent.
    """
    if not person.contact_email:
        return
    with override(person.language):
        queue_email(
            template=template,
            to=person.contact_email,
            language=person.language,
            dedupe_key=key,
            context={"first_name": person.get_short_name(), **about()},
            lane=lane,
        )


def make_link(name: str, language: str, *args: str) -> str:
    """Return the page's whole address; it carries the language, so that it opens in that of the mail."""
    return f"{settings.SITE_URL}{reverse(name, args=args)}?lang={language}"
