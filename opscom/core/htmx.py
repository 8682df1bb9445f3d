"""One view serves a whole page and, to htmx, the part of it that changes."""

from django.http import HttpRequest


def choose_template(request: HttpRequest, full: str, part: str) -> str:
    """Return `part` for an htmx swap; `full` for browsers, boosted links and history restores.

    Decorate the view with `vary_on_headers("HX-Request")`, or caches mix the two up.
    """
    htmx = request.htmx  # type: ignore[attr-defined]
    return part if htmx and not htmx.boosted and not htmx.history_restore_request else full
