"""gunicorn's log of requests, without the secrets that stand in addresses. Named by `--logger-class`."""

import re
from typing import Any

from gunicorn.glogging import Logger

# No code or name that we print is so long; every token that opens something is.
SECRET = re.compile(r"[\w\-:.~%]{40,}")
# What of a request holds an address: the request line, path, query, and the page before.
ADDRESSES = ("r", "U", "q", "f")


class AccessLogger(Logger):
    """Writes a mailed link, or what an identity provider sends back, as three dots."""

    def atoms(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the parts of a line, with secrets left out."""
        parts: dict[str, Any] = super().atoms(*args, **kwargs)
        return parts | {name: hide_secrets(parts[name]) for name in ADDRESSES}


def hide_secrets(address: str | None) -> str:
    """Return the address with each long token in it as three dots; the origin of a full address stays."""
    start, slashes, rest = (address or "").rpartition("://")
    return start + slashes + SECRET.sub("...", rest)
