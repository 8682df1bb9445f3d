"""What somebody might try with the addresses of single sign-on, and with the other side's silence."""

import socket
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount
from django.urls import NoReverseMatch, reverse

from accounts.models import IdentityProvider, User
from tests.accounts.helpers import is_signed_in
from tests.accounts.sso.oidc import begin, free_port, sign_in
from tests.factories.accounts import make_user
from tests.factories.sso import make_provider

pytestmark = pytest.mark.django_db
JANE = {"email": "jane.doe@uni.example", "email_verified": True}


def test_forged_state_lets_nobody_in(anonymous, client_of, oidc_server, campus):
    """An attacker's own answer, sent to a victim's browser, would sign the victim in to the attacker's account."""
    oidc_server.make_person("jane", **JANE)
    back = oidc_server.authorize(begin(anonymous), "jane")
    victim = client_of()
    begin(victim)
    response = victim.get(back)
    assert response.status_code == 403
    assert "You are not signed in" in response.content.decode()
    assert not is_signed_in(victim)
    assert not User.objects.filter(email=JANE["email"]).exists()


def test_answer_is_used_once(anonymous, oidc_server, campus):
    oidc_server.make_person("jane", **JANE)
    back = oidc_server.authorize(begin(anonymous), "jane")
    assert anonymous.get(back).status_code == 302
    anonymous.post(reverse("account_logout"))
    assert anonymous.get(back).status_code == 403
    assert not is_signed_in(anonymous)


def test_state_of_one_provider_is_not_taken_by_another(anonymous, oidc_server, campus):
    other = make_provider(code="other", server_url=oidc_server.url)
    oidc_server.make_person("jane", **JANE)
    back = oidc_server.authorize(begin(anonymous), "jane")
    response = anonymous.get(back.replace("/campus/", f"/{other.code}/"))
    assert response.status_code == 403
    assert not is_signed_in(anonymous)


@pytest.mark.parametrize("claim", [False, None, "false", "true-ish", 0])
def test_unverified_address_takes_no_account_over(anonymous, oidc_server, campus, claim):
    holder = make_user(email="jane.doe@uni.example")
    oidc_server.make_person("mallory", email="jane.doe@uni.example", email_verified=claim)
    assert sign_in(anonymous, oidc_server, "mallory").status_code == 302
    mallory = SocialAccount.objects.get(uid="mallory").user
    assert mallory != holder
    assert (mallory.email, mallory.claimed_email, mallory.is_email_proved) == (None, "jane.doe@uni.example", False)
    holder.refresh_from_db()
    assert holder.has_usable_password()


@pytest.mark.parametrize("address", ["jane@other.example", "jane@sub.uni.example", "jane@uni.example.evil.example"])
def test_provider_vouches_for_its_own_domains_only(anonymous, oidc_server, campus, address):
    holder = make_user(email=address)
    oidc_server.make_person("mallory", email=address, email_verified=True)
    sign_in(anonymous, oidc_server, "mallory")
    assert SocialAccount.objects.get(uid="mallory").user != holder


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_next_never_leaves_the_site(anonymous, client_of, resident, oidc_server, campus, target):
    signed_in = client_of(resident).post(reverse("sso_start", args=["campus"]), {"next": target})
    assert signed_in.url == reverse("home:home")
    oidc_server.make_person("jane", **JANE)
    assert sign_in(anonymous, oidc_server, "jane", next=target).url == reverse("home:home")


def test_start_takes_nothing_from_the_request_but_next(client_of, resident, campus):
    """allauth's own view connects accounts with `process=connect`, and lets anybody add to scope and parameters."""
    url = begin(client_of(), process="connect", scope="admin", auth_params="prompt=none")
    asked = parse_qs(urlsplit(url).query)
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}
    assert "prompt" not in asked
    assert client_of(resident).post(reverse("sso_start", args=["campus"]), {"process": "connect"}).status_code == 302


def test_start_needs_a_post(anonymous, campus):
    assert anonymous.get(reverse("sso_start", args=["campus"])).status_code == 405


def test_switched_off_provider_opens_nothing(anonymous, oidc_server, campus):
    oidc_server.make_person("jane", **JANE)
    sign_in(anonymous, oidc_server, "jane")
    anonymous.post(reverse("account_logout"))
    back = oidc_server.authorize(begin(anonymous), "jane")
    IdentityProvider.objects.update(is_on=False)
    assert anonymous.get(back).status_code == 404
    assert anonymous.post(reverse("sso_start", args=["campus"])).status_code == 404
    assert "Campus" not in anonymous.get(reverse("account_login")).content.decode()
    assert not is_signed_in(anonymous)


def test_closed_account_is_not_opened(anonymous, oidc_server, campus):
    oidc_server.make_person("jane", **JANE)
    sign_in(anonymous, oidc_server, "jane")
    anonymous.post(reverse("account_logout"))
    User.objects.update(is_active=False)
    response = sign_in(anonymous, oidc_server, "jane")
    assert response.status_code == 403
    assert "This account is closed" in response.content.decode()
    assert not is_signed_in(anonymous)


def test_who_cancels_is_told_what_to_do(anonymous, oidc_server, campus):
    """The provider of these tests leaves the state out when somebody presses `Deny`; others send it along."""
    assert "error=access_denied" in oidc_server.authorize(begin(anonymous), None)
    state = parse_qs(urlsplit(begin(anonymous)).query)["state"][0]
    callback = reverse("openid_connect_callback", args=["campus"])
    response = anonymous.get(callback, {"error": "access_denied", "state": state})
    assert response.status_code == 200
    assert "You can try again" in response.content.decode()
    assert reverse("account_login") in response.content.decode()


@pytest.fixture
def silent_port():
    """A port that takes connections and never says a word."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        yield door.getsockname()[1]


def test_provider_that_is_away_or_silent_is_a_page_not_a_fault(anonymous, campus, silent_port, settings):
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 0.3
    for port in (free_port(), silent_port):
        IdentityProvider.objects.update(server_url=f"http://127.0.0.1:{port}")
        begun = time.monotonic()
        response = anonymous.post(reverse("sso_start", args=["campus"]))
        assert time.monotonic() - begun < 3
        assert response.status_code == 503
        assert "does not answer" in response.content.decode()


def test_provider_that_goes_away_in_the_middle_is_a_page_not_a_fault(anonymous, oidc_server, campus):
    oidc_server.make_person("jane", **JANE)
    back = oidc_server.authorize(begin(anonymous), "jane")
    IdentityProvider.objects.update(server_url=f"http://127.0.0.1:{free_port()}")
    assert anonymous.get(back).status_code == 503


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?error=x&state=y", "?code=x&state=%00"])
def test_odd_callbacks_are_pages_not_faults(anonymous, campus, query):
    assert anonymous.get(reverse("openid_connect_callback", args=["campus"]) + query).status_code == 403


def test_session_key_changes(anonymous, oidc_server, campus):
    oidc_server.make_person("jane", **JANE)
    back_url = begin(anonymous)
    planted = anonymous.cookies["sessionid"].value
    anonymous.get(oidc_server.authorize(back_url, "jane"))
    assert anonymous.cookies["sessionid"].value != planted
    thief = type(anonymous)()
    thief.cookies["sessionid"] = planted
    assert not is_signed_in(thief)


def test_steps_are_counted(anonymous, campus):
    url = reverse("openid_connect_callback", args=["campus"])
    statuses = {anonymous.get(url).status_code for _n in range(600)}
    assert statuses == {403}
    assert anonymous.get(url).status_code == 429


@pytest.mark.parametrize(
    "name",
    ["socialaccount_connections", "socialaccount_signup", "account_signup", "account_reset_password", "account_email"],
)
def test_no_other_page_of_allauth_exists(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_buttons_keep_next_and_the_policy_names_the_provider(anonymous, oidc_server, campus):
    make_provider(code="far", server_url="https://login.far.example/realm")
    make_provider(code="off", is_on=False, server_url="https://off.example")
    response = anonymous.get(reverse("account_login"), {"next": "/profile"})
    page = response.content.decode()
    assert page.count('name="next" value="/profile"') == 3
    policy = response.headers["Content-Security-Policy"]
    form_action = next(part for part in policy.split(";") if "form-action" in part)
    assert form_action.split()[1:] == ["'self'", oidc_server.url, "https://login.far.example"]
    assert "off.example" not in page + policy
    assert "form-action 'self'" in anonymous.get(reverse("accounts:forgot")).headers["Content-Security-Policy"]


def test_allauth_knows_none_but_those_that_are_switched_on(campus):
    make_provider(code="off", is_on=False)
    apps = get_adapter().list_apps(None)
    assert [app.provider_id for app in apps] == ["campus"]
    assert get_adapter().list_apps(None, provider="off") == []
