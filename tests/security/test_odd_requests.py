"""Requests that no page of ours makes: each is answered with a page, never with a fault."""

import re

import pytest
from django.urls import get_resolver, reverse

from accounts.models import User
from accounts.services import people
from opscom.core.addresses import throttle_address
from tests.accounts.helpers import sign_in
from tests.factories.accounts import PASSWORD, make_registered
from tests.security.test_url_table import walk

pytestmark = pytest.mark.django_db
WITH_ARGUMENTS = sorted(
    path for namespace, _name, path in walk(get_resolver()) if "<" in path and namespace != "admin:"
)
# A long name in Unicode that becomes longer still in ASCII, beyond what an address may have.
TOO_LONG_IN_ASCII = "x@" + ".".join(["é" * 30] * 7) + ".org"


@pytest.mark.parametrize("piece", ["A%00B", "%ED%A0%80", "a" * 5000])
def test_an_address_with_characters_that_no_code_has(client_of, resident, piece):
    stranger, somebody = client_of(), client_of(resident)
    stranger.raise_request_exception = somebody.raise_request_exception = False
    for path in WITH_ARGUMENTS:
        address = re.sub("<[^>]+>", piece, path)
        answers = [ask(address).status_code for one in (stranger, somebody) for ask in (one.get, one.post)]
        assert max(answers) < 500, (path, answers)


def test_nul_in_a_search_of_the_demo_inbox(anonymous):
    assert anonymous.get(reverse("demo:inbox"), {"to": "\0a"}).status_code == 200


@pytest.mark.parametrize("word", ["home", "account_login", "?page=2", "#main", "é", "a\0b", " /profile", "../profile"])
def test_next_that_is_no_path_is_ignored(client_of, clerk, resident, word):
    doors = [
        client_of(resident).get(reverse("account_login"), {"next": word}),
        sign_in(client_of(), resident.email, PASSWORD, next=word),
        client_of().post(reverse("accounts:language"), {"language": "en", "next": word}),
        client_of(resident).get(reverse("provider:agree", args=["vehicle"]), {"next": word}),
    ]
    assert [door["Location"] for door in doors] == ["/"] * 4
    assert client_of(clerk).get("/admin/login/", {"next": word})["Location"] == "/admin/"


@pytest.mark.parametrize("name", ["accounts:register", "accounts:forgot", "account_login"])
def test_address_that_is_too_long_only_in_ascii(anonymous, name):
    assert len(TOO_LONG_IN_ASCII) < 254
    response = anonymous.post(
        reverse(name), {"email": TOO_LONG_IN_ASCII, "first_name": "A", "last_name": "B", "password": PASSWORD}
    )
    assert response.status_code == 200
    assert "email" in response.context["form"].errors
    assert not User.objects.exists()


def test_clients_over_ipv4_are_told_apart_on_a_socket_for_both_families(rf):
    keys = {throttle_address(rf.get("/", REMOTE_ADDR=f"::ffff:192.0.2.{number}")) for number in (1, 2)}
    assert keys == {"192.0.2.1", "192.0.2.2"}


def test_address_that_the_office_changed_does_not_yield_to_whoever_registers(clerk):
    person = make_registered()
    person.email = "right@example.org"
    people.save_person(person=person, actor=clerk, changed=["email"])
    assert not User.objects.yielding().filter(pk=person.pk).exists()


@pytest.mark.parametrize("name", ["home:home", "accounts:security", "vehicles:list", "vehicles:add", "permits:list"])
def test_no_cache_keeps_the_pages_of_somebody_signed_in(client_of, resident, name):
    assert "no-store" in client_of(resident).get(reverse(name))["Cache-Control"]
    assert "no-store" in client_of(resident).get("/nothing/")["Cache-Control"]


def test_public_files_may_be_kept(client_of, resident):
    assert "public" in client_of(resident).get(reverse("home:provider_css"))["Cache-Control"]
