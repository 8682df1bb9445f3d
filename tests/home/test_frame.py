"""What stands around every page: title, name menu, tabs, cart, language, contact, and the error pages."""

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory

from home import tabs
from home.context_processors import once
from tests.factories.vehicles import set_provider


@pytest.fixture
def page(client_of, resident):
    return client_of(resident).get("/").content.decode()


@pytest.fixture
def request_of(rf: RequestFactory):
    """Return a request of nobody to nowhere."""
    request = rf.get("/")
    request.resolver_match = None
    return request


def test_title_is_page_then_provider(db, client_of, resident):
    set_provider(name="Lakeshore University Parking", short_name="Lakeshore")
    assert "<title>Home · Lakeshore</title>" in client_of(resident).get("/").content.decode()


def test_tabs_stand_in_the_manuals_order(page):
    nav = page.split('aria-label="Main"')[1].split("</nav>")[0]
    places = [nav.index(f"</svg>{label}</a>") for label in ("Home", "Vehicles", "Permits", "Payments")]
    assert places == sorted(places)
    assert nav.count('aria-current="page"') == 1


def test_name_menu_has_what_exists_and_signs_out_by_post(page):
    menu = page.split('class="menu"')[1].split("</details>")[0]
    assert "Your Profile" in menu
    assert "Security" in menu
    assert '<form method="post"' in menu
    assert "Parking office" not in menu


def test_the_office_finds_its_site_in_the_name_menu(client_of, administrator):
    assert "Parking office" in client_of(administrator).get("/").content.decode()


def test_contact_stands_in_the_footer(db, client_of, resident):
    set_provider(phone="416-555-0142")
    assert "416-555-0142" in client_of(resident).get("/").content.decode().split("<footer")[1]


@pytest.mark.parametrize(("offered", "is_shown"), [([], True), (["en", "fr-ca"], True), (["en"], False)])
def test_language_switch_shows_when_there_is_a_choice(db, client_of, resident, offered, is_shown):
    set_provider(languages=offered)
    assert ("Language:" in client_of(resident).get("/").content.decode()) is is_shown


def entries(count):
    return [tabs.Entry(f"Tab {number}", "car", "home:home") for number in range(count)]


@pytest.mark.parametrize(("count", "beyond"), [(4, 0), (5, 0), (6, 2), (8, 4)])
def test_a_phone_shows_five_tabs_or_four_and_more(monkeypatch, request_of, count, beyond):
    monkeypatch.setattr(tabs, "TABS", entries(count))
    shown = tabs.tabs(request_of)
    assert (len(shown), sum(tab.is_beyond for tab in shown)) == (count, beyond)


def test_switched_off_and_missing_pages_have_no_tab(monkeypatch, request_of):
    off = tabs.Entry("Off", "car", "home:home", lambda request: False)
    monkeypatch.setattr(tabs, "TABS", [off, tabs.Entry("Missing", "car", "nowhere:list")])
    assert tabs.tabs(request_of) == []


def test_context_is_asked_once_and_only_when_used():
    asked = []
    value = once(asked.append, 1)
    assert asked == []
    value()
    value()
    assert asked == [1]


def test_not_found_is_kind_and_shows_whom_to_ask(db, client_of, resident):
    set_provider(email="parking@example.org")
    response = client_of(resident).get("/nowhere/")
    assert response.status_code == 404
    assert "We cannot find that page" in response.content.decode()
    assert "parking@example.org" in response.content.decode().split("<footer")[0]


@pytest.mark.parametrize("template", ["500.html", "400.html", "busy.html"])
def test_pages_for_bad_days_need_no_database(template, rf):
    # No database mark: touching it here would raise.
    assert "<h1" in render_to_string(template)
    assert "<h1" in render_to_string(template, request=rf.get("/"))


def test_a_stale_form_is_told_so(resident):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(resident)
    response = client.post("/")
    assert response.status_code == 403
    assert "Please send that again" in response.content.decode()
