"""Put messages into the outbox, and what the office may do with them. Sending is `delivery`'s part."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from opscom.core import audit, secrets
from opscom.core.errors import Allowed, Decision, Refused
from opscom.core.hooks import after_commit
from opscom.core.transitions import advance
from opscom.messaging.models import MESSAGE_MOVES, Channel, EmailCategory, Lane, Message, MessageStatus
from opscom.messaging.preferences import SYSTEM

BROKER_PAUSE = 5.0


@dataclass
class _Broker:
    """What this process knows about the broker."""

    away_until: float = 0.0


_broker = _Broker()


def queue_email(
    *,
    template: str,
    to: str,
    language: str,
    dedupe_key: str,
    context: Mapping[str, Any] | None = None,
    secret_context: Mapping[str, Any] | None = None,
    lane: Lane = Lane.BULK,
    category: str = SYSTEM,
    not_before: datetime | None = None,
    attachments: Sequence[str] = (),
) -> Message:
    """Write one e-mail into the outbox, in the caller's transaction; the same `dedupe_key` a second time changes nothing.

    `template` is `<app>/<name>` (three files in `templates/<app>/email/`). `context` holds plain JSON values only: it is
    rendered when sent, in the receiver's language; dates and times come back as such. `secret_context` is stored
    encrypted, wiped when sent, and shown as [secret] to the office. `attachments` are names in the default storage.
    `category` is the code of an EmailCategory for what is not system mail; raises ValueError for one that does not exist.
    """
    if category != SYSTEM and not EmailCategory.objects.filter(code=category).exists():
        raise ValueError(f"There is no e-mail category {category!r}.")
    return _queue(
        dedupe_key,
        secret_context,
        channel=Channel.EMAIL,
        lane=lane,
        template=template,
        to=to,
        language=language,
        category=category,
        context=dict(context or {}),
        not_before=not_before or timezone.now(),
        attachments=list(attachments),
    )


def queue_sms(
    *,
    template: str,
    to: str,
    language: str,
    dedupe_key: str,
    context: Mapping[str, Any] | None = None,
    secret_context: Mapping[str, Any] | None = None,
    lane: Lane = Lane.URGENT,
    category: str = SYSTEM,
    not_before: datetime | None = None,
) -> Message:
    """Write one SMS into the outbox, as `queue_email` does; `to` is in E.164, the text is `templates/<app>/sms/<name>.txt`."""
    return _queue(
        dedupe_key,
        secret_context,
        channel=Channel.SMS,
        lane=lane,
        template=template,
        to=to,
        language=language,
        category=category,
        context=dict(context or {}),
        not_before=not_before or timezone.now(),
    )


def _queue(dedupe_key: str, secret_context: Mapping[str, Any] | None, **fields: Any) -> Message:
    fields["secret_context"] = secrets.encrypt(dict(secret_context)) if secret_context else None
    fields["is_secret"] = bool(secret_context)
    message, made = Message.objects.get_or_create(dedupe_key=dedupe_key, defaults=fields)
    if made:
        _announce_on_commit(message)
    return message


def _announce_on_commit(message: Message) -> None:
    # robust: a dead broker must not turn a committed purchase into an error page; the sweeper sends it later.
    after_commit(announce, message.pk, message.lane)


def announce(message_id: int, lane: str) -> None:
    """Tell a worker that a message waits; when this is lost, the sweeper finds it.

    A broker that did not answer is left alone for some seconds: a page that writes five messages waits for it once.
    """
    from opscom.messaging.tasks import deliver_message  # noqa: PLC0415 - tasks import services

    if time.monotonic() < _broker.away_until:
        return
    try:
        deliver_message.apply_async(args=(message_id,), queue=lane)
    except Exception:
        _broker.away_until = time.monotonic() + BROKER_PAUSE
        raise


def can_send_again(message: Message) -> Decision:
    """Say whether the office may have this message sent once more."""
    if message.status in {MessageStatus.QUEUED, MessageStatus.SENDING}:
        return Refused("waiting", _("This message is still waiting to be sent."))
    if message.is_secret and message.secret_context is None:
        return Refused(
            "secret_gone",
            _("This message held a secret that is no longer kept. Please have the person ask for a new one."),
        )
    return Allowed()


@transaction.atomic
def send_again(*, message: Message, actor: Any) -> Message:
    """Queue a failed message anew, or a copy of a sent one; returns the row that will be sent. Raises NotAllowed."""
    message = Message.objects.select_for_update(no_key=True).get(pk=message.pk)
    can_send_again(message).or_raise()
    if message.status == MessageStatus.FAILED:
        advance(
            message, MessageStatus.QUEUED, table=MESSAGE_MOVES, attempts=0, not_before=timezone.now(), last_error=""
        )
        again = message
    else:
        again = _copy(message)
    _announce_on_commit(again)
    audit.record("message.sent_again", message, actor=actor, queued_as=again.pk)
    return again


def _copy(message: Message) -> Message:
    number = Message.objects.filter(dedupe_key__startswith=f"again:{message.pk}:").count() + 1
    names = ["channel", "lane", "template", "to", "language", "category", "context", "attachments"]
    return Message.objects.create(
        dedupe_key=f"again:{message.pk}:{number}",
        not_before=timezone.now(),
        **{name: getattr(message, name) for name in names},
    )


@transaction.atomic
def cancel_message(*, message: Message, actor: Any = None) -> None:
    """Take a queued message back; its secret is wiped. Raises IllegalMove or Stale once a worker has it."""
    advance(message, MessageStatus.CANCELLED, table=MESSAGE_MOVES, secret_context=None)
    audit.record("message.cancelled", message, actor=actor)
