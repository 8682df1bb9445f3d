"""Row locks are taken by `core.locks`, in its order, and never block the inserts of rows that point at the locked one."""

import ast
from collections.abc import Iterator

from tests.architecture.sources import calls, is_true, keyword, name, python_files, tree

ORDERED = "opscom/core/locks.py"
# One row, locked alone and held for nothing else: these stand outside the order, so many in each file and no more.
ALONE = {"opscom/messaging/delivery.py": 1, "opscom/messaging/services.py": 1, "opscom/provider/services.py": 1}


def keyless(root: ast.AST) -> Iterator[int]:
    """Yield the line of each lock that blocks the inserts of rows which point at the locked one."""
    for call in calls(root, "select_for_update"):
        if not is_true(keyword(call, "no_key")):
            yield call.lineno


def waiting(root: ast.AST) -> Iterator[int]:
    """Yield the line of each lock that may wait for another transaction; a claim that skips never does."""
    for call in calls(root, "select_for_update"):
        if not is_true(keyword(call, "skip_locked")):
            yield call.lineno


def test_locks_leave_inserts_alone():
    assert [f"{name(path)}:{line}" for path in python_files() for line in keyless(tree(path))] == []


def test_locks_that_wait_keep_the_one_order():
    found = {name(path): len(list(waiting(tree(path)))) for path in python_files() if name(path) != ORDERED}
    assert {path: count for path, count in found.items() if count > ALONE.get(path, 0)} == {}


def test_a_bad_lock_is_seen():
    lock = ast.parse("rows.select_for_update()")
    assert (list(keyless(lock)), list(waiting(lock))) == ([1], [1])
    lock = ast.parse("rows.select_for_update(skip_locked=False, no_key=False)")
    assert (list(keyless(lock)), list(waiting(lock))) == ([1], [1])


def test_a_claim_may_skip():
    claim = ast.parse("rows.select_for_update(no_key=True, skip_locked=True, of=('self',))")
    assert (list(keyless(claim)), list(waiting(claim))) == ([], [])
