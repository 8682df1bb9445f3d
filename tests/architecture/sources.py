"""Our own files, as the lints read them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "opscom",
    "accounts",
    "vehicles",
    "payments",
    "permits",
    "lockers",
    "violations",
    "boots",
    "home",
    "office",
    "demo",
)


@cache
def python_files() -> tuple[Path, ...]:
    """Return the program's own Python, without migrations and tests."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return tuple(sorted(path for path in found if "migrations" not in path.parts))


@cache
def tree(path: Path) -> ast.Module:
    """Return the parsed file."""
    return ast.parse(path.read_text(), str(path))


def name(path: Path) -> str:
    """Return the file as people write it."""
    return path.relative_to(ROOT).as_posix()


def calls(root: ast.AST, method: str) -> Iterator[ast.Call]:
    """Yield every call of `something.method(...)`."""
    for node in ast.walk(root):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            yield node


def keyword(call: ast.Call, wanted: str) -> ast.expr | None:
    """Return the value of a keyword argument, or None."""
    return next((given.value for given in call.keywords if given.arg == wanted), None)


def is_true(value: ast.expr | None) -> bool:
    """Say whether the expression is the constant True."""
    return isinstance(value, ast.Constant) and value.value is True
