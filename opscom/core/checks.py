"""Refuse to start where the demo would be open to the public."""

import ipaddress
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

# Names that no public resolver answers (RFC 2606, RFC 6761, RFC 6762).
HOME_NAMES = ("localhost", ".localhost", ".local", ".test", ".example", ".invalid")


def is_at_home(host: str) -> bool:
    """Say whether a host name or address can only be this machine, a private network, or a name made for tests."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.endswith(HOME_NAMES)
    return address.is_loopback or address.is_private


def refuse_public_demo(*, is_demo: bool, site_url: str, allowed_hosts: list[str]) -> None:
    """Raise ImproperlyConfigured, so that no process starts, when the demo is on behind an address of the outside world.

    The demo bank gives permits away for made-up cards, and the demo's inbox shows everybody's mail.
    """
    hosts = [urlsplit(site_url).hostname or "", *allowed_hosts]
    public = [host for host in hosts if not is_at_home(host)]
    if is_demo and public:
        raise ImproperlyConfigured(
            f"OPSCOM_DEMO is on and this process would answer as {', '.join(public)}. Unset OPSCOM_DEMO: the demo bank "
            "accepts made-up cards and the demo inbox shows everybody's mail."
        )
