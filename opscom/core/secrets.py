"""Secrets at rest: encrypted with rotating keys, so that a stolen copy of the database tells nothing."""

import base64
import hashlib
import json
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def _fernet() -> MultiFernet:
    keys = list(settings.FIELD_ENCRYPTION_KEYS)
    for secret in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]:
        keys.append(base64.urlsafe_b64encode(hashlib.sha256(b"opscom.fields" + secret.encode()).digest()).decode())
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(value: Any) -> bytes:
    """Encrypt a JSON value with the newest key."""
    return _fernet().encrypt(json.dumps(value).encode())


def decrypt(token: bytes) -> Any:
    """Decrypt what `encrypt` made, with any key still known; raises cryptography's InvalidToken otherwise."""
    return json.loads(_fernet().decrypt(bytes(token)))
