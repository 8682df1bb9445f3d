"""Messages for tests, and mail servers that behave well or badly."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message as Mail
from itertools import count
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from opscom.messaging.models import Message
from opscom.messaging.services import queue_email, queue_sms

_numbers = count(1)


def make_message(**changes: Any) -> Message:
    """Queue one e-mail of the trial templates."""
    values: dict[str, Any] = {
        "template": "trial/hello",
        "to": "maya@example.org",
        "language": "en",
        "dedupe_key": f"trial:{next(_numbers)}",
        "context": {"name": "Maya O'Neill"},
    }
    return queue_email(**{**values, **changes})


def make_sms(**changes: Any) -> Message:
    """Queue one SMS of the trial templates."""
    values: dict[str, Any] = {
        "template": "trial/hello",
        "to": "+16135550100",
        "language": "en",
        "dedupe_key": f"trial:{next(_numbers)}",
        "context": {"name": "Maya", "code": "1234"},
    }
    return queue_sms(**{**values, **changes})


class MailServer:
    """A handler for aiosmtpd that keeps what it accepts; `misbehave` may answer in its place."""

    def __init__(self, misbehave: Callable[[SMTP, Envelope], str | None] | None = None) -> None:
        self.mails: list[Mail] = []
        self.misbehave = misbehave

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.misbehave(server, envelope) if self.misbehave else None
        if answer:
            return answer
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mail_server(settings: Any, misbehave: Callable[[SMTP, Envelope], str | None] | None = None) -> Iterator[MailServer]:
    """Run a real SMTP server in a thread, and have Django send there."""
    handler = MailServer(misbehave)
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    use_mail_server(settings, controller.port)
    try:
        yield handler
    finally:
        controller.stop()


def use_mail_server(settings: Any, port: int) -> None:
    """Have Django send by SMTP to this port."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5
