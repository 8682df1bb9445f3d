"""Put messages into the outbox. Sending them is the worker's part."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from opscom.core import secrets
from opscom.messaging.models import Channel, Lane, Message


def queue_email(
    *,
    template: str,
    to: str,
    language: str,
    dedupe_key: str,
    context: Mapping[str, Any] | None = None,
    secret_context: Mapping[str, Any] | None = None,
    lane: Lane = Lane.BULK,
    category: str = "system",
    not_before: datetime | None = None,
    attachments: Sequence[str] = (),
) -> Message:
    """Write one e-mail into the outbox, in the caller's transaction; the same `dedupe_key` a second time changes nothing.

    `template` is `<app>/<name>` (three files in `templates/<app>/email/`). `context` holds plain JSON values only: it is
    rendered when sent, in the receiver's language. `secret_context` is stored encrypted, wiped when sent, and shown as
    [secret] to the office.
    """
    message, made = Message.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            "channel": Channel.EMAIL,
            "lane": lane,
            "template": template,
            "to": to,
            "language": language,
            "category": category,
            "context": dict(context or {}),
            "secret_context": secrets.encrypt(dict(secret_context)) if secret_context else None,
            "is_secret": bool(secret_context),
            "not_before": not_before or timezone.now(),
            "attachments": list(attachments),
        },
    )
    if made:
        # robust: a dead broker must not turn a committed purchase into an error page; the sweeper sends it later.
        transaction.on_commit(partial(announce, message.pk, message.lane), robust=True)
    return message


def announce(message_id: int, lane: str) -> None:
    """Tell a worker that a message waits; when this is lost, the sweeper finds it."""
    from opscom.messaging.tasks import deliver_message  # tasks import services

    deliver_message.apply_async(args=[message_id], queue=lane)
