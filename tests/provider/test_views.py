"""The logo, the disclaimer's page, and the health page, as a browser sees them."""

import time

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from opscom.provider.disclaimers import disclaimer_required
from opscom.provider.models import Agreement, Provider
from tests.factories.messaging import free_port
from tests.factories.provider import set_disclaimer, set_provider
from tests.provider.pictures import picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return get_user_model().objects.create_user("maya@example.org", first_name="Maya", last_name="Chen")


def test_logo_is_public_with_its_type(client):
    assert client.get(reverse("provider:logo")).status_code == 404
    provider = Provider.objects.get()
    provider.logo.save("logo.png", ContentFile(picture("PNG")))
    set_provider()
    response = client.get(reverse("provider:logo"))
    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response.streaming_content) == picture("PNG")
    assert "logo" not in provider.logo.name.removeprefix("provider/")


def test_lost_logo_file_is_404(client):
    set_provider(logo="provider/gone.png")
    assert client.get(reverse("provider:logo")).status_code == 404


def test_health_is_public(client):
    response = client.get(reverse("provider:health"))
    assert response.json() == {"ok": True, "database": True, "redis": True}


def test_health_without_redis_is_well_but_says_so(client, settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    start = time.monotonic()
    response = client.get(reverse("provider:health"))
    assert response.status_code == 200
    assert response.json() == {"ok": True, "database": True, "redis": False}
    assert time.monotonic() - start < 1


def test_health_without_database_is_503(client):
    with connection.execute_wrapper(refuse):
        response = client.get(reverse("provider:health"))
    assert response.status_code == 503
    assert response.json()["ok"] is False


def refuse(execute, sql, params, many, context: dict[str, CursorWrapper]):
    """Stand for a database that went away."""
    from django.db import OperationalError

    raise OperationalError("server closed the connection unexpectedly")


def agree_address(target: str = "/vehicles/") -> str:
    return f"{reverse('provider:agree', args=['vehicle'])}?next={target}"


def test_disclaimer_is_shown_agreed_to_and_leads_back(client, person):
    set_disclaimer("vehicle", "Park at your own <b>risk</b>.")
    client.force_login(person)
    response = client.get(agree_address())
    assert "Park at your own &lt;b&gt;risk&lt;/b&gt;." in response.text
    assert "I Agree" in response.text
    version = response.context["disclaimer"].version
    response = client.post(reverse("provider:agree", args=["vehicle"]), {"version": version, "next": "/vehicles/"})
    assert (response.status_code, response["Location"]) == (302, "/vehicles/")
    assert Agreement.objects.get().text == "Park at your own <b>risk</b>."


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_agreeing_never_leads_away(client, person, target):
    disclaimer = set_disclaimer("vehicle", "Text")
    client.force_login(person)
    data = {"version": disclaimer.version, "next": target}
    response = client.post(reverse("provider:agree", args=["vehicle"]), data)
    assert response["Location"] == "/"


def test_a_text_that_changed_meanwhile_is_shown_again(client, person):
    old = set_disclaimer("vehicle", "Old").version
    set_disclaimer("vehicle", "New")
    client.force_login(person)
    response = client.post(reverse("provider:agree", args=["vehicle"]), {"version": old, "next": "/vehicles/"})
    assert response.status_code == 200
    assert "has changed" in response.text
    assert not Agreement.objects.exists()


def test_agreeing_needs_a_sign_in(client):
    set_disclaimer("vehicle", "Text")
    assert client.get(agree_address()).status_code == 302
    assert "login" in client.get(agree_address())["Location"]


def test_unknown_kind_is_404_and_empty_text_leads_on(client, person):
    client.force_login(person)
    assert client.get("/agree/nothing/").status_code == 404
    assert client.get(agree_address())["Location"] == "/vehicles/"


@disclaimer_required("vehicle")
def guarded(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


@pytest.mark.parametrize(("htmx", "header"), [(False, "Location"), (True, "HX-Redirect")])
def test_decorator_leads_to_the_disclaimer_first(person, htmx, header):
    request = RequestFactory().get("/vehicles/?a=1")
    request.user, request.htmx = person, htmx
    assert guarded(request).content == b"in"
    set_disclaimer("vehicle", "Text")
    assert guarded(request)[header] == "/agree/vehicle/?next=%2Fvehicles%2F%3Fa%3D1"
