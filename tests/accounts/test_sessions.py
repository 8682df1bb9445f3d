"""`Your sessions`: where one is signed in, and ending that."""

import datetime as dt

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.sessions.agents import describe_agent
from accounts.sessions.selectors import places_of
from accounts.sessions.services import SEEN
from accounts.tasks import forget_dead_sessions
from tests.accounts.helpers import sign_in
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.companies import give_company, log_in_as, make_company

pytestmark = pytest.mark.django_db
# Who is signed in, the list, and the cart.
QUERIES = 3
PAGE, END_OTHERS = "/security/sessions", "/security/sessions/end-others"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"


def browser(user, agent: str = FIREFOX, address: str = "203.0.113.9") -> Client:
    """A signed-in browser that has opened a page."""
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    client.cookies["language"] = "en"
    assert sign_in(client, user.email, PASSWORD).status_code == 302
    client.get(reverse("home:home"))
    return client


def is_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


def code_of(client: Client, user) -> str:
    return next(place.code for place in places_of(user, here=client.session.session_key) if place.is_here)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (IPHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on macOS"),
        (
            "Mozilla/5.0 (Linux; Android 15) SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        ("curl/8.5", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_in_words(agent, words):
    assert describe_agent(agent) == words


def test_list_shows_browser_address_and_which_is_this_one(resident, other_resident):
    here = browser(resident)
    browser(resident, IPHONE, "2001:db8::7")
    browser(other_resident, address="198.51.100.77")
    page = here.get(PAGE).content.decode()
    assert "Firefox on Windows" in page
    assert "203.0.113.9" in page
    assert "Safari on iPhone" in page
    assert "2001:db8::7" in page
    assert page.count("This session") == 1
    assert "198.51.100.77" not in page


def test_ending_one_is_felt_at_once(resident):
    here, there = browser(resident), browser(resident, IPHONE)
    here.post(reverse("accounts:end_session", args=[code_of(there, resident)]))
    assert not is_in(there)
    assert is_in(here)
    assert len(places_of(resident, here=None)) == 1


def test_ending_all_others(resident, other_resident):
    here, there, stranger = browser(resident), browser(resident, IPHONE), browser(other_resident)
    here.post(END_OTHERS)
    assert is_in(here)
    assert not is_in(there)
    assert is_in(stranger)


def test_sessions_of_others_are_not_there(resident, other_resident, clerk, client_of):
    theirs = browser(other_resident)
    code = code_of(theirs, other_resident)
    for client in (browser(resident), client_of(clerk)):
        assert client.post(reverse("accounts:end_session", args=[code])).status_code == 404
    assert is_in(theirs)


def test_neither_key_nor_row_stands_in_the_page(resident):
    here, there = browser(resident), browser(resident, IPHONE)
    page = here.get(PAGE).content.decode()
    assert there.session.session_key not in page
    assert code_of(there, resident) in page


def test_signing_out_leaves_the_list(resident):
    here, there = browser(resident), browser(resident, IPHONE)
    there.post(reverse("account_logout"))
    assert here.get(PAGE).content.decode().count("Last used") == 1


def test_new_password_ends_the_others_and_keeps_this_one(resident):
    here, there = browser(resident), browser(resident, IPHONE)
    new = "another long secret"
    data = {"current_password": PASSWORD, "password": new, "password_again": new}
    assert here.post(reverse("accounts:change_password"), data).status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert len(places_of(resident, here=None)) == 1


def test_use_is_written_down_every_five_minutes_only(resident, django_assert_num_queries):
    client = browser(resident)
    UserSession.objects.update(last_seen_at=timezone.now() - dt.timedelta(hours=1))
    client.get(PAGE)
    assert UserSession.objects.get().last_seen_at < timezone.now() - dt.timedelta(minutes=50)
    session = client.session
    key, at = session[SEEN]
    session[SEEN] = [key, at - 301]
    session.save()
    client.get(PAGE)
    assert UserSession.objects.get().last_seen_at > timezone.now() - dt.timedelta(minutes=1)


def test_ended_session_that_survived_in_the_cache_ends_at_its_next_sighting(resident):
    client = browser(resident)
    session = client.session
    key, at = session[SEEN]
    session[SEEN] = [key, at - 301]
    session.save()
    UserSession.objects.all().delete()
    assert client.get(PAGE).url.startswith("/login")
    assert not is_in(client)


@pytest.mark.parametrize("rows", [1, 3])
def test_list_costs_the_same_with_more_rows(rows, resident, django_assert_num_queries):
    here = browser(resident)
    for _row in range(rows - 1):
        browser(resident, IPHONE)
    here.get(PAGE)
    with django_assert_num_queries(QUERIES):
        assert here.get(PAGE).content.decode().count("Last used") == rows


def test_other_pages_ask_the_database_nothing_about_sessions_or_codes(resident, django_assert_max_num_queries):
    """The first sighting is written; after that the session itself knows."""
    client = browser(resident)
    client.get("/profile")
    with django_assert_max_num_queries(50) as seen:
        client.get("/profile")
    assert not [
        query["sql"] for query in seen.captured_queries if "usersession" in query["sql"] or "otp_" in query["sql"]
    ]


def test_what_is_kept_of_dead_sessions_is_forgotten(resident):
    here, left = browser(resident), browser(resident, IPHONE)
    left.post(reverse("account_logout"))
    run_out = browser(resident)
    Session.objects.filter(session_key=run_out.session.session_key).update(expire_date=timezone.now())
    UserSession.objects.update(last_seen_at=timezone.now() - dt.timedelta(days=1))
    forget_dead_sessions()
    assert [row.session_key for row in UserSession.objects.all()] == [here.session.session_key]
    assert is_in(here)


def test_who_acts_is_listed_with_who_acts_and_not_with_the_person(client_of, manager):
    worker = make_user()
    give_company(make_company(worker), manager)
    client = client_of(manager)
    log_in_as(client, worker)
    client.get(reverse("home:home"))
    assert places_of(worker, here=None) == []
    (place,) = places_of(manager, here=client.session.session_key)
    assert place.is_here
    other = browser(manager)
    other.post(END_OTHERS)
    assert client.get(reverse("home:home")).status_code == 302
