"""`python -m demo.system NEED...`: see to what Python packages cannot bring: install it when we may, else name it."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo import places

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def has_libraries(*names: str) -> bool:
    """Say whether the dynamic linker finds all of these."""
    try:
        for name in names:
            ctypes.CDLL(name)
    except OSError:
        return False
    return True


def browser() -> str | None:
    """Return the Chromium to test with: OPSCOM_CHROMIUM, or the first one on the PATH."""
    return os.environ.get("OPSCOM_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@dataclass(frozen=True)
class Need:
    """Something that the system's package manager brings."""

    what_for: str
    packages: tuple[str, ...]
    is_there: Callable[[], bool]
    is_required: bool = True


FONTS = Path("/usr/share/fonts")
LINUX = sys.platform == "linux"
NEEDS = {
    "pango": Need(
        "WeasyPrint makes the PDFs with Pango",
        ("libpango-1.0-0", "libpangoft2-1.0-0"),
        # Elsewhere the names differ, and WeasyPrint itself says what it misses.
        lambda: not LINUX or has_libraries("libpango-1.0.so.0", "libpangoft2-1.0.so.0"),
    ),
    "harfbuzz": Need(
        "PDFs are made five times faster with it",
        ("libharfbuzz-subset0",),
        lambda: not LINUX or has_libraries("libharfbuzz-subset.so.0"),
        is_required=False,
    ),
    "fonts": Need(
        "PDFs need at least one font",
        ("fonts-dejavu-core",),
        lambda: not LINUX or (FONTS.is_dir() and any(FONTS.iterdir())),
        is_required=False,
    ),
    "chromium": Need("the browser tests drive it", ("chromium",), lambda: browser() is not None),
    "xmlsec": Need(
        "the SAML provider of the tests signs with it",
        ("xmlsec1",),
        lambda: shutil.which("xmlsec1") is not None,
        is_required=False,
    ),
    "gettext": Need("translations are checked with it", ("gettext",), lambda: shutil.which("msgfmt") is not None),
}


def apt_install(packages: list[str]) -> None:
    """Install Debian packages, quietly; what is still missing afterwards is found by looking again."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", *command], env=environment, capture_output=True, check=False)


def main(names: list[str]) -> int:
    """See to the named needs; return 1 when a required one is still missing."""
    missing = [NEEDS[name] for name in names if not NEEDS[name].is_there()]
    if missing and places.is_root() and shutil.which("apt-get"):
        packages = [package for need in missing for package in need.packages]
        print(f"Installing {' '.join(packages)} from the system's packages", flush=True)
        apt_install(packages)
        missing = [need for need in missing if not need.is_there()]
    for need in missing:
        word = "Missing" if need.is_required else "Recommended"
        command = f"sudo apt-get install {' '.join(need.packages)}"
        print(f"{word}: {' '.join(need.packages)}, because {need.what_for}. Please run: {command}", file=sys.stderr)
    return int(any(need.is_required for need in missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
