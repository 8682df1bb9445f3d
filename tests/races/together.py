"""Do several things in one moment, on connections of their own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection

from opscom.core.errors import DomainError


def together(deeds: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the deeds in threads that start at one moment; a DomainError is returned in place of a result."""
    gate = Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            gate.wait(timeout=20)
            return deed()
        except DomainError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def assert_books_and_numbers_are_right() -> None:
    """Every rule of `check_invariants` holds."""
    from accounts.invariants import check_people
    from payments.invariants import check_books
    from permits.invariants import check_permits

    assert [*check_people(), *check_books(), *check_permits()] == []
