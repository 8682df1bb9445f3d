"""What follows a commit, and may fail without harm to what was committed."""

from collections.abc import Callable
from typing import Any

from django.db import transaction


def after_commit(deed: Callable[..., Any], *args: Any) -> None:
    """Call `deed(*args)` once this transaction is committed; an exception is logged, and the request goes on.

    Not `on_commit(partial(...), robust=True)`: to log a failure Django asks for the callback's name, which a partial
    lacks, and so the failure comes through after all.
    """

    def run() -> None:
        deed(*args)

    run.__qualname__ = getattr(deed, "__qualname__", repr(deed))
    transaction.on_commit(run, robust=True)
