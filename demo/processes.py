"""Children in process groups of their own, written down so that the next start can stop what a killed one left."""

import contextlib
import fcntl
import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from demo.places import CHECKOUT, write_private

POLL = 0.1


class AlreadyRunning(Exception):
    """Another process holds this data folder."""


class Stopped(Exception):
    """Somebody asked us to stop while we were waiting for a child."""


@dataclass(eq=False)
class Child:
    """One process that we started, with its group."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: int = signal.SIGTERM
    patience: float = 10
    started_at: float = field(default_factory=time.monotonic)

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def last_lines(self, count: int = 15) -> str:
        """Return the end of the child's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


def boot_id() -> str:
    """Name this boot of the machine: process numbers mean nothing after the next one."""
    file = Path("/proc/sys/kernel/random/boot_id")
    return file.read_text().strip() if file.exists() else ""


def birth(pid: int) -> str | None:
    """Return a mark that tells this process from a later one with the same number; None when it is gone."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if after_name[0] in "ZX" else after_name[19]
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None


def group_members(group: int) -> list[int]:
    """List the live processes of a group; where there is no /proc, its leader only."""
    if not Path("/proc/self/stat").exists():
        return [group] if birth(group) else []
    members = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            after_name = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else []
            if after_name and int(after_name[2]) == group and after_name[0] not in "ZX":
                members.append(int(entry.name))
    return members


def signal_safely(send: Callable[[int, int], None], pid: int, number: int) -> None:
    """Send a signal to a process or group that may be gone by now."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        send(pid, number)


def stop_group(leader: int, *, stop_signal: int, patience: float, reap: Callable[[], object] = lambda: None) -> None:
    """Ask the leader to stop, wait, then kill whatever is left of its group."""
    signal_safely(os.kill, leader, stop_signal)
    deadline = time.monotonic() + patience
    while group_members(leader) and time.monotonic() < deadline:
        reap()
        time.sleep(POLL / 2)
    while group_members(leader) and time.monotonic() < deadline + 10:
        signal_safely(os.killpg, leader, signal.SIGKILL)
        reap()
        time.sleep(POLL / 2)
    reap()


class Processes:
    """All children of one data folder: one owner at a time, every child on record."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: list[Child] = []
        self.stopping = False
        self._record = folder / "processes.json"
        self._lock: IO[str] | None = None

    def own(self, note: str = "") -> list[str]:
        """Take the folder, stop what an earlier owner left, return its names; raises AlreadyRunning."""
        self._lock = open(self.folder / "owner.lock", "a+")  # noqa: SIM115 - held as long as we live
        try:
            # The kernel drops this lock with its owner, however that one ends.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.seek(0)
            owner = self._lock.read().strip()
            self._lock.close()
            self._lock = None
            raise AlreadyRunning(owner) from None
        self.note(note or f"process {os.getpid()}")
        return self._stop_leftovers()

    def note(self, text: str) -> None:
        """Write into the lock what a second owner is told."""
        assert self._lock
        self._lock.truncate(0)
        self._lock.write(text)
        self._lock.flush()

    def spawn(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        log: Path,
        user: pwd.struct_passwd | None = None,
        stop_signal: int = signal.SIGTERM,
        patience: float = 10,
        pass_fds: Sequence[int] = (),
    ) -> Child:
        """Start a child in a session of its own, so that Ctrl-C reaches us only and we stop it in order."""
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd="/" if user else CHECKOUT,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=pass_fds,
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )
        child = Child(name, process, log, stop_signal, patience)
        self.children.append(child)
        self._write_record()
        return child

    def wait(self, child: Child) -> int:
        """Wait until the child ends, return its exit code; raises Stopped when we are asked to stop first."""
        while child.is_alive:
            if self.stopping:
                raise Stopped
            time.sleep(POLL)
        self.forget(child)
        return child.process.returncode

    def forget(self, child: Child) -> None:
        """Drop a child that has ended, with whatever its group left behind."""
        stop_group(child.process.pid, stop_signal=signal.SIGTERM, patience=1)
        self.children.remove(child)
        self._write_record()

    def stop(self, child: Child) -> None:
        """Stop one child and its group."""
        stop_group(child.process.pid, stop_signal=child.stop_signal, patience=child.patience, reap=child.process.poll)
        self.children.remove(child)
        self._write_record()

    def stop_all(self) -> None:
        """Stop every child, the last started first, and give the folder up."""
        for child in reversed(self.children[:]):
            self.stop(child)
        if self._lock:
            self._lock.close()
            self._lock = None

    def _write_record(self) -> None:
        rows = [
            {
                "name": child.name,
                "pid": child.process.pid,
                "birth": birth(child.process.pid),
                "stop_signal": int(child.stop_signal),
                "patience": child.patience,
            }
            for child in self.children
        ]
        write_private(self._record, json.dumps({"boot": boot_id(), "children": rows}, indent=1))

    def _stop_leftovers(self) -> list[str]:
        try:
            record = json.loads(self._record.read_text())
        except (FileNotFoundError, ValueError):
            return []
        found = []
        for row in reversed(record["children"]) if record["boot"] == boot_id() else []:
            # A leader with another birth is a stranger who got the number later. A group whose leader has ended
            # keeps its number from being given away, so its members are still ours.
            if birth(row["pid"]) not in (None, row["birth"]) or not group_members(row["pid"]):
                continue
            found.append(row["name"])
            stop_group(row["pid"], stop_signal=row["stop_signal"], patience=row["patience"])
        self._record.unlink()
        return found
