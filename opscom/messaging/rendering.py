"""Turn an outbox row into what the receiver reads, in the receiver's language and the provider's time zone."""

import logging
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.storage import default_storage
from django.template.backends.django import DjangoTemplates
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.dateparse import parse_date, parse_datetime

from opscom.core import secrets
from opscom.messaging import placeholders, preferences
from opscom.messaging.channels import Attachment, Letter
from opscom.messaging.models import Channel, Message, MessageTemplate
from opscom.provider.selectors import get_provider, get_time_zone

log = logging.getLogger(__name__)
MASK = "[secret]"
DATE = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")


@dataclass(frozen=True, slots=True)
class Rendered:
    """Subject, plain text and HTML; SMS has the text only."""

    subject: str
    text: str
    html: str


def render(message: Message) -> tuple[Letter, Rendered]:
    """Return the letter to send, and what may be kept of it: the same with [secret] for each secret value.

    Raises what the templates raise when they are missing or broken, and FileNotFoundError for a lost attachment.
    """
    hidden = secrets.decrypt(bytes(message.secret_context)) if message.secret_context else {}
    unsubscribe = unsubscribe_link(message)
    shown = _render(message, {**message.context, **hidden, "unsubscribe_url": unsubscribe})
    letter = Letter(
        to=message.to,
        message_id=make_message_id(message),
        subject=shown.subject,
        text=shown.text,
        html=shown.html,
        attachments=[_attach(name) for name in message.attachments],
        headers=unsubscribe_headers(unsubscribe),
    )
    return letter, _render_masked(message, hidden) if hidden else shown


def unsubscribe_link(message: Message) -> str:
    """Return where the reader switches this kind of mail off; empty for mail that cannot be switched off."""
    if message.channel != Channel.EMAIL or not preferences.can_be_switched_off(message.category):
        return ""
    return preferences.make_link(message.to, message.category, message.language)


def unsubscribe_headers(link: str) -> dict[str, str]:
    """Return the headers by which a mail program unsubscribes with one click: RFC 2369 and RFC 8058."""
    if not link:
        return {}
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def make_message_id(message: Message) -> str:
    """Return the Message-ID header: always the same for one row, so that a second copy can be recognised as such."""
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    mark = salted_hmac("messaging.message-id", message.dedupe_key, algorithm="sha256").hexdigest()[:32]
    return f"<{message.pk}.{mark}@{host}>"


def _render_masked(message: Message, hidden: Mapping[str, Any]) -> Rendered:
    # Rendered a second time rather than replaced in the text: a template may have escaped or cut the secret.
    try:
        return _render(message, {**message.context, **mask(hidden)})
    except Exception:
        log.exception("message %s cannot be rendered without its secrets", message.pk)
        return Rendered(MASK, MASK, "")


def mask(value: Any) -> Any:
    """Return the same shape with [secret] in place of each text and number."""
    if isinstance(value, Mapping):
        return {name: mask(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [mask(inner) for inner in value]
    return value if isinstance(value, bool) or value is None else MASK


def revive(value: Any) -> Any:
    """Return JSON values with dates and times made whole again: JSON knows them as text only."""
    if isinstance(value, Mapping):
        return {name: revive(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [revive(inner) for inner in value]
    if not isinstance(value, str) or len(value) > 40:
        return value
    try:
        if MOMENT.fullmatch(value):
            return parse_datetime(value) or value
        return (DATE.fullmatch(value) and parse_date(value)) or value
    except ValueError:
        return value


def _render(message: Message, context: Mapping[str, Any]) -> Rendered:
    with translation.override(message.language), timezone.override(get_time_zone()):
        values = {**revive(context), **common_context()}
        if message.channel == Channel.SMS:
            return Rendered("", _render_text(_file(message, "sms", "txt"), values).strip(), "")
        return _render_override(message, values) or _render_files(message, values)


def common_context() -> dict[str, Any]:
    """Return what every template may use beside its own values."""
    provider = get_provider()
    return {
        "provider": provider,
        "site_url": settings.SITE_URL,
        "language": translation.get_language(),
        "provider_name": provider.name,
        "provider_phone": provider.phone,
        "provider_email": provider.email,
    }


def _render_files(message: Message, values: dict[str, Any]) -> Rendered:
    subject = _render_text(_file(message, "email", "subject.txt"), values)
    text = _render_text(_file(message, "email", "txt"), values)
    html = render_to_string(_file(message, "email", "html"), {**values, "subject": subject.strip()})
    return Rendered(" ".join(subject.split())[:250], text.strip() + "\n", html)


def _render_override(message: Message, values: dict[str, Any]) -> Rendered | None:
    override = MessageTemplate.objects.filter(template=message.template).first()
    language = message.language.lower()
    if not override or not override.subject.get(language) or not override.text.get(language):
        return None
    subject = placeholders.fill(override.subject[language], values)
    text = placeholders.fill(override.text[language], values)
    everything = {**values, "subject": subject, "text": text}
    html = render_to_string("messaging/email/office_text.html", everything)
    return Rendered(" ".join(subject.split())[:250], _render_text("messaging/email/office_text.txt", everything), html)


def _file(message: Message, folder: str, ending: str) -> str:
    app, _slash, name = message.template.partition("/")
    return f"{app}/{folder}/{name}.{ending}"


def _render_text(name: str, values: dict[str, Any]) -> str:
    return str(_text_engine().get_template(name).render(values))


@lru_cache
def _text_engine() -> DjangoTemplates:
    """Plain text must not be escaped: O'Neill is not O&#x27;Neill in a subject."""
    setting: dict[str, Any] = settings.TEMPLATES[0]
    options = {**setting["OPTIONS"], "autoescape": False, "context_processors": []}
    return DjangoTemplates({"NAME": "text", "DIRS": setting["DIRS"], "APP_DIRS": False, "OPTIONS": options})


def _attach(name: str) -> Attachment:
    with default_storage.open(name) as file:
        content = file.read()
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Attachment(name.rpartition("/")[2], content, content_type)
