"""The real processes of `make demo`: they come up, answer, survive a killed supervisor, and all of them go."""

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from http.cookiejar import CookieJar
from pathlib import Path

import psycopg
import pytest

from demo import places

ADDRESS = re.compile(r"OPSCOM is at http://localhost:(\d+)/")
# Loading the demo's data takes a minute on a busy machine; a start that hangs still ends.
START_SECONDS = 400


class Demo:
    """`python -m demo` in a data folder of its own, on any free port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "output.txt"
        # The test's own servers must not be taken for the user's.
        ours = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY", "OPSCOM_DEMO", "EMAIL_URL")
        self.env = {key: value for key, value in os.environ.items() if key not in ours}
        self.env |= {"OPSCOM_DATA_DIR": str(folder / "data here"), "PORT": "0"}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """Start it, wait for the address, return the port."""
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "demo"],
                cwd=places.CHECKOUT,
                env=self.env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(lambda: self.port() or self.process.poll() is not None, START_SECONDS)
        assert self.port(), self.text()
        return int(self.port())

    def text(self) -> str:
        return self.output.read_text()

    def port(self) -> str | None:
        found = ADDRESS.search(self.text())
        return found and found[1]

    def end(self, number: int) -> int:
        """Send a signal to the supervisor only and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def members(self) -> list[int]:
        """Every live process that names this data folder or holds a file in it, PostgreSQL's backends included."""
        mark = str(self.folder)
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and mentions(entry, mark)]


def mentions(entry: Path, mark: str) -> bool:
    """Say whether a live process belongs to the folder, by its environment, command line, place or open files."""
    try:
        if (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return False
        if mark.encode() in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
            return True
        links = [entry / "cwd", *(entry / "fd").iterdir()]
        return any(mark in os.readlink(link) for link in links)
    except OSError:
        return False


def wait_for(is_so: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)


def get(port: int, path: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def sign_in_as_the_resident(port: int, printed: str) -> str:
    """Sign in over HTTP with the login that the supervisor printed, and return the first page."""
    email, password = re.search(r"Resident +(\S+) +(\S+)", printed).groups()
    address = f"http://localhost:{port}"
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    browser.open(f"{address}/language?next=/login", timeout=30)
    form = browser.open(f"{address}/login?lang=en", timeout=30).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[1]
    name = re.search(r'name="(login|email)"', form)[1]
    fields = {"csrfmiddlewaretoken": token, name: email, "password": password, "next": "/"}
    return browser.open(f"{address}/login", urllib.parse.urlencode(fields).encode(), timeout=30).read().decode()


@pytest.fixture
def demo() -> Iterator[Demo]:
    # Not tmp_path: PostgreSQL's system user must be able to walk in when root runs the tests.
    home = places.make_folder(places.scratch_home(), mode=0o711)
    folder = Path(tempfile.mkdtemp(prefix="demo-test-", dir=home))
    folder.chmod(0o711)
    run = Demo(folder)
    yield run
    if run.process and run.process.poll() is None:
        run.end(signal.SIGINT)
    for member in run.members():
        os.kill(member, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes through /proc")
def test_demo_starts_answers_keeps_its_data_when_killed_and_leaves_no_process(demo: Demo) -> None:
    port = demo.start()
    for step in ("PostgreSQL is ready", "Redis is ready", "web started", "worker started", "beat started"):
        assert step in demo.text()
    assert get(port, "/health/")[0] == 200
    assert "Maya" in sign_in_as_the_resident(port, demo.text())
    with psycopg.connect(database_url(demo), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    orphans = set(demo.members()) - {demo.process.pid}
    assert len(orphans) > 5, "the look for processes does not see them"
    demo.end(signal.SIGKILL)
    assert orphans & set(demo.members()), "the children were to outlive a killed supervisor"

    demo.start()
    assert "Stopped what an earlier run had left" in demo.text()
    assert not orphans & set(demo.members())
    with psycopg.connect(database_url(demo)) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)

    assert demo.end(signal.SIGINT) == 0
    assert demo.members() == []


def database_url(demo: Demo) -> str:
    """Read the running demo's DATABASE_URL from its web process."""
    for member in demo.members():
        parts = Path(f"/proc/{member}/environ").read_bytes().split(b"\0")
        for part in parts:
            if part.startswith(b"DATABASE_URL="):
                return part.partition(b"=")[2].decode()
    raise AssertionError("no process has DATABASE_URL")
