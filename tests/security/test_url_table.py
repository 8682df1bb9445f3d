"""Every address against every kind of visitor, by the table in url_table.py."""

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.security.url_table import ADMIN_LISTS, OBJECTS, PAGES, VISITORS

pytestmark = pytest.mark.django_db
OFFICE = ("officer", "clerk", "administrator")


def walk(resolver: URLResolver, namespace: str = "", path: str = "/") -> Iterator[tuple[str, str, str]]:
    """Yield (namespace, name, path) of every address; what has no name goes by its path."""
    for entry in resolver.url_patterns:
        here = path + str(entry.pattern).lstrip("^")
        if isinstance(entry, URLPattern):
            yield namespace, (f"{namespace}{entry.name}" if entry.name else here), here
        else:
            yield from walk(entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace, here)


ADDRESSES = list(walk(get_resolver()))
PORTAL = sorted({name for namespace, name, _path in ADDRESSES if namespace != "admin:"})
OF_THE_OFFICE = sorted({path for namespace, _name, path in ADDRESSES if namespace == "admin:"})
MODELS = sorted(model._meta.label_lower for model in admin.site._registry)


@pytest.fixture
def visit(request, client_of):
    """Ask an address as one of the visitors; what it does to the database is undone."""
    people = {name: request.getfixturevalue(name) for name in VISITORS if name != "anonymous"}

    def ask(visitor: str, row: str) -> int:
        method, _space, name = row.rpartition(" ")
        client = client_of(people.get(visitor))
        # A bare savepoint: services that must be the outermost transaction refuse to run inside an atomic block.
        before = transaction.savepoint()
        made = OBJECTS[name](people["resident"]) if name in OBJECTS else {}
        path = name if name.startswith("/") else reverse(name, kwargs=made)
        status = client.generic(method or "GET", path).status_code
        transaction.savepoint_rollback(before)
        return status

    return ask


def test_every_address_stands_in_the_table():
    known = {row.rpartition(" ")[2] for row in PAGES}
    assert set(PORTAL) - known == set(), "these addresses have no row in tests/security/url_table.py"
    assert known - set(PORTAL) == set(), "these rows of tests/security/url_table.py name no address"


@pytest.mark.parametrize("row", PAGES)
def test_address_answers_each_visitor_as_the_table_says(visit, row):
    answers = {visitor: visit(visitor, row) for visitor in VISITORS}
    assert answers == dict(zip(VISITORS, map(int, PAGES[row].split()), strict=True))


def test_every_list_of_the_office_stands_in_the_table():
    assert set(MODELS) == set(ADMIN_LISTS)


@pytest.mark.parametrize("model", ADMIN_LISTS)
def test_list_of_the_office_answers_each_role_as_the_table_says(visit, model):
    row = f"/admin/{model.replace('.', '/')}/"
    expected = dict(zip(OFFICE, map(int, ADMIN_LISTS[model].split()), strict=True))
    assert {role: visit(role, row) for role in OFFICE} == expected


def test_nothing_of_the_office_answers_a_stranger(anonymous, resident, client_of):
    """Every address of the admin, with whatever arguments: to sign in, to a door that is not there, or nothing."""
    signed_in = client_of(resident)
    assert len(OF_THE_OFFICE) > 50
    for pattern in OF_THE_OFFICE:
        path = re.sub(r"<[^>]+>|\(\?P<.*$", "1", pattern)
        assert anonymous.get(path).status_code in (302, 404, 405), path
        assert signed_in.get(path).status_code in (302, 403, 404, 405), path
    assert signed_in.get(reverse("admin:login")).status_code == 404
