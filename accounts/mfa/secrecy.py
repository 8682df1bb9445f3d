"""Digests under which codes are stored: short enough for django-otp's columns, worthless to who reads the table."""

import base64

from django.conf import settings
from django.utils.crypto import salted_hmac

# 96 bits in 16 characters, which is as long as the columns are.
BYTES = 12


def digest(*parts: object) -> str:
    """Return what is stored in place of a code: a digest of all that it is bound to, under the newest secret key."""
    return _digest(parts, settings.SECRET_KEY)


def possible_digests(*parts: object) -> list[str]:
    """Return the digests that the parts may be stored under, after the secret key has been changed, too."""
    return [_digest(parts, secret) for secret in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]]


def _digest(parts: tuple[object, ...], secret: str) -> str:
    value = "|".join(map(str, parts))
    raw = salted_hmac("accounts.mfa", value, secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(raw[:BYTES]).decode()
