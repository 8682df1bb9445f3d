"""Secrets at rest: encrypted with rotating keys, so that a stolen copy of the database tells nothing."""

import base64
import hashlib
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE = 12


def _keys() -> list[str]:
    keys = list(settings.FIELD_ENCRYPTION_KEYS)
    for secret in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]:
        keys.append(base64.urlsafe_b64encode(hashlib.sha256(b"opscom.fields" + secret.encode()).digest()).decode())
    return keys


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in _keys()])


def _short_ciphers() -> list[AESGCM]:
    return [AESGCM(hashlib.sha256(b"opscom.short" + key.encode()).digest()) for key in _keys()]


def encrypt(value: Any) -> bytes:
    """Encrypt a JSON value with the newest key."""
    return _fernet().encrypt(json.dumps(value).encode())


def decrypt(token: bytes) -> Any:
    """Decrypt what `encrypt` made, with any key still known; raises cryptography's InvalidToken otherwise."""
    return json.loads(_fernet().decrypt(bytes(token)))


def seal_short(value: bytes) -> str:
    """Encrypt a few bytes into little text, for columns too short for `encrypt`: 20 bytes become 64 characters."""
    nonce = os.urandom(NONCE)
    return base64.urlsafe_b64encode(nonce + _short_ciphers()[0].encrypt(nonce, value, None)).decode()


def open_short(sealed: str) -> bytes:
    """Decrypt what `seal_short` made, with any key still known; raises cryptography's InvalidTag otherwise."""
    raw = base64.urlsafe_b64decode(sealed)
    for cipher in _short_ciphers():
        try:
            return cipher.decrypt(raw[:NONCE], raw[NONCE:], None)
        except InvalidTag:
            continue
    raise InvalidTag
