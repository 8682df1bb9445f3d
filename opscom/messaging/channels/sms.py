"""SMS through the class that the setting SMS_BACKEND names; none is named until a service is configured."""

from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from opscom.messaging.channels import Letter, Permanent


class SmsBackend(Protocol):
    """Sends one text; raises Temporary or Permanent."""

    def send(self, *, to: str, text: str, reference: str) -> None:
        """Hand the text over; `reference` is the same when a message is sent again after a crash."""
        ...


def send(letter: Letter) -> None:
    """Hand the text to the SMS service; raises Temporary or Permanent."""
    if not settings.SMS_BACKEND:
        raise Permanent("SMS is not configured.")
    backend: SmsBackend = import_string(settings.SMS_BACKEND)()
    backend.send(to=letter.to, text=letter.text, reference=letter.message_id)
