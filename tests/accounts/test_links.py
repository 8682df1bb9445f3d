"""Links to a password page: once, for their time, for their person, for their page."""

import datetime as dt

import pytest
from django.core import signing
from django.urls import reverse
from django.utils import timezone

from accounts.links import LinkDead, Purpose, make_token, read_token
from accounts.models import User
from accounts.services import passwords
from opscom.messaging.models import Message
from tests.accounts.helpers import is_signed_in, link_in, mails, register, sign_in
from tests.factories.accounts import PASSWORD, make_registered, make_user
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db
NEW = "a new long password"


def set_by(client, url, password=NEW, **more):
    return client.post(url, {"password": password, "password_again": password, **more})


def create_url(user):
    return reverse("accounts:create_password", args=[make_token(user, Purpose.CREATE)])


def reset_url(user):
    return reverse("accounts:reset_password", args=[make_token(user, Purpose.RESET)])


def test_link_sets_the_password_proves_the_address_and_leads_to_sign_in(anonymous):
    user = make_registered(email="nia@example.org")
    response = set_by(anonymous, create_url(user))
    assert response.status_code == 302
    assert response.url == reverse("account_login")
    user.refresh_from_db()
    assert user.is_email_proved
    assert 'value="nia@example.org"' in anonymous.get(response.url).content.decode()
    assert sign_in(anonymous, "nia@example.org", NEW).status_code == 302
    assert is_signed_in(anonymous)


def test_opening_a_link_does_not_use_it(anonymous):
    url = create_url(make_registered())
    for _time in range(3):
        assert anonymous.get(url, follow=True).status_code == 200
    assert set_by(anonymous, url).status_code == 302


def test_used_link_is_dead(anonymous):
    user = make_registered()
    url = create_url(user)
    set_by(anonymous, url)
    assert anonymous.get(url).status_code == 410
    assert set_by(anonymous, url, "yet another password").status_code == 410
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_one_used_link_kills_all_others(anonymous):
    user = make_registered()
    first, reset = create_url(user), reset_url(user)
    set_by(anonymous, create_url(user))
    assert anonymous.get(first).status_code == 410
    assert anonymous.get(reset).status_code == 410


@pytest.mark.parametrize(("hours_old", "status"), [(47, 200), (49, 410)])
def test_link_expires(anonymous, monkeypatch, hours_old, status):
    set_provider(password_link_hours=48)
    url = create_url(make_registered())
    later = (timezone.now() + dt.timedelta(hours=hours_old)).timestamp()
    monkeypatch.setattr(signing.time, "time", lambda: later)
    assert anonymous.get(url, follow=True).status_code == status


def test_altered_links_are_dead(anonymous):
    user, other = make_registered(), make_registered()
    token, others = make_token(user, Purpose.CREATE), make_token(other, Purpose.CREATE)
    body, stamp, signature = token.split(":")
    wrong = [
        f"{others.split(':')[0]}:{stamp}:{signature}",
        f"{body}:{stamp}:{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        f"{body}:{signature}",
        signing.dumps([user.code, "0" * 32], salt="accounts.links.create"),
        signing.dumps({"code": user.code}, salt="accounts.links.create"),
        signing.dumps([user.code], salt="accounts.links.create"),
        signing.dumps([user.code, None], salt="accounts.links.create"),
        "x",
        "é" * 30,
    ]
    for token in wrong:
        response = anonymous.get(reverse("accounts:create_password", args=[token]))
        assert response.status_code == 410, token


def test_link_for_one_page_does_not_open_the_other(anonymous):
    user = make_user()
    token = make_token(user, Purpose.RESET)
    assert anonymous.get(reverse("accounts:create_password", args=[token])).status_code == 410


def test_link_sets_the_password_of_its_owner_only(client_of, other_resident):
    """Somebody else is signed in where the link is opened: their password stays, and they are signed out."""
    user = make_registered()
    browser = client_of(other_resident)
    set_by(browser, create_url(user))
    other_resident.refresh_from_db()
    assert other_resident.check_password(PASSWORD)
    assert not is_signed_in(browser)


def test_reset_asks_for_the_address_of_the_link(anonymous, other_resident):
    user = make_user()
    refused = set_by(anonymous, reset_url(user), email=other_resident.email)
    assert refused.status_code == 200
    with pytest.raises(LinkDead):
        passwords.set_password_by_link(
            token=make_token(user, Purpose.RESET), purpose=Purpose.RESET, password=NEW, email=other_resident.email
        )
    done = set_by(anonymous, reset_url(user), email=user.email.upper())
    assert done.url == reverse("accounts:password_reset_done")
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_change_of_the_address_kills_the_link(anonymous):
    user = make_user()
    url = reset_url(user)
    User.objects.filter(pk=user.pk).update(email="moved@example.org")
    assert anonymous.get(url).status_code == 410


def test_locked_person_cannot_use_a_link(anonymous):
    user = make_user()
    url = reset_url(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert set_by(anonymous, url, email=user.email).status_code == 410


def test_other_sessions_end_and_the_one_with_the_link_goes_on(client_of):
    user = make_registered()
    here, elsewhere = client_of(user), client_of(user)
    before = here.cookies["sessionid"].value
    response = set_by(here, create_url(user))
    assert response.url == reverse("home:home")
    assert is_signed_in(here)
    assert here.cookies["sessionid"].value != before
    assert not is_signed_in(elsewhere)


def test_weak_and_unequal_passwords_are_refused_at_the_field(anonymous):
    user = make_registered(first_name="Nia")
    for password, again in [("short", "short"), ("1234567890123", "1234567890123"), (NEW, NEW + "x")]:
        response = anonymous.post(create_url(user), {"password": password, "password_again": again})
        assert response.status_code == 200
        assert response.context["form"].errors
    user.refresh_from_db()
    assert not user.has_usable_password()


def test_link_is_a_secret_of_the_outbox(anonymous):
    register(anonymous, "nia@example.org")
    message = Message.objects.get()
    token = link_in(message).split("/")[-1].split("?")[0]
    assert read_token(token, Purpose.CREATE).email == "nia@example.org"
    assert token.encode() not in bytes(message.secret_context)
    assert token not in str(message.context)


def test_link_carries_its_language(anonymous):
    make_user(email="lea@example.org", language="fr-ca")
    anonymous.cookies.clear()
    anonymous.post(reverse("accounts:forgot"), {"email": "lea@example.org"})
    url = link_in(mails("reset_password")[0])
    response = anonymous.get(url, follow=True)
    assert response.status_code == 200
    assert response.headers["Content-Language"] == "fr-ca"
    assert anonymous.cookies["language"].value == "fr-ca"
