"""The portal as it runs for a browser: web, worker and beat as processes of their own, on the demo's university."""

import io
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.core.cache import caches
from django.core.management import call_command
from django.test import override_settings
from psycopg import sql

from accounts.models import User
from boots.models import BootPicture
from demo import places
from demo.data.people import ADMINISTRATOR
from demo.processes import Processes
from demo.supervisor import answers, open_door
from opscom.core.cache import ForgivingRedisCache
from opscom.provider.models import Lot
from permits.models import Sale
from permits.services.allotting import NumberRange, allot_numbers
from tests.conftest import (
    OWN,
    TEMPLATE,
    clone_template,
    database_exists,
    default_database,
    ensure_template,
    maintenance,
)
from tests.factories.accounts import set_field

DATABASE = f"{OWN}_browser"
UNIVERSITY = f"{TEMPLATE}_university"
# Any number will do: it keeps two workers from loading the university at once.
UNIVERSITY_LOCK = 715_518
# Beyond the Redis databases of the workers' own tests, which are emptied before each of them.
REDIS_STEP = 8


@dataclass(frozen=True)
class Site:
    """Where the portal answers, and how a test reaches what is behind it."""

    url: str
    redis_url: str
    media: Path

    @contextmanager
    def opened(self) -> Iterator[None]:
        """For the length of a block, this process reads and writes the site's database, cache and files."""
        before = caches["default"]
        caches["default"] = ForgivingRedisCache(self.redis_url, {})
        files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": self.media}}
        storages = settings.STORAGES | {"default": files}
        try:
            with default_database(DATABASE), override_settings(SITE_URL=self.url, STORAGES=storages):
                yield
        finally:
            caches["default"] = before


@contextmanager
def running_site() -> Iterator[Site]:
    """Load the university and run the portal on it."""
    ensure_university()
    clone_template(DATABASE, UNIVERSITY)
    home = places.make_folder(places.scratch_home(), mode=0o711)
    # Named and owned like the servers' folders: a later run stops what a killed one has left.
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=home))
    processes = Processes(folder)
    processes.own()
    try:
        site = start(processes, folder)
        with site.opened():
            # Their files stayed where the university was loaded.
            BootPicture.objects.all().delete()
        yield site
    finally:
        processes.stop_all()


def start(processes: Processes, folder: Path) -> Site:
    """Start web, worker and beat, and wait until the portal answers."""
    os.environ.setdefault("PORT", "0")
    door = open_door()
    site = Site(f"http://127.0.0.1:{door.getsockname()[1]}", redis_beside(os.environ["REDIS_URL"]), folder / "media")
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.browser.server_settings",
        "DATABASE_URL": urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{DATABASE}")),
        "REDIS_URL": site.redis_url,
        "SITE_URL": site.url,
        "MEDIA_ROOT": str(site.media),
    }
    web = ["gunicorn", "opscom.wsgi:application", "--bind", f"fd://{door.fileno()}", "--worker-class", "gthread"]
    web += ["--threads", "6", "--no-control-socket", "--worker-tmp-dir", str(folder)]
    worker = ["celery", "-A", "opscom.celery:app", "worker", "--beat", "--schedule", str(folder / "beat-schedule")]
    worker += ["--queues", "urgent,celery,bulk", "--pool", "threads", "--concurrency", "2"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    for name, command in {"web": web, "worker": worker}.items():
        processes.spawn(
            name,
            [sys.executable, "-W", "default", "-m", *command],
            env=env,
            log=folder / "log" / f"{name}.log",
            pass_fds=(door.fileno(),),
            # Nothing that they are in the middle of is worth waiting for.
            stop_signal=signal.SIGQUIT,
            patience=2,
        )
    address = door.getsockname()
    door.close()
    wait_for_web(processes, address)
    return site


def wait_for_web(processes: Processes, address: tuple[str, int]) -> None:
    """Wait for the first answer; a process that dies instead shows its log."""
    deadline = time.monotonic() + 60
    while not answers(address):
        for child in processes.children:
            assert child.is_alive, f"{child.name} ended:\n{child.last_lines(40)}"
        assert time.monotonic() < deadline, "the portal does not answer"
        time.sleep(0.1)


def redis_beside(url: str) -> str:
    """Return the address of a Redis database that no other test uses."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{int(parts.path.strip('/') or 0) + REDIS_STEP}"))


def enlarge_the_arena() -> None:
    """Give the lot in which these tests buy numbers for all of them, also when one worker runs them all."""
    sale = Sale.objects.get(permit_type__code="arena-monthly")
    Lot.objects.filter(pk=sale.lot_id).update(stalls=1000)
    office = User.objects.get(email=ADMINISTRATOR)
    allot_numbers(sale=sale, numbers=NumberRange("AR-", 41, 640), actor=office)


def ensure_university() -> None:
    """Load the demo's data once for all workers; the last rename says that it is whole."""
    ensure_template()
    half = f"{UNIVERSITY}_half"
    with maintenance() as connection:
        connection.execute("SET lock_timeout = 0")
        connection.execute("SELECT pg_advisory_lock(%s)", [UNIVERSITY_LOCK])
        if database_exists(connection, UNIVERSITY):
            return
        clone_template(half)
        with default_database(half):
            call_command("demo_data", stdout=io.StringIO())
            # One question more than the registration form has, so that new people meet the profile gate.
            set_field("mobile_phone", state="required")
            enlarge_the_arena()
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(rename.format(sql.Identifier(half), sql.Identifier(UNIVERSITY)))
