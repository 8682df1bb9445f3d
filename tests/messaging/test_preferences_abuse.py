"""What strangers, scanners and machines do to the page behind `Unsubscribe`."""

import re

import pytest
from django.core.signing import Signer
from django.test import Client
from django.urls import reverse

from opscom.core.throttles import allow
from opscom.messaging.models import OptOut
from opscom.messaging.preferences import make_link

pytestmark = pytest.mark.django_db
MAYA = "maya@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def link_for(address: str = MAYA, language: str = "en") -> str:
    return "/" + make_link(address, "newsletter", language).split("/", 3)[3]


def test_mail_programs_bring_no_cookie_at_all():
    """A machine that follows no redirect and chose no language is answered at once, and given nothing to keep."""
    robot = Client(enforce_csrf_checks=True)
    answer = robot.post(link_for(), ONE_CLICK)
    assert answer.status_code == 200
    assert answer.content == b"You are unsubscribed."
    assert "sessionid" not in answer.cookies
    assert OptOut.objects.get().address == MAYA


def test_mail_is_unsubscribed_in_its_own_language():
    answer = Client().post(link_for(language="fr-ca"), ONE_CLICK)
    assert answer.headers["Content-Language"] == "fr-ca"


@pytest.mark.parametrize("method", ["get", "head"])
def test_scanners_that_open_every_address_change_nothing(method):
    path = link_for() + "&List-Unsubscribe=One-Click&wanted="
    assert getattr(Client(), method)(path).status_code == 200
    assert not OptOut.objects.exists()


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_refused(method):
    assert getattr(Client(), method)(link_for()).status_code == 405
    assert not OptOut.objects.exists()


def test_whether_somebody_has_an_account_shows_nowhere(resident):
    stranger = resident.email[0] + "-nobody@" + resident.email.partition("@")[2]
    known, unknown = (normal(Client().get(link_for(address)).text) for address in (resident.email, stranger))
    assert known == unknown
    known, unknown = (Client().post(link_for(address), ONE_CLICK) for address in (resident.email, stranger))
    assert (
        (known.status_code, known.content) == (unknown.status_code, unknown.content) == (200, b"You are unsubscribed.")
    )


def normal(text: str) -> str:
    """Return the page without what is different each time: tokens, and the address of the page itself."""
    return re.sub(r'(value|action|href|nonce)="[^"]*"|"X-CSRFToken": "[^"]*"', "", text)


def test_a_mark_of_another_purpose_opens_nothing():
    for salt in ("", "accounts.links.reset", "django.core.signing"):
        signer = Signer(salt=salt) if salt else Signer()
        path = reverse("messaging:preferences", args=[signer.sign_object([MAYA, "newsletter"], compress=True)])
        assert Client().get(path).status_code == 404
        assert Client().post(path, ONE_CLICK).status_code == 404
    assert not OptOut.objects.exists()


def test_who_asks_too_often_waits():
    answer = Client().get(link_for())
    assert answer.status_code == 200
    while allow("preferences.client", "127.0.0.1", limit=300, seconds=600):
        pass
    for answer in (
        Client().get(link_for()),
        Client().post(link_for(), ONE_CLICK),
        Client().get("/email-preferences/x"),
    ):
        assert answer.status_code == 429
    assert not OptOut.objects.exists()
