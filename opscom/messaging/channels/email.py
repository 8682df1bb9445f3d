"""E-mail through Django's e-mail backend: SMTP, a service's backend, or the demo's inbox."""

import smtplib
from email.utils import parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address
from django.core.validators import validate_email

from opscom.messaging.channels import Letter, Permanent, Temporary
from opscom.provider.selectors import get_provider

OURS = (
    smtplib.SMTPConnectError,
    smtplib.SMTPHeloError,
    smtplib.SMTPAuthenticationError,
    smtplib.SMTPSenderRefused,
)


def send(letter: Letter) -> None:
    """Hand the letter to the mail server; raises Temporary or Permanent."""
    try:
        validate_email(letter.to)
        _compose(letter).send()
    except ValidationError as error:
        # A mail server would take a bare name for one of its own users.
        raise Permanent(f"Not an e-mail address: {letter.to}") from error
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()), (450, b""))
        raise _judge(code, answer) from error
    except OURS as error:
        # The server, our account or our sender address is at fault, not this message: it waits until that is mended.
        raise Temporary(_words(error.smtp_code, error.smtp_error)) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Permanent(str(error)) from error
    except smtplib.SMTPResponseException as error:
        raise _judge(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Temporary(f"{type(error).__name__}: {error}") from error
    except (ValueError, IndexError) as error:  # UnicodeError and BadHeaderError are ValueErrors
        raise Permanent(f"{type(error).__name__}: {error}") from error


def _compose(letter: Letter) -> EmailMultiAlternatives:
    provider = get_provider()
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    mail = EmailMultiAlternatives(
        subject=" ".join(letter.subject.split()),
        body=letter.text,
        from_email=sanitize_address((" ".join(provider.name.split()), address), "utf-8"),
        to=[letter.to],
        reply_to=[provider.email] if provider.email else None,
        # Auto-Submitted keeps out-of-office robots from answering.
        headers={"Message-ID": letter.message_id, "Auto-Submitted": "auto-generated", **letter.headers},
    )
    if letter.html:
        mail.attach_alternative(letter.html, "text/html")
    for attachment in letter.attachments:
        mail.attach(attachment.name, attachment.content, attachment.content_type)
    return mail


def _judge(code: int, answer: bytes | str) -> Exception:
    return (Permanent if 500 <= code < 600 else Temporary)(_words(code, answer))


def _words(code: int, answer: bytes | str) -> str:
    return f"{code} {answer.decode(errors='replace') if isinstance(answer, bytes) else answer}"
