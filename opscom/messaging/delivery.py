"""Send what stands in the outbox: claim with a lease, render, hand over, mark. Each step may be the last one before a crash.

A claim is committed before anything is sent, so two workers never send the same row; a worker that dies leaves a lease
that runs out, and the next one takes over. Each claim raises `attempts`, which fences off a worker that comes back late.
"""

import datetime as dt
import logging
import time
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from opscom.core.transitions import advance
from opscom.messaging import preferences
from opscom.messaging.channels import Permanent, Temporary, email, sms
from opscom.messaging.models import MESSAGE_MOVES, Channel, Message, MessageStatus
from opscom.messaging.rendering import Rendered, render

log = logging.getLogger(__name__)
S = MessageStatus

# Longer than any send may take: each network step of a send has its own, much shorter, time-out.
LEASE = dt.timedelta(minutes=5)
FIRST_DELAY = dt.timedelta(seconds=15)
LONGEST_DELAY = dt.timedelta(hours=1)
# With these delays the last attempt comes a good day after the first: a mail server may be away overnight.
MAX_ATTEMPTS = 34
# Words for the office, in the language of the other errors here.
UNSUBSCRIBED = "Not sent: this address has unsubscribed from the category."
SECRET_KEPT = dt.timedelta(days=3)
SENDERS = {Channel.EMAIL: email.send, Channel.SMS: sms.send}


def deliver(message_id: int) -> str | None:
    """Claim this message and send it; returns its new status, or None when it is not due or another worker has it."""
    message = claim(message_id=message_id)
    return send_claimed(message) if message else None


def deliver_due(*, seconds: float = 15, limit: int = 200) -> int:
    """Send what is due, urgent first, until nothing is left or the time is up; returns how many rows were worked on.

    Stops after three failures in a row: the peer is likely away, and each try costs its time-out.
    """
    deadline = time.monotonic() + seconds
    count = failures = 0
    while count < limit and failures < 3 and time.monotonic() < deadline:
        message = claim()
        if message is None:
            break
        count += 1
        failures = 0 if send_claimed(message) == S.SENT else failures + 1
    return count


def claim(*, message_id: int | None = None) -> Message | None:
    """Take one due message (this one, or the most urgent) for the length of the lease; None when there is none."""
    while True:
        with transaction.atomic():
            now = timezone.now()
            due = Message.objects.filter(
                Q(status=S.QUEUED, not_before__lte=now) | Q(status=S.SENDING, leased_until__lte=now)
            )
            if message_id is not None:
                due = due.filter(pk=message_id)
            message = due.select_for_update(skip_locked=True, no_key=True).order_by("-lane", "not_before").first()
            if message is None:
                return None
            if message.attempts < MAX_ATTEMPTS:
                attempts = message.attempts + 1
                advance(message, S.SENDING, table=MESSAGE_MOVES, leased_until=now + LEASE, attempts=attempts)
                return message
            # Its worker died every time: this one is left to the office.
            advance(message, S.FAILED, table=MESSAGE_MOVES, leased_until=None, last_error="The worker died.")


def send_claimed(message: Message) -> str:
    """Render and send a claimed message, and mark what came of it; returns the status that it was given.

    Whether the reader wants such mail is asked here, at the last moment: they may have unsubscribed since it was written.
    """
    if message.channel == Channel.EMAIL and not preferences.is_wanted(message.to, message.category):
        return _finish(message, S.CANCELLED, secret_context=None, last_error=UNSUBSCRIBED)
    try:
        letter, kept = render(message)
    except Exception as error:
        # A fault in a template or a lost file: trying the same again will not help, the office can once it is mended.
        log.exception("message %s cannot be rendered", message.pk)
        return _finish(message, S.FAILED, last_error=f"{type(error).__name__}: {error}"[:500])
    try:
        SENDERS[Channel(message.channel)](letter)
    except Permanent as error:
        return _finish(message, S.FAILED, last_error=str(error)[:500], **_kept(kept))
    except Temporary as error:
        return _put_back(message, str(error), kept)
    except Exception as error:
        log.exception("message %s was not sent", message.pk)
        return _put_back(message, f"{type(error).__name__}: {error}", kept)
    return _finish(message, S.SENT, sent_at=timezone.now(), secret_context=None, last_error="", **_kept(kept))


def backoff(attempts: int) -> dt.timedelta:
    """Return how long to wait after so many attempts: 15 s, doubled each time, an hour at the most."""
    return min(FIRST_DELAY * 2 ** min(attempts - 1, 20), LONGEST_DELAY)


def _put_back(message: Message, error: str, kept: Rendered) -> str:
    if message.attempts >= MAX_ATTEMPTS:
        return _finish(message, S.FAILED, last_error=error[:500], **_kept(kept))
    later = timezone.now() + backoff(message.attempts)
    return _finish(message, S.QUEUED, not_before=later, last_error=error[:500])


def _kept(kept: Rendered) -> dict[str, Any]:
    return {"subject": kept.subject, "body": kept.text, "html": kept.html}


@transaction.atomic
def _finish(message: Message, to: MessageStatus, **changes: Any) -> str:
    """Mark the message, unless our lease ran out and another worker has claimed it since: then the mark is theirs."""
    ours = Message.objects.filter(pk=message.pk, status=S.SENDING, attempts=message.attempts)
    if not ours.select_for_update(no_key=True).exists():
        log.warning("message %s was taken over while it was being sent", message.pk)
        return to
    advance(message, to, table=MESSAGE_MOVES, leased_until=None, **changes)
    return to


def wipe_old_secrets() -> int:
    """Forget the secrets of messages that failed days ago: they have run out, and nobody should be able to send them."""
    old = Message.objects.filter(
        status=S.FAILED, secret_context__isnull=False, created_at__lt=timezone.now() - SECRET_KEPT
    )
    return old.update(secret_context=None)
