"""Where the demo's e-mail and SMS go: into the demo's inbox instead of the world."""

import base64
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from demo.models import ReceivedMessage


class DemoInboxBackend(BaseEmailBackend):
    """A Django e-mail backend that stores each mail as rows of the inbox, one for each receiver."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Deliver at once; a Message-ID that a receiver has already got is dropped, as good mail servers do."""
        for mail in email_messages:
            for receiver in mail.recipients():
                self._receive(mail, receiver)
        return len(email_messages)

    def _receive(self, mail: EmailMessage, receiver: str) -> None:
        message_id = mail.extra_headers.get("Message-ID", "")
        if message_id and ReceivedMessage.objects.filter(to=receiver, message_id=message_id).exists():
            return
        bodies = [(part[0], part[1]) for part in getattr(mail, "alternatives", [])]
        ReceivedMessage.objects.create(
            channel="email",
            to=receiver,
            sender=mail.from_email,
            message_id=message_id,
            subject=str(mail.subject),
            text=str(mail.body),
            html=next((str(content) for content, kind in bodies if kind == "text/html"), ""),
            attachments=[_pack(*attachment) for attachment in mail.attachments if isinstance(attachment, tuple)],
        )


def _pack(name: str | None, content: bytes | str, content_type: str | None) -> dict[str, str]:
    raw = content.encode() if isinstance(content, str) else content
    return {
        "name": name or "file",
        "type": content_type or "application/octet-stream",
        "content": base64.b64encode(raw).decode(),
    }


class DemoSms:
    """An SMS service whose only telephone is the demo's inbox."""

    def send(self, *, to: str, text: str, reference: str) -> None:
        """Deliver at once."""
        ReceivedMessage.objects.get_or_create(channel="sms", to=to, message_id=reference, defaults={"text": text})
