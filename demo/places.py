"""Where the demo and the tests keep their data, and under which Unix user PostgreSQL runs."""

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
ROOTS_HOME = Path("/var/lib/opscom-demo")
SYSTEM_USER = "opscom-demo"


def is_root() -> bool:
    """Say whether we run as root, which PostgreSQL refuses to do."""
    return os.geteuid() == 0


def data_dir() -> Path:
    """Return this checkout's data folder: OPSCOM_DATA_DIR, or a place that PostgreSQL's user can reach."""
    if named := os.environ.get("OPSCOM_DATA_DIR"):
        return Path(named).resolve()
    if is_root():
        # Two checkouts may share a folder name, never a path.
        mark = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:10]
        return ROOTS_HOME / f"{CHECKOUT.name.replace(' ', '-')}-{mark}"
    return CHECKOUT / "var" / "demo"


def scratch_home() -> Path:
    """Return the folder under which short-lived servers (tests, checks) make theirs."""
    return ROOTS_HOME / "scratch" if is_root() else CHECKOUT / "var" / "scratch"


def make_folder(path: Path, *, mode: int) -> Path:
    """Make the folder with exactly this mode; parents that exist are left as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(exist_ok=True)
    path.chmod(mode)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    new.replace(path)


def find_user(name: str) -> pwd.struct_passwd | None:
    """Look a Unix user up by name."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def postgres_user() -> pwd.struct_passwd | None:
    """Return the system user that PostgreSQL runs as when we are root; None means as ourselves."""
    if not is_root():
        return None
    if not find_user(SYSTEM_USER) and shutil.which("useradd"):
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        # Two first starts at once: one of them finds the user already made, which is just as well.
        subprocess.run(command, capture_output=True, check=False)
    user = find_user(SYSTEM_USER) or find_user("postgres") or find_user("nobody")
    if user is None:
        raise SystemExit("PostgreSQL refuses to run as root, and there is no system user to run it as.")
    return user
