"""One PostgreSQL and one Redis for the whole run; a migrated template database that every worker clones.

The process that starts the run (pytest itself, or xdist's controller) starts the servers and names them in the
environment before anything reads the settings; xdist's workers inherit that. DATABASE_URL and REDIS_URL, when set
by the caller, are used instead; the databases made there carry this run's mark and are dropped at the end.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from demo.scratch import Scratch

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
MARK = "OPSCOM_TEST_RUN"
# Any number will do: it keeps two workers from migrating the template at once.
TEMPLATE_LOCK = 715_517


def start_servers() -> Scratch:
    """Start the servers and hand their addresses on."""
    scratch = Scratch()
    os.environ |= scratch.start()
    os.environ[MARK] = secrets.token_hex(4)
    return scratch


def own_redis_database(url: str) -> str:
    """Return the URL with a database number of this worker's own, after the caller's."""
    parts = urlsplit(url)
    number = int(parts.path.strip("/") or 0) + int(WORKER.removeprefix("gw") or 0)
    return urlunsplit(parts._replace(path=f"/{number}"))


# Here and not in a hook, because other conftest files may import models as soon as they are read.
_scratch = None if WORKER else start_servers()
os.environ["REDIS_URL"] = own_redis_database(os.environ["REDIS_URL"])
os.environ["DJANGO_SETTINGS_MODULE"] = "opscom.settings_test"

try:
    import django

    django.setup()
except BaseException:
    if _scratch:
        _scratch.stop()
    raise

from django.conf import settings  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import TestCase, TransactionTestCase  # noqa: E402

from tests.people import *  # noqa: E402, F403

if os.environ["REDIS_URL"] != settings.REDIS_URL:
    raise RuntimeError("The settings were read before this worker had a Redis database of its own.")

TEMPLATE = f"opscom_template_{os.environ[MARK]}"
OWN = f"opscom_test_{os.environ[MARK]}_{WORKER or 'main'}"


def pytest_xdist_setupnodes() -> None:
    """Let each worker read the settings by itself, after it has named its own Redis database.

    With the module in the environment pytest-django reads them before a worker's conftest does, and all workers would
    share one cache.
    """
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def pytest_unconfigure() -> None:
    """Stop what we started, whether the run ended well, badly or by Ctrl-C."""
    connections.close_all()
    if _scratch:
        drop_databases_of_this_run()
        _scratch.stop()


# Databases


def maintenance() -> closing[psycopg.Connection]:
    """Connect to the database that the environment names: others are made and dropped from there."""
    return closing(psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, options="-c statement_timeout=0"))


def database_exists(connection: psycopg.Connection, name: str) -> bool:
    """Say whether the server has this database."""
    return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone())


def ensure_template() -> None:
    """Migrate the template unless another worker has done so; the last rename says that it is whole."""
    half = f"{TEMPLATE}_half"
    with maintenance() as connection:
        connection.execute("SET lock_timeout = 0")
        connection.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        if database_exists(connection, TEMPLATE):
            return
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(half)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(half)))
        with default_database(half):
            call_command("migrate", verbosity=0, interactive=False)
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(rename.format(sql.Identifier(half), sql.Identifier(TEMPLATE)))


def drop_database(connection: psycopg.Connection, database: sql.Identifier) -> None:
    """Drop the database with whatever is connected to it."""
    try:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
    except psycopg.errors.InsufficientPrivilege:
        # The server's own autovacuum was in it, which a plain role may not end; the plain form asks it to leave.
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(database))


def clone_template(name: str, template: str = TEMPLATE) -> None:
    """Make this database anew, as the migrations left the template; open connections to it are ended."""
    connections.close_all()
    database = sql.Identifier(name)
    with maintenance() as connection:
        drop_database(connection, database)
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        connection.execute(create.format(database, sql.Identifier(template)))


def drop_databases_of_this_run() -> None:
    """Leave nothing on a server that is not ours."""
    if not _scratch or _scratch.owns_postgres:
        return
    with maintenance() as connection:
        query = "SELECT datname FROM pg_database WHERE datname LIKE %s"
        for (name,) in connection.execute(query, [f"opscom\\_%\\_{os.environ[MARK]}%"]).fetchall():
            drop_database(connection, sql.Identifier(name))


@contextmanager
def default_database(name: str) -> Iterator[None]:
    """Point Django's connection at another database for the length of a block."""
    before = settings.DATABASES["default"]["NAME"]
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        settings.DATABASES["default"]["NAME"] = before


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Give this worker its clone of the template."""
    with django_db_blocker.unblock():
        ensure_template()
        clone_template(OWN)
    with default_database(OWN):
        yield


@pytest.fixture(autouse=True)
def clear_cache() -> None:
    """Forget what an earlier test cached: its rows were rolled back, and warm and cold queries count differently."""
    cache.clear()


def commits_for_real(item: pytest.Item) -> bool:
    """Say whether the test leaves committed rows behind."""
    if (case := getattr(item, "cls", None)) and issubclass(case, TransactionTestCase):
        return not issubclass(case, TestCase)
    marker = item.get_closest_marker("django_db")
    names = getattr(item, "fixturenames", ())
    return bool(marker and marker.kwargs.get("transaction")) or "transactional_db" in names or "live_server" in names


# The clone that follows such a test makes the flush needless.
TransactionTestCase._fixture_teardown = lambda self: None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """After a test with real transactions, clone the template again.

    Django's flush would also remove the rows that migrations wrote, and a clone is quicker than flush and restore.
    """
    try:
        return (yield)
    finally:
        if commits_for_real(item):
            clone_template(OWN)
