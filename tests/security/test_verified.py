"""Verified or not: THE table of ways in, what was shown, and what is then open; and what abusers try around it.

A row is (way to sign in, what the person shows after it); its columns are a page of the portal, the office's site, and
acting for somebody. Passkeys are not built.
"""

import datetime as dt
from collections.abc import Iterator
from importlib import import_module

import pytest
from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from allauth.core.context import request_context
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from django_otp.plugins.otp_email.models import EmailDevice

from accounts.acting import state as acting_state
from accounts.mfa import is_verified, services, state
from accounts.mfa.codes import send_code
from accounts.mfa.middleware import AFTER_CODE
from accounts.models import AppDevice, LoginSource, User
from tests.accounts.helpers import mails
from tests.accounts.mfa import (
    CODE_PAGE,
    SEND,
    SETTINGS,
    app_code,
    enter,
    give_app,
    give_email,
    is_in,
    let_pass,
    newest_code,
    sign_in_half,
)
from tests.factories.accounts import make_user
from tests.factories.companies import give_company, log_in_as, make_company

pytestmark = pytest.mark.django_db

# fmt: off
TABLE = {
    #                                  portal admin acting
    ("password", "nothing"):           "no    no    no",
    ("password", "e-mailed code"):     "yes   yes   yes",
    ("password", "app"):               "yes   yes   yes",
    ("password", "recovery code"):     "yes   yes   yes",
    ("sso", "nothing"):                "no    no    no",
    ("sso", "e-mailed code"):          "yes   yes   yes",
    ("sso", "app"):                    "yes   yes   yes",
    ("sso", "recovery code"):          "yes   yes   yes",
    # Of whom nothing is asked: verified by signing in. The office is never among them.
    ("password", "not asked"):         "yes   no    yes",
    ("sso", "not asked"):              "yes   no    yes",
}
# fmt: on


def come_in(client: Client, person: User, way: str) -> None:
    """Sign in, by the page or as allauth does after an identity provider has spoken."""
    if way == "password":
        sign_in_half(client, person)
        return
    person.set_unusable_password()
    person.login_source = LoginSource.SSO
    person.save(update_fields=["password", "login_source"])
    request = RequestFactory().get("/")
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    request.user, request._messages = get_user(request), FallbackStorage(request)
    with request_context(request):
        perform_login(request, Login(user=person, redirect_url="/"))
    request.session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key


def show(client: Client, person: User, what: str, kept: list[str]) -> None:
    """Enter what the row says."""
    if what == "e-mailed code":
        enter(client, newest_code())
    elif what == "app":
        enter(client, app_code(AppDevice.objects.get(user=person)))
    elif what == "recovery code":
        enter(client, kept[0])


def prepare(person: User, what: str) -> list[str]:
    """Give the person the means of the row, and return their recovery codes."""
    if what == "app":
        give_app(person)
    elif what != "not asked":
        give_email(person)
    return services.make_recovery_codes(person=person, keep="") if what == "recovery code" else []


def opens(client: Client, path: str) -> str:
    return "yes" if client.get(path).status_code == 200 else "no"


def acts(client: Client, worker: User) -> str:
    """Say whether the manager gets into the worker's account, and sees it."""
    log_in_as(client, worker)
    is_acting = acting_state.read(client.session) is not None
    assert not is_acting or "Wanda" in client.get(reverse("home:home")).content.decode()
    return "yes" if is_acting else "no"


@pytest.mark.parametrize(("way", "what"), TABLE)
def test_verified_or_not(client_of, clerk, manager, resident, way, what):
    worker = make_user(first_name="Wanda")
    give_company(make_company(worker), manager)
    found = []
    for person, ask in (
        (resident, lambda client: opens(client, reverse("home:home"))),
        (clerk, lambda client: opens(client, "/admin/")),
        (manager, lambda client: acts(client, worker)),
    ):
        kept = prepare(person, what)
        client = client_of()
        come_in(client, person, way)
        show(client, person, what, kept)
        found.append(ask(client))
    assert found == TABLE[way, what].split()


# Abuse


@pytest.fixture
def careful(resident: User) -> User:
    """A resident who has chosen e-mailed codes."""
    give_email(resident)
    return resident


def walk(resolver: URLResolver) -> Iterator[URLPattern]:
    """Yield every address."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry
        else:
            yield from walk(entry)


OPEN = {"/login", "/logout", CODE_PAGE, SEND, SETTINGS}


def test_exactly_the_five_pages_are_open_before_the_code():
    """Every other address behind the sign-in asks; what is public is public to strangers, too."""
    found = set()
    for pattern in walk(get_resolver()):
        view = pattern.callback
        if not getattr(view, "code_required", True):
            found.add("/" + str(pattern.pattern))
    assert found | {"/login", "/logout"} == OPEN


@pytest.mark.parametrize("method", ["get", "head", "post"])
@pytest.mark.parametrize(
    "path", ["/", "/vehicles/", "/security", "/security/sessions", "/profile", "/payments/", "/admin/"]
)
def test_direct_addresses_lead_to_the_code(client_of, careful, path, method):
    response = getattr(client_of(careful, is_verified=False), method)(path)
    assert (response.status_code, response.url) == (302, CODE_PAGE)


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/accounts/user/", "/admin/provider/provider/1/change/", "/admin/login/?next=/admin/"]
)
def test_office_stays_closed_without_code(client_of, administrator, path):
    client = client_of(administrator, is_verified=False)
    assert client.get(path).url == CODE_PAGE
    assert client.get(path, headers={"HX-Request": "true"}).headers["HX-Redirect"] == CODE_PAGE


def test_office_site_asks_without_the_middleware_too(client_of, administrator, settings):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "CodeMiddleware" not in name]
    assert client_of(administrator).get("/admin/").status_code == 200
    assert client_of(administrator, is_verified=False).get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "data",
    [{}, {"code": ""}, {"code": " "}, {"code": "\0"}, {"code": "12345"}, {"code": "9" * 500}, {"code": "٣٣٣٣٣٣"}],
)
def test_odd_codes_are_refused(client_of, careful, data):
    client = client_of(careful, is_verified=False)
    assert client.post(CODE_PAGE, data).status_code == 200
    assert not is_in(client)


def test_guessing_is_throttled_over_sessions_and_addresses(careful):
    """The person counts, however many browsers and addresses the guesses come from."""
    send_code(person=careful).or_raise()
    statuses = []
    for number in range(22):
        client = Client(REMOTE_ADDR=f"203.0.113.{number}")
        client.force_login(careful)
        let_pass(careful, throttle=True)
        statuses.append(enter(client, "abc123").status_code)
    assert statuses[:20] == [200] * 20
    assert statuses[20:] == [429] * 2


def test_guessing_is_throttled_without_the_cache(careful, monkeypatch):
    """django-otp's own wait stands in the database: a dead cache opens no door."""
    monkeypatch.setattr("opscom.core.throttles.cache.incr", lambda *args: 1)
    send_code(person=careful).or_raise()
    code = newest_code()
    wrong = f"{(int(code) + 1) % 1000000:06}"
    client = Client()
    client.force_login(careful)
    for _try in range(3):
        enter(client, wrong)
    enter(client, code)
    assert EmailDevice.objects.get(user=careful).throttling_failure_count == 1
    assert not is_in(client)


def test_owner_is_not_shut_out_for_ever(careful):
    EmailDevice.objects.filter(user=careful).update(
        throttling_failure_count=60, throttling_failure_timestamp=timezone.now() - dt.timedelta(minutes=10)
    )
    send_code(person=careful).or_raise()
    client = Client()
    client.force_login(careful)
    enter(client, newest_code())
    assert is_in(client)


def test_mailbox_cannot_be_flooded(careful, client_of):
    client = client_of(careful, is_verified=False)
    for _click in range(5):
        client.post(SEND)
        sign_in_half(client_of(), careful)
        enter(client, "1")
    assert len(mails("one_time_password")) == 1
    for _click in range(20):
        let_pass(careful, cool_down=True, expire=True)
        client.post(SEND)
    assert len(mails("one_time_password")) == 10


def test_reminders_of_strangers_do_not_keep_the_code_away(careful, client_of, anonymous):
    for _try in range(8):
        anonymous.post(reverse("accounts:forgot"), {"email": careful.email})
    sign_in_half(client_of(), careful)
    assert len(mails("one_time_password")) == 1


def test_known_session_key_is_worth_nothing_after_the_code(careful):
    """Session fixation: the key changes at the sign-in, and once more when the code is shown."""
    client, thief = Client(), Client()
    client.get("/login")
    sign_in_half(client, careful)
    thief.cookies[settings.SESSION_COOKIE_NAME] = client.session.session_key
    assert thief.get("/vehicles/").url == CODE_PAGE
    enter(client, newest_code())
    assert is_in(client)
    assert thief.get("/vehicles/").url.startswith("/login")


def test_code_of_another_person_opens_nothing(careful, other_resident, client_of):
    give_email(other_resident)
    send_code(person=careful).or_raise()
    send_code(person=other_resident).or_raise()
    theirs = newest_code()
    client = client_of(careful, is_verified=False)
    enter(client, theirs)
    let_pass(careful, throttle=True)
    enter(client, services.make_recovery_codes(person=other_resident, keep="")[0])
    assert not is_in(client)


def test_code_that_went_to_an_earlier_address_opens_nothing(careful, client_of):
    send_code(person=careful).or_raise()
    User.objects.filter(pk=careful.pk).update(email="new@example.org")
    client = client_of(careful, is_verified=False)
    enter(client, newest_code())
    assert not is_in(client)


def test_state_of_another_person_or_of_earlier_factors_counts_nothing(careful, other_resident, client_of):
    client = client_of(careful, is_verified=False)
    for wrong in ({"person": other_resident.pk}, {"epoch": careful.mfa_epoch - 1}, {"person": None}):
        session = client.session
        session[state.KEY] = {"person": careful.pk, "device": "x/1", "epoch": careful.mfa_epoch, **wrong}
        session.save()
        assert not is_in(client), wrong
    session[state.KEY]["person"] = careful.pk
    session.save()
    assert is_in(client)


def test_signing_out_takes_the_state_along(careful, client_of):
    client = client_of(careful)
    assert is_in(client)
    client.post("/logout")
    sign_in_half(client, careful)
    assert not is_in(client)


def test_factor_change_elsewhere_voids_the_state(careful, client_of):
    client = client_of(careful)
    assert is_in(client)
    User.objects.filter(pk=careful.pk).update(mfa_epoch=careful.mfa_epoch + 1)
    assert not is_in(client)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_one_is_led_nowhere_else(careful, client_of, target):
    client = client_of(careful, is_verified=False)
    session = client.session
    session[AFTER_CODE] = target
    session.save()
    send_code(person=careful).or_raise()
    assert enter(client, newest_code()).url == reverse("home:home")
    assert client.post(SEND, {"page": target}).url == CODE_PAGE


def test_posts_are_not_replayed_after_the_code(careful, client_of):
    client = client_of(careful, is_verified=False)
    client.post("/vehicles/", {"x": 1})
    send_code(person=careful).or_raise()
    assert enter(client, newest_code()).url == reverse("home:home")


def test_anonymous_is_never_verified(rf):
    request = rf.get("/")
    request.session, request.user = {}, AnonymousUser()
    assert not is_verified(request)


def test_acting_ends_with_the_managers_factors(client_of, manager):
    """Who acts is asked for their own code again, and not for the person's."""
    worker = make_user(first_name="Wanda")
    give_company(make_company(worker), manager)
    give_email(manager)
    client = client_of(manager)
    log_in_as(client, worker)
    assert is_in(client)
    User.objects.filter(pk=manager.pk).update(mfa_epoch=manager.mfa_epoch + 1)
    assert client.get(reverse("home:home")).url == CODE_PAGE
    client.post(SEND)
    assert mails("one_time_password")[-1].to == manager.email


@pytest.mark.parametrize("path", [SETTINGS, "/account/multiauth/app", "/security/sessions"])
def test_who_acts_cannot_touch_the_persons_factors_and_sessions(client_of, manager, path):
    worker = make_user()
    give_company(make_company(worker), manager)
    client = client_of(manager)
    log_in_as(client, worker)
    assert client.get(path).status_code == 403
    assert client.post(path).status_code == 403
