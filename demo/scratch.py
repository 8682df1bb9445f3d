"""Servers for the length of one command or one test run; their data is thrown away."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from demo import places
from demo.processes import AlreadyRunning, Processes
from demo.servers import start_postgres, start_redis


class Scratch:
    """A folder of its own with PostgreSQL and Redis in it (or those that the environment names)."""

    def __init__(self) -> None:
        home = places.make_folder(places.scratch_home(), mode=0o711)
        sweep(home)
        self.folder = Path(tempfile.mkdtemp(prefix="run-", dir=home))
        self.folder.chmod(0o711)
        self.processes = Processes(self.folder)

    @property
    def owns_postgres(self) -> bool:
        """Say whether the PostgreSQL is ours, and not one that the environment named."""
        return any(child.name == "PostgreSQL" for child in self.processes.children)

    def start(self) -> dict[str, str]:
        """Start both servers and return what belongs into the environment."""
        self.processes.own()
        try:
            return {
                "DATABASE_URL": start_postgres(self.processes, self.folder, throwaway=not is_durable()),
                "REDIS_URL": start_redis(self.processes, self.folder, throwaway=True),
            }
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the servers and remove the folder; doing so twice does no harm."""
        self.processes.stop_all()
        shutil.rmtree(self.folder, ignore_errors=True)


def is_durable() -> bool:
    """Say whether commits are to reach the disk, as in production: measurements ask for it, tests are quicker without."""
    return os.environ.get("OPSCOM_DURABLE") == "true"


def sweep(home: Path) -> None:
    """Stop and remove what runs that were killed have left; live ones hold their lock and are passed by."""
    for folder in home.glob("run-*"):
        # A folder without a lock file is a run that is just being set up.
        if not (folder / "owner.lock").exists():
            continue
        processes = Processes(folder)
        with contextlib.suppress(AlreadyRunning):
            processes.own()
            processes.stop_all()
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def scratch_servers() -> Iterator[dict[str, str]]:
    """Run servers for the length of a block."""
    scratch = Scratch()
    try:
        yield scratch.start()
    finally:
        scratch.stop()
