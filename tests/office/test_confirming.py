"""What is weighty is confirmed by a password, and by a one-time password where there is none."""

import re

import pytest
from django.http import HttpResponse

from accounts.models import LoginSource, User
from accounts.roles import ADMINISTRATOR
from payments.models import Refund
from tests.accounts.helpers import mails
from tests.accounts.mfa import SEND, give_app, newest_code, send_another
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.merging import make_driver
from tests.office.money import line_of, pay_for_permit

pytestmark = pytest.mark.django_db


@pytest.fixture
def guest(db) -> User:
    """Somebody of the office who signs in by their organisation, and has no password here."""
    person = make_user(role=ADMINISTRATOR, email="sso.office@example.org")
    person.login_source = LoginSource.SSO
    person.set_unusable_password()
    person.save()
    return person


def refund_page() -> str:
    return f"/admin/payments/orderline/{line_of(pay_for_permit()).pk}/refund/"


def mark_on(response: HttpResponse) -> str:
    found = re.search(r'name="mark" value="(\w+)"', response.content.decode())
    assert found
    return found[1]


def merge_page(keeper: User, loser: User) -> str:
    return f"/admin/accounts/user/{keeper.pk}/merge/?other={loser.code}"


def test_a_refund_takes_a_code_from_who_has_no_password(client_of, guest):
    client, path = client_of(guest), refund_page()
    text = client.get(path).content.decode()
    assert 'name="code"' in text
    assert 'name="password"' not in text
    answer = client.post(SEND, {"next": path})
    assert (answer.status_code, answer.url) == (302, path)
    assert client.post(path, {"code": newest_code()}).status_code == 302
    assert Refund.objects.get().requested_by == guest


def test_a_code_works_once(client_of, guest):
    client, first, second = client_of(guest), refund_page(), refund_page()
    code = send_another(guest)
    assert client.post(first, {"code": code}).status_code == 302
    answer = client.post(second, {"code": code})
    assert answer.status_code == 422
    assert "it has been used already" in answer.content.decode()
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("given", [{"code": ""}, {"code": "000000"}, {"password": PASSWORD}])
def test_no_refund_without_the_right_code(client_of, guest, given):
    client, path = client_of(guest), refund_page()
    send_another(guest)
    assert client.post(path, given).status_code == 422
    assert not Refund.objects.exists()


def test_somebody_elses_code_is_no_code(client_of, guest, administrator):
    path, code = refund_page(), send_another(administrator)
    assert client_of(guest).post(path, {"code": code}).status_code == 422
    assert not Refund.objects.exists()


def test_who_has_a_password_is_not_let_through_by_a_code(client_of, administrator):
    path, code = refund_page(), send_another(administrator)
    assert client_of(administrator).post(path, {"code": code}).status_code == 422
    assert not Refund.objects.exists()


def test_guessing_the_code_is_slowed(client_of, guest):
    client, path = client_of(guest), refund_page()
    for _try in range(20):
        client.post(path, {"code": "wrong-code"})
    assert "Too many tries" in client.post(path, {"code": send_another(guest)}).content.decode()
    assert not Refund.objects.exists()


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


def test_codes_are_mailed_only_to_who_has_no_app(client_of, guest):
    send = "Send One-Time Password To Email"
    keeper, loser = make_driver(), make_driver()
    pages = [refund_page(), merge_page(keeper, loser)]
    assert [send in client_of(guest).get(page).content.decode() for page in pages] == [True, True]
    give_app(guest)
    assert [send in client_of(guest).get(page).content.decode() for page in pages] == [False, False]


def test_a_code_is_sent_back_to_our_own_pages_only(client_of, guest):
    answer = client_of(guest).post(SEND, {"next": "https://elsewhere.example/"})
    assert answer.url == "/one_time_password"
    assert len(mails("one_time_password")) == 1
