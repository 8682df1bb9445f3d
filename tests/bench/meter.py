"""Two servers side by side, and what each answer costs them in processor time."""

import http.client
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.db import connection

from demo import places
from demo.processes import Child, Processes, group_members
from demo.supervisor import answers, open_door
from tests.browser.site import DATABASE, redis_beside

TICK = os.sysconf("SC_CLK_TCK")
WARM_UP = 20


@dataclass
class Server:
    """One web server, asked over one connection that stays open."""

    port: int
    child: Child
    cookies: str = ""
    token: str = ""
    size: int = 0
    line: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", self.port)

    def ask(self, path: str, form: dict[str, object] | None = None) -> http.client.HTTPResponse:
        """Return the answer, read to its end; a form is posted with its CSRF token."""
        headers, body = {"Cookie": self.cookies}, None
        if form is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": self.token}
            body = urlencode(form, doseq=True)
        self.line.request("POST" if form is not None else "GET", path, body=body, headers=headers)
        response = self.line.getresponse()
        self.size = len(response.read())
        return response

    def spent(self) -> float:
        """Return the processor seconds that this server and all of PostgreSQL have used so far."""
        return sum(ticks(pid) for pid in [*group_members(self.child.process.pid), *postgres_pids()]) / TICK

    def cost(self, deed: Callable[["Server"], object], times: int) -> float:
        """Return the processor seconds of one deed, after some to warm up."""
        for _n in range(WARM_UP):
            deed(self)
        before = self.spent()
        for _n in range(times):
            deed(self)
        return (self.spent() - before) / times


def postgres_pids() -> list[int]:
    """Return the processes of the PostgreSQL server that we are connected to, and of no other on this machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        own = cursor.fetchone()[0]
    postmaster = parent(own)
    pids = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if parent(pid) == postmaster]


def parent(pid: int) -> int:
    """Return the parent of a process; 0 once it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def ticks(pid: int) -> int:
    """Return the clock ticks of a process and of its children that ended; none once it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(one) for one in fields[11:15])


@contextmanager
def servers() -> Iterator[tuple[Server, Server]]:
    """Run the portal and the bare view, each in one gunicorn worker with threads, as in production."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=places.make_folder(places.scratch_home(), mode=0o711)))
    processes = Processes(folder)
    processes.own()
    try:
        bare = start(processes, "bare", "tests.bench.bare:application")
        portal = start(processes, "portal", "opscom.wsgi:application")
        with closing(bare.line), closing(portal.line):
            yield portal, bare
    finally:
        processes.stop_all()


def start(processes: Processes, name: str, application: str) -> Server:
    """Start one gunicorn and wait until it answers."""
    door = open_door()
    address = door.getsockname()
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.bench.server_settings",
        "DATABASE_URL": urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{DATABASE}")),
        "REDIS_URL": redis_beside(os.environ["REDIS_URL"]),
        "SITE_URL": f"http://127.0.0.1:{address[1]}",
        "MEDIA_ROOT": str(processes.folder / "media"),
    }
    command = [
        "gunicorn",
        application,
        "--bind",
        f"fd://{door.fileno()}",
        "--worker-class",
        "gthread",
        "--threads",
        "4",
    ]
    command += ["--keep-alive", "60", "--no-control-socket", "--worker-tmp-dir", str(processes.folder)]
    log = processes.folder / "log" / f"{name}.log"
    child = processes.spawn(name, [sys.executable, "-m", *command], env=env, log=log, pass_fds=(door.fileno(),))
    door.close()
    while not answers(address):
        assert child.is_alive, child.last_lines(40)
        time.sleep(0.1)
    return Server(address[1], child)
