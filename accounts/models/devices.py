"""Authenticator apps. The e-mailed and the recovery codes are django-otp's own rows."""

from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from opscom.core.secrets import open_short, seal_short


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
