"""Certificates and keys as the office pastes them: checked when they are saved, not when somebody wants to come in."""

import re
import textwrap

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

BARE = re.compile(r"[A-Za-z0-9+/=\s]+")


def clean_certificate(text: str) -> str:
    """Return the certificate as PEM; bare base64, as it stands in metadata, is given its frame. Raises ValidationError."""
    text = text.strip().replace("\r\n", "\n")
    if text and BARE.fullmatch(text):
        body = "\n".join(textwrap.wrap("".join(text.split()), 64))
        text = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"
    if text:
        read_certificate(text)
    return text


def read_certificate(text: str) -> x509.Certificate:
    """Return the certificate; raises ValidationError with words for who pasted it."""
    if "PRIVATE KEY" in text:
        raise ValidationError(_("This is a private key. The certificate is asked for here."))
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise ValidationError(
            _("This is not a certificate in PEM form: it begins with -----BEGIN CERTIFICATE----- and is pasted whole.")
        ) from error


def clean_key(text: str, certificate: str) -> str:
    """Return the private key as it was pasted, if it belongs to the certificate; raises ValidationError."""
    text = text.strip().replace("\r\n", "\n")
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except TypeError as error:
        raise ValidationError(_("This key is protected by a passphrase. Paste it without.")) from error
    except ValueError as error:
        raise ValidationError(_("This is not a private key in PEM form.")) from error
    if not certificate:
        raise ValidationError(_("Our certificate must be given together with its key."))
    ours = read_certificate(certificate).public_key()
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != ours.public_bytes(*form):
        raise ValidationError(_("This key does not belong to our certificate."))
    return text


def is_expired(text: str) -> bool:
    """Say whether the certificate's last day is over: signatures by it are still taken, but the other side may renew it."""
    return bool(text) and read_certificate(text).not_valid_after_utc < timezone.now()
