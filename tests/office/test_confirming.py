"""What is weighty is confirmed by a password, and by a one-time password where there is none."""

import re

import pytest
from django.http import HttpResponse

from accounts.models import LoginSource, User
from accounts.roles import ADMINISTRATOR
from tests.accounts.helpers import mails
from tests.accounts.mfa import SEND, send_another
from tests.factories.accounts import make_user
from tests.factories.merging import make_driver

pytestmark = pytest.mark.django_db


@pytest.fixture
def guest(db) -> User:
    """Somebody of the office who signs in by their organisation, and has no password here."""
    person = make_user(role=ADMINISTRATOR, email="sso.office@example.org")
    person.login_source = LoginSource.SSO
    person.set_unusable_password()
    person.save()
    return person


def mark_on(response: HttpResponse) -> str:
    found = re.search(r'name="mark" value="(\w+)"', response.content.decode())
    assert found
    return found[1]


def merge_page(keeper: User, loser: User) -> str:
    return f"/admin/accounts/user/{keeper.pk}/merge/?other={loser.code}"


def test_a_merge_takes_a_code_and_an_empty_reason_does_not_use_it_up(client_of, guest):
    keeper, loser = make_driver(), make_driver()
    path, client, code = merge_page(keeper, loser), client_of(guest), send_another(guest)
    fields = {"code": code, "mark": mark_on(client.get(path))}
    assert client.post(path, fields | {"reason": ""}).status_code == 422
    loser.refresh_from_db()
    assert loser.merged_into is None
    assert client.post(path, fields | {"reason": "Registered twice"}).status_code == 302
    loser.refresh_from_db()
    assert loser.merged_into == keeper


def test_a_code_is_sent_back_to_our_own_pages_only(client_of, guest):
    answer = client_of(guest).post(SEND, {"next": "https://elsewhere.example/"})
    assert answer.url == "/one_time_password"
    assert len(mails("one_time_password")) == 1
