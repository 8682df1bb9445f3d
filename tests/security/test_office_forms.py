"""The office's pages as a browser uses them: what a page holds is sent back unchanged, and is saved."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts.models import User, UserTypeDomain
from opscom.messaging.models import MessageTemplate
from opscom.provider.models import Term
from tests.factories.accounts import make_user_type
from tests.factories.permits import make_sale
from tests.factories.provider import make_holiday, make_lot, set_disclaimer, set_provider
from tests.factories.vehicles import make_ownership

pytestmark = pytest.mark.django_db
WORDS = {"en": "Words", "fr-ca": "Mots"}


class FormReader(HTMLParser):
    """Collects what a browser would send of the page's biggest form: the names and values of its controls."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self.select = self.area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in given:
            self.sent.setdefault(self.select, []).append(value)
        elif tag == "textarea":
            self.area = name
            self.sent.setdefault(name, [""])
        elif tag == "input" and name and self.is_sent(given):
            self.sent.setdefault(name, []).append(value or ("on" if given.get("type") == "checkbox" else ""))

    def is_sent(self, given: dict[str, Any]) -> bool:
        if given.get("type") in ("checkbox", "radio"):
            return "checked" in given
        return given.get("type") not in ("file", "submit", "button") and "disabled" not in given

    def handle_data(self, data: str) -> None:
        if self.area:
            self.sent[self.area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.sent[self.area][0] = self.sent[self.area][0].removeprefix("\n")
            self.area = ""


@pytest.fixture
def rows(resident):
    """One record of each kind that the office edits, its words filled in."""
    set_provider(opening_hours=WORDS, languages=["en", "fr-ca"])
    set_disclaimer("vehicle", "Words")
    user_type = make_user_type()
    UserTypeDomain.objects.create(domain="example.org", user_type=user_type)
    make_holiday(on=Term.objects.create(name=WORDS, starts_on="2026-01-01", ends_on="2026-05-01").ends_on)
    make_ownership(resident)
    make_sale(lot=make_lot(name=WORDS, place=WORDS, description=WORDS))
    Group.objects.create(name="Our own")
    template = {"template": "accounts/no_account", "subject": WORDS, "text": {"en": "{link}", "fr-ca": "{link}"}}
    MessageTemplate.objects.create(**template)


def test_every_page_saves_what_it_shows(rows, client_of, administrator, resident):
    office, saved = client_of(administrator), set()
    for model, page in admin.site._registry.items():
        obj = resident if model is User else model._default_manager.order_by("-pk").first()
        address = obj and reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[obj.pk])
        if obj is None or not page.has_change_permission(office.get(address).wsgi_request, obj):
            continue
        reader = FormReader()
        reader.feed(office.get(address).content.decode())
        response = office.post(address, reader.sent)
        assert response.status_code == 302, (address, response.context and response.context["errors"])
        saved.add(model._meta.label)
    assert saved >= {"provider.Provider", "provider.Disclaimer", "provider.Lot", "provider.Term", "permits.PermitType"}
    assert saved >= {"accounts.User", "accounts.UserType", "messaging.MessageTemplate", "vehicles.Ownership"}
