"""Getting in by password, and every way in which somebody else might."""

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from accounts.throttles import may_try_password
from opscom.core.addresses import client_address, throttle_address
from opscom.core.throttles import allow
from tests.accounts.helpers import is_signed_in, mails, register, sign_in
from tests.factories.accounts import PASSWORD, make_registered, make_user

pytestmark = pytest.mark.django_db


def test_sign_in_leads_home_or_where_one_was_going(anonymous, resident):
    response = anonymous.get(reverse("accounts:profile"))
    assert response.url == f"{reverse('account_login')}?next={reverse('accounts:profile')}"
    response = sign_in(anonymous, "MAYA.CHEN@example.org ", PASSWORD, next=reverse("accounts:profile"))
    assert response.url == reverse("accounts:profile")
    assert is_signed_in(anonymous)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil",
    ],
)
def test_next_never_leaves_the_site(anonymous, client_of, resident, target):
    assert sign_in(anonymous, resident.email, PASSWORD, next=target).url == reverse("home:home")
    assert anonymous.get(reverse("account_login"), {"next": target}).url == reverse("home:home")
    chosen = client_of().post(reverse("accounts:language"), {"language": "en", "next": target})
    assert chosen.url == reverse("home:home")


def test_session_key_changes_at_sign_in(anonymous, resident):
    """A key that was planted before the sign-in is worth nothing after it."""
    session = anonymous.session
    session["planted"] = True
    session.save()
    anonymous.cookies["sessionid"] = session.session_key
    sign_in(anonymous, resident.email, PASSWORD)
    assert anonymous.cookies["sessionid"].value != session.session_key
    thief = type(anonymous)()
    thief.cookies["sessionid"] = session.session_key
    assert not is_signed_in(thief)


def test_wrong_password_locked_person_and_no_password_do_not_sign_in(anonymous):
    people = [make_user(), make_user(is_active=False), make_registered()]
    for user, password in zip(people, ["wrong", PASSWORD, ""], strict=True):
        response = sign_in(anonymous, user.email, password)
        assert response.status_code == 200
        assert not is_signed_in(anonymous)


def test_sixth_wrong_password_is_the_last_for_now(anonymous, resident):
    statuses = [sign_in(anonymous, resident.email, f"wrong {n}").status_code for n in range(8)]
    assert statuses == [200] * 6 + [429] * 2
    assert sign_in(anonymous, resident.email, PASSWORD).status_code == 429
    # The owner, elsewhere, is not shut out; nor is anybody else here.
    assert (
        anonymous.post(
            reverse("account_login"), {"email": resident.email, "password": PASSWORD}, REMOTE_ADDR="192.0.2.7"
        ).status_code
        == 302
    )


def test_forged_forwarded_header_does_not_reset_the_throttle(anonymous, resident):
    for _n in range(6):
        sign_in(anonymous, resident.email, "wrong")
    response = anonymous.post(
        reverse("account_login"),
        {"email": resident.email, "password": PASSWORD},
        headers={"X-Forwarded-For": "198.51.100.9"},
    )
    assert response.status_code == 429


def test_unknown_address_is_throttled_like_a_known_one(anonymous):
    statuses = [sign_in(anonymous, "nobody@example.org", "wrong").status_code for _n in range(7)]
    assert statuses == [200] * 6 + [429]


def test_registrations_and_reminders_are_limited(anonymous):
    statuses = [register(anonymous, f"nia{n}@example.org").status_code for n in range(22)]
    assert statuses == [302] * 20 + [429] * 2
    statuses = [
        anonymous.post(reverse("accounts:forgot"), {"email": f"nia{n}@example.org"}).status_code for n in range(22)
    ]
    assert statuses == [302] * 20 + [429] * 2


def test_one_mailbox_is_not_flooded(anonymous, resident):
    for _n in range(12):
        response = anonymous.post(reverse("accounts:forgot"), {"email": resident.email})
        assert response.status_code == 302
    assert len(mails("reset_password")) == 5


def test_sign_in_works_without_redis(anonymous, resident, settings):
    settings.CACHES = {
        "default": {"BACKEND": "opscom.core.cache.ForgivingRedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert sign_in(anonymous, resident.email, PASSWORD).status_code == 302
    assert is_signed_in(anonymous)


def test_client_address_believes_only_our_own_proxies(settings):
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": "6.6.6.6, 192.0.2.9"})
    for proxies, expected in [(0, "10.0.0.1"), (1, "192.0.2.9"), (2, "6.6.6.6"), (3, "10.0.0.1")]:
        settings.TRUSTED_PROXIES = proxies
        assert client_address(request) == expected
    settings.TRUSTED_PROXIES = 0
    ours = RequestFactory().get("/", REMOTE_ADDR="2001:db8:1:2:3:4:5:6")
    assert throttle_address(ours) == "2001:db8:1:2::/64"
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="not an address")) == ""


def test_throttle_counts_each_key_for_itself():
    assert [allow("t", "a", limit=2, seconds=60) for _n in range(3)] == [True, True, False]
    assert allow("t", "b", limit=2, seconds=60)


def test_many_addresses_from_one_client_are_limited():
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1")
    tries = [may_try_password(request, f"{n}@example.org") for n in range(61)]
    assert tries.count(False) == 1


def test_one_client_cannot_shut_the_owner_out(resident):
    stranger, owner = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="192.0.2.2")
    for _try in range(101):
        sign_in(stranger, resident.email, "wrong")
    assert sign_in(owner, resident.email, PASSWORD).status_code == 302


def test_reminders_that_are_not_sent_are_not_counted(anonymous, resident):
    for _try in range(16):
        anonymous.post(reverse("accounts:forgot"), {"email": resident.email})
    assert [allow("mail.day", resident.email, limit=15, seconds=86400) for _n in range(11)] == [True] * 10 + [False]


def test_sign_out_needs_a_post_and_ends_the_session(client_of, resident):
    client = client_of(resident)
    assert client.get(reverse("account_logout")).status_code == 405
    assert is_signed_in(client)
    client.post(reverse("account_logout"))
    assert not is_signed_in(client)


def test_password_change_asks_for_the_old_one_ends_other_sessions_and_tells(client_of, resident):
    here, elsewhere = client_of(resident), client_of(resident)
    url, new = reverse("accounts:change_password"), "another long password"
    fields = {"current_password": "wrong", "password": new, "password_again": new}
    assert "current_password" in here.post(url, fields).context["form"].errors
    assert here.post(url, {**fields, "current_password": PASSWORD}).url == reverse("accounts:security")
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)
    assert [message.to for message in mails("password_changed")] == [resident.email]


def test_current_password_cannot_be_guessed(client_of, resident):
    client, new = client_of(resident), "another long password"
    fields = {"current_password": "wrong", "password": new, "password_again": new}
    for _n in range(10):
        client.post(reverse("accounts:change_password"), fields)
    response = client.post(reverse("accounts:change_password"), {**fields, "current_password": PASSWORD})
    assert response.status_code == 429
    assert User.objects.get(pk=resident.pk).check_password(PASSWORD)


def test_admin_has_no_sign_in_of_its_own(anonymous, client_of, resident, administrator):
    login = reverse("admin:login")
    fields = {"username": administrator.email, "password": PASSWORD}
    assert anonymous.post(login, fields).status_code in (302, 405)
    assert not is_signed_in(anonymous)
    assert reverse("account_login") in anonymous.get(reverse("admin:index")).url
    assert client_of(resident).get(login).status_code == 404
    assert client_of(administrator).get(login).url == reverse("admin:index")
    assert client_of(administrator).get("/admin/password_change/").url == reverse("accounts:security")


def test_pages_with_secrets_are_not_kept(anonymous):
    for name in ("account_login", "accounts:register", "accounts:forgot"):
        assert "no-store" in anonymous.get(reverse(name)).headers["Cache-Control"]
