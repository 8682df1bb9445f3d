"""The one supervisor of a machine without servers: starts everything in order, watches it, stops it in reverse.

A web, worker or beat process that dies is started again, because each of them can be: they keep nothing in memory.
When PostgreSQL or Redis dies, everything stops: the others hold its address, and its log needs a person.
"""

import contextlib
import hashlib
import http.client
import os
import shutil
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from demo import places
from demo.processes import AlreadyRunning, Child, Processes, Stopped
from demo.servers import ServerFailed, kept_password, start_postgres, start_redis

FIRST_PORT = 8000
PORTS_TO_TRY = 100
RESTARTS_ALLOWED = 5
RESTART_WINDOW = 60.0
WEB_PATIENCE = 90.0


@dataclass(frozen=True)
class Program:
    """One of our own long-running processes."""

    name: str
    command: list[str]
    env: dict[str, str]
    patience: float
    pass_fds: tuple[int, ...] = ()


class Supervisor:
    """Everything that `make demo` runs, from the first step to the last process stopped."""

    def __init__(self) -> None:
        self.folder = places.make_folder(places.data_dir(), mode=0o711)
        self.log = self.folder / "log"
        self.processes = Processes(self.folder)
        self.began = time.monotonic()
        self.env: dict[str, str] = {}
        self.programs: dict[Child, Program] = {}
        self.deaths: dict[str, list[float]] = {}

    def say(self, text: str) -> None:
        """Print one line with the seconds since the start."""
        self._print(f"[{time.monotonic() - self.began:6.1f} s] {text}")

    def _print(self, line: str) -> None:
        # A closed terminal or pipe must not keep us from stopping what we started.
        with contextlib.suppress(OSError):
            print(line, flush=True)

    def run(self) -> int:
        """Start, watch until asked to stop, stop; return the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        try:
            leftovers = self.processes.own()
        except AlreadyRunning as running:
            self.say(f"Already running in {self.folder}: {running}")
            return 1
        try:
            if leftovers:
                self.say(f"Stopped what an earlier run had left: {', '.join(leftovers)}")
            self._start_all()
            return self._watch()
        except Stopped:
            return 0
        except ServerFailed as failure:
            self.say(str(failure))
            return 1
        finally:
            self._stop_all()

    def _ask_to_stop(self, number: int, frame: object) -> None:
        self.processes.stopping = True

    def _stop_all(self) -> None:
        self.say("Stopping")
        for child in reversed(self.processes.children[:]):
            self.processes.stop(child)
            self.say(f"{child.name} stopped")
        self.processes.stop_all()

    # Start

    def _start_all(self) -> None:
        database_url = start_postgres(self.processes, self.folder)
        self.say(f"PostgreSQL is ready{' (yours, from DATABASE_URL)' if os.environ.get('DATABASE_URL') else ''}")
        redis_url = start_redis(self.processes, self.folder)
        self.say(f"Redis is ready{' (yours, from REDIS_URL)' if os.environ.get('REDIS_URL') else ''}")
        door = open_door()
        address = f"http://localhost:{door.getsockname()[1]}"
        self.env = self._environment(database_url, redis_url, address)
        self._step("Database is up to date", "migrate", "django", "migrate", "--noinput")
        self._collect_static()
        logins = self._load_demo_data(database_url)
        self._start_programs(door)
        self._wait_for_web(door)
        self.processes.note(f"{address}/ (process {os.getpid()})")
        self.say(f"OPSCOM is at {address}/")
        for line in logins:
            self._print(f"           {line}")
        self.say("Ctrl-C stops it; the next start keeps the data")

    def _environment(self, database_url: str, redis_url: str, address: str) -> dict[str, str]:
        """What our own processes get; what the caller has set goes before our defaults."""
        defaults = {
            "SECRET_KEY": kept_password(self.folder / "secret-key"),
            "OPSCOM_DEMO": "true",
            "SITE_URL": address,
            "MEDIA_ROOT": str(self.folder / "media"),
            "STATIC_ROOT": str(places.CHECKOUT / "var" / "static" / static_mark()),
        }
        ours = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "DJANGO_SETTINGS_MODULE": "opscom.settings",
            "PYTHONUNBUFFERED": "1",
        }
        return defaults | dict(os.environ) | ours

    def _step(self, done: str, name: str, *command: str, env: dict[str, str] | None = None) -> str:
        """Run one of our modules to its end, say one line, and return what it printed; raises ServerFailed with its log."""
        log = self.log / f"{name}.log"
        log.unlink(missing_ok=True)
        child = self.processes.spawn(name, [sys.executable, "-m", *command], env=env or self.env, log=log)
        if self.processes.wait(child):
            raise ServerFailed(f"{name} failed; its log is {log}:\n{child.last_lines()}")
        self.say(done)
        return log.read_text(errors="replace")

    def _collect_static(self) -> None:
        """Collect into a folder that is named after what goes in; runs of one checkout share it."""
        root = Path(self.env["STATIC_ROOT"])
        if root.exists():
            return
        half = root.with_name(f"{root.name}.{os.getpid()}")
        half.mkdir(parents=True)
        env = self.env | {"STATIC_ROOT": str(half)}
        self._step("Static files are collected", "collectstatic", "demo.collect", env=env)
        try:
            half.rename(root)
        except OSError:  # another run was quicker
            shutil.rmtree(half)
        remove_all_but_newest(root.parent)

    def _load_demo_data(self, database_url: str) -> list[str]:
        """Load the demo data once for each database and return the lines with the logins."""
        if not (places.CHECKOUT / "demo" / "management" / "commands" / "demo_data.py").exists():
            return []
        # The embedded server's port changes with each start, its data does not.
        name = hashlib.sha256(database_url.encode()).hexdigest()[:10] if os.environ.get("DATABASE_URL") else "embedded"
        kept = self.folder / f"logins-{name}.txt"
        if not kept.exists():
            places.write_private(kept, self._step("Demo data is loaded", "demo-data", "django", "demo_data"))
        return [line for line in kept.read_text().splitlines() if line.strip()]

    def _start_programs(self, door: socket.socket) -> None:
        for program in our_programs(self.env, self.folder, door):
            self._start(program)
            self.say(f"{program.name} started")

    def _start(self, program: Program) -> None:
        child = self.processes.spawn(
            program.name,
            [sys.executable, "-m", *program.command],
            env=program.env,
            log=self.log / f"{program.name}.log",
            patience=program.patience,
            pass_fds=program.pass_fds,
        )
        self.programs[child] = program

    def _wait_for_web(self, door: socket.socket) -> None:
        deadline = time.monotonic() + WEB_PATIENCE
        while not answers(door.getsockname()):
            self._look_after_children()
            if time.monotonic() > deadline:
                raise ServerFailed(f"The web does not answer; its log is {self.log / 'web.log'}")
            self._pause(0.2)

    # Watch

    def _watch(self) -> int:
        while True:
            self._look_after_children()
            self._pause(0.3)

    def _pause(self, seconds: float) -> None:
        if self.processes.stopping:
            raise Stopped
        time.sleep(seconds)

    def _look_after_children(self) -> None:
        for child in [child for child in self.processes.children if not child.is_alive]:
            ending = f"{child.name} ended with code {child.process.returncode}; its log is {child.log}"
            self.processes.forget(child)
            program = self.programs.pop(child, None)
            if program is None:
                raise ServerFailed(f"{ending}; stopping, because nothing works without it")
            recent = [at for at in self.deaths.get(child.name, []) if at > time.monotonic() - RESTART_WINDOW]
            self.deaths[child.name] = [*recent, time.monotonic()]
            if len(recent) >= RESTARTS_ALLOWED:
                raise ServerFailed(f"{ending}; stopping, because it ended {len(recent) + 1} times in a minute")
            self.say(f"{ending}; starting it again")
            self._pause(min(len(recent), 3))
            self._start(program)


def our_programs(env: dict[str, str], folder: Path, door: socket.socket) -> list[Program]:
    """Describe web, worker and beat."""
    celery = ["celery", "-A", "opscom.celery:app"]
    web = ["gunicorn", "opscom.wsgi:application", "--bind", f"fd://{door.fileno()}", "--workers", "2"]
    web += ["--worker-class", "gthread", "--threads", "4", "--graceful-timeout", "5", "--access-logfile", "-"]
    web += ["--logger-class", "opscom.access_log.AccessLogger"]
    # Its control socket would sit in the home folder, one for all checkouts.
    web += ["--no-control-socket", "--worker-tmp-dir", str(places.make_folder(folder / "tmp", mode=0o700))]
    worker = [*celery, "worker", "--queues", "urgent,celery,bulk", "--concurrency", "2", "--loglevel", "INFO"]
    worker += ["--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "--schedule", str(folder / "beat-schedule"), "--pidfile=", "--loglevel", "INFO"]
    return [
        Program("web", web, env | {"DATABASE_POOL": env.get("DATABASE_POOL", "8")}, 8, (door.fileno(),)),
        Program("worker", worker, env, 15),
        Program("beat", beat, env, 5),
    ]


def open_door() -> socket.socket:
    """Listen on PORT, or the next free one; opened here, so that nobody takes the port while the web starts."""
    host, first = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", FIRST_PORT))
    for port in [0] if first == 0 else range(first, first + PORTS_TO_TRY):
        door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
            door.listen(128)
        except OSError:
            door.close()
            continue
        return door
    raise ServerFailed(f"No port from {first} to {first + PORTS_TO_TRY - 1} is free on {host}: set PORT.")


def answers(address: tuple[str, int]) -> bool:
    """Say whether the web gives any HTTP answer."""
    connection = http.client.HTTPConnection(address[0], address[1], timeout=5)
    try:
        connection.request("GET", "/health/", headers={"Host": "localhost"})
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def static_mark() -> str:
    """Return a mark that changes with any of our static files, the installed apps and the locked packages."""
    # settings.py says which apps bring static files; the lock says which versions of them.
    files = [places.CHECKOUT / "uv.lock", places.CHECKOUT / "opscom" / "settings.py"]
    sources = [folder for folder in places.CHECKOUT.glob("*/static") if folder.parent.name != "var"]
    for folder in [places.CHECKOUT / "static", *sources]:
        files += [file for file in folder.rglob("*") if file.is_file()]
    mark = hashlib.sha256()
    for file in sorted(files):
        seen = file.stat()
        mark.update(f"{file.relative_to(places.CHECKOUT)} {seen.st_mtime_ns} {seen.st_size}\n".encode())
    return mark.hexdigest()[:16]


def remove_all_but_newest(folder: Path, *, kept: int = 3) -> None:
    """Remove old collections, but not one that a demo still running may serve."""
    for old in sorted(folder.iterdir(), key=lambda entry: entry.stat().st_mtime)[:-kept]:
        shutil.rmtree(old, ignore_errors=True)
