"""Authenticator apps. The e-mailed and the recovery codes are django-otp's own rows."""

import base64
from urllib.parse import quote

from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from opscom.core.secrets import open_short, seal_short
from opscom.provider.selectors import get_provider


class AppDevice(TOTPDevice):
    """django-otp's device with its key sealed: who reads the table cannot make codes."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = "authenticator app"

    @classmethod
    def make(cls, **fields: object) -> "AppDevice":
        """Return a new row with a fresh key, saved; it counts for nothing until it is `confirmed`."""
        device = cls(key=seal_short(bytes.fromhex(random_hex(20))), confirmed=False, name="app", **fields)
        device.save()
        return device

    @property
    def bin_key(self) -> bytes:
        """The key itself, for the arithmetic and for the picture that the app reads; raises InvalidTag."""
        return open_short(self.key)

    @property
    def config_url(self) -> str:
        """What the picture says to an authenticator app: whose key it is, and where."""
        issuer = get_provider().name.replace(":", " ")
        label = quote(f"{issuer}:{self.user.contact_email or self.user.code}")
        key = base64.b32encode(self.bin_key).decode()
        return f"otpauth://totp/{label}?secret={key}&issuer={quote(issuer, safe='')}&digits={self.digits}"

    @property
    def key_text(self) -> str:
        """The key as people type it into an app that cannot see the picture: groups of four letters and digits."""
        letters = base64.b32encode(self.bin_key).decode().rstrip("=")
        return " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))
