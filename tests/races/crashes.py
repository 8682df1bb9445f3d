"""Kill a deed before each of its writes, as `kill -9` would: nothing after it happens."""

from collections.abc import Callable

from django.db import connection

from tests.races.together import assert_books_and_numbers_are_right, let_hours_pass


class Killed(BaseException):
    """The process is gone."""


def killed_at(number: int, deed: Callable[[], object]) -> bool:
    """Do it, dead before its write of this number; returns whether it was killed (else it had fewer)."""
    seen = -1

    def count(execute, sql, params, many, context):
        nonlocal seen
        seen += not sql.startswith("SELECT")
        if seen == number:
            raise Killed
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(count):
            deed()
    except Killed:
        connection.close()
        return True
    return False


def at_each_write(make: Callable[[], Callable[[], object]], check: Callable[[], None]) -> None:
    """Make a deed anew, kill it one write later each time, let the beat run, and look."""
    for number in range(100):
        deed = make()
        was_killed = killed_at(number, deed)
        let_hours_pass()
        check()
        assert_books_and_numbers_are_right()
        if not was_killed:
            assert number > 2
            return
    raise AssertionError("It never ended.")
