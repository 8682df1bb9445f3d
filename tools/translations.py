"""Collect the texts to translate, and check that every one of them is translated and compiled.

`python -m tools.translations update` brings locale/ up to date and compiles it; without a word it only checks: it
collects in a copy of the tree, so that nothing of the working tree changes.
"""

import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCALE = "fr_CA"
PO = Path("locale") / LOCALE / "LC_MESSAGES" / "django.po"
SHOWN = 40


def collect(root: Path) -> None:
    """Run makemessages over the tree at `root`: texts only, no line numbers, so that moved code is no change."""
    (root / PO).parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "django", "makemessages", "--locale", LOCALE, "--no-obsolete", "--no-wrap"]
    ignored = [f"--ignore={name}" for name in (".venv", "tests", "tools", "var", "staticfiles")]
    subprocess.run([*command, "--no-location", *ignored], cwd=root, check=True, capture_output=True)


def compile_catalogue(po: Path, mo: Path) -> None:
    """Compile, and refuse placeholders that differ between a text and its translation."""
    subprocess.run(["msgfmt", "--check", "-o", str(mo), str(po)], check=True)


def lacking(po: Path) -> list[str]:
    """Return the texts that are not translated, or only guessed by the collector."""
    texts = []
    for option in ("--untranslated", "--only-fuzzy"):
        found = subprocess.run(
            ["msgattrib", option, "--no-obsolete", str(po)], check=True, capture_output=True, text=True
        )
        blocks = found.stdout.split("\n\n")[1:]
        texts += [block.partition("msgid ")[2].partition("\nmsgstr")[0] for block in blocks if "msgid " in block]
    return texts


def copy_tree(target: Path) -> None:
    """Copy what git knows or would add, as it stands in the working tree."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.suffix in {".py", ".html", ".txt", ".po", ".mo"} and source.is_file() and "/static/" not in name:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)


def check() -> int:
    """Return 1, and say what is wrong, unless every text is translated and the compiled file is of this day."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        copy_tree(copy)
        collect(copy)
        missing = lacking(copy / PO)
        compile_catalogue(ROOT / PO, copy / "compiled.mo")
        is_current = filecmp.cmp(copy / "compiled.mo", (ROOT / PO).with_suffix(".mo"), shallow=False)
    for text in missing[:SHOWN]:
        print(f"Not translated: {text}")
    if missing:
        print(f"{len(missing)} text(s) lack a translation in {PO}.")
    if not is_current:
        print(f"{PO.with_suffix('.mo')} is not compiled from {PO}: run `make messages`.")
    return 1 if missing or not is_current else 0


def update() -> int:
    """Bring the catalogue up to date in place, compile it, and return how check would."""
    collect(ROOT)
    compile_catalogue(ROOT / PO, (ROOT / PO).with_suffix(".mo"))
    print(f"{len(lacking(ROOT / PO))} text(s) lack a translation.")
    return 0


if __name__ == "__main__":
    sys.exit(update() if sys.argv[1:] == ["update"] else check())
