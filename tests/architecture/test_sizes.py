"""Budgets of size: a god file grows only where nothing says stop."""

import ast
from collections.abc import Iterator

from tests.architecture.sources import name, python_files, tree

FUNCTION, CLASS, FILE, NINETIETH = 60, 250, 600, 20


def functions(root: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (lines, name) of each function, decorators apart."""
    for node in ast.walk(root):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.end_lineno - node.lineno + 1, node.name


def classes(root: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (lines, name) of each class."""
    for node in ast.walk(root):
        if isinstance(node, ast.ClassDef):
            yield node.end_lineno - node.lineno + 1, node.name


def test_functions_are_short():
    found = [(lines, f"{name(path)}:{called}") for path in python_files() for lines, called in functions(tree(path))]
    assert [entry for entry in found if entry[0] > FUNCTION] == []
    lengths = sorted(lines for lines, _called in found)
    assert lengths[int(0.9 * len(lengths))] <= NINETIETH


def test_classes_are_small():
    found = [(lines, f"{name(path)}:{called}") for path in python_files() for lines, called in classes(tree(path))]
    assert [entry for entry in found if entry[0] > CLASS] == []


def test_files_are_small():
    lengths = [(path.read_text().count("\n"), name(path)) for path in python_files()]
    assert [entry for entry in lengths if entry[0] > FILE] == []
