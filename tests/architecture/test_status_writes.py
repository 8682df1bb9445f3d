"""A status changes through `core.transitions.advance` and nowhere else."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.sources import calls, keyword, name, python_files, tree

ALLOWED = {"opscom/core/transitions.py"}


def status_writes(root: ast.AST) -> Iterator[int]:
    """Yield the line of each assignment, update or setattr of a `status`."""
    for node in ast.walk(root):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            leaves = [leaf for target in targets for leaf in ast.walk(target)]
            if any(is_status(leaf) for leaf in leaves):
                yield node.lineno
        elif isinstance(node, ast.Call) and is_setattr(node):
            yield node.lineno
    for call in calls(root, "update"):
        if keyword(call, "status"):
            yield call.lineno
    for call in calls(root, "bulk_update"):
        if any(isinstance(part, ast.Constant) and part.value == "status" for part in ast.walk(call)):
            yield call.lineno


def is_status(node: ast.AST) -> bool:
    """Say whether the node writes `something.status`."""
    return isinstance(node, ast.Attribute) and node.attr == "status" and isinstance(node.ctx, ast.Store)


def is_setattr(call: ast.Call) -> bool:
    """Say whether the call is `setattr(something, "status", ...)`."""
    is_named = isinstance(call.func, ast.Name) and call.func.id == "setattr"
    return is_named and any(isinstance(part, ast.Constant) and part.value == "status" for part in call.args[1:2])


def test_status_is_written_in_one_place():
    paths = [path for path in python_files() if name(path) not in ALLOWED]
    assert [f"{name(path)}:{line}" for path in paths for line in status_writes(tree(path))] == []


@pytest.mark.parametrize(
    "planted",
    [
        "permit.status = 'active'",
        "a, permit.status = 1, 2",
        "Permit.objects.filter(pk=1).update(status='active')",
        "Permit.objects.bulk_update(rows, ['status'])",
        "setattr(permit, 'status', 'active')",
    ],
)
def test_every_way_to_write_is_seen(planted):
    assert list(status_writes(ast.parse(planted))) == [1]


@pytest.mark.parametrize("harmless", ["status = permit.status", "f(status='x')", "rows.filter(status='x')"])
def test_reading_is_allowed(harmless):
    assert list(status_writes(ast.parse(harmless))) == []
