"""How this app puts a mail into the outbox, and the addresses in it."""

import uuid
from typing import Any

from django.conf import settings
from django.urls import reverse

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


def make_link(name: str, language: str, *args: str) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=args)}?lang={language}"
