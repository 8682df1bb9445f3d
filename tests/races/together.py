"""Do several things in one moment, on connections of their own."""

import datetime as dt
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone

from opscom.celery import app
from opscom.core.errors import DomainError

# When rows are due again; each is a column of several tables.
DUE = ("next_check_at", "next_try_at", "leased_until")
LONG = dt.timedelta(days=1)


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
    from boots.invariants import check_boots
    from lockers.invariants import check_lockers
    from payments.invariants import check_books
    from permits.invariants import check_permits
    from violations.invariants import check_tickets

    checks = [check_people(), check_books(), check_permits(), check_lockers(), check_tickets(), check_boots()]
    assert [problem for check in checks for problem in check] == []


def let_hours_pass(rounds: int = 2) -> None:
    """Let whatever waits be due, and every task of the beat do its part: what remains then, remains."""
    from payments.models import GatewayEvent

    for _round in range(rounds):
        past = timezone.now() - dt.timedelta(seconds=1)
        for model in apps.get_models():
            for name in {field.name for field in model._meta.local_fields} & set(DUE):
                model._default_manager.filter(**{f"{name}__isnull": False}).update(**{name: past})
        GatewayEvent.objects.filter(handled_at=None).update(received_at=past - LONG)
        for name in tasks_of_money():
            app.tasks[name]()


def tasks_of_money() -> list[str]:
    """Return the beat's tasks about money, permits and tickets, but the one that only makes files."""
    app.loader.import_default_modules()
    names = [entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]
    return [
        name
        for name in names
        if name.startswith(("payments.", "permits.", "lockers.", "violations.", "boots."))
        and name != "permits.make_missing_documents"
    ]
