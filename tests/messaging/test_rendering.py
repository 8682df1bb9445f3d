"""What the receiver reads: language, provider, time zone, and the office's own words."""

import datetime as dt

import pytest
from django.utils import timezone, translation

from opscom.messaging import placeholders
from opscom.messaging.forms import MessageTemplateForm
from opscom.messaging.models import MessageTemplate
from opscom.messaging.rendering import mask, render, revive
from tests.factories.messaging import make_message
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db


def test_provider_stands_in_text_and_html(settings):
    set_provider(name="Lakeshore Parking", colour="#0f766e", phone="613-555-0100", email="office@example.org")
    letter, _kept = render(make_message())
    for body in (letter.text, letter.html):
        assert "Lakeshore Parking" in body
        assert "613-555-0100" in body
        assert settings.SITE_URL in body
    assert "#0f766e" in letter.html
    assert '<html lang="en">' in letter.html


def test_receivers_language_not_the_senders():
    message = make_message(language="fr-ca")
    with translation.override("en"):
        letter, _kept = render(message)
        assert translation.get_language() == "en"
    assert '<html lang="fr-ca">' in letter.html


def test_times_are_the_providers_and_in_the_receivers_words():
    set_provider(time_zone="America/Toronto")
    held_until = dt.datetime(2026, 7, 1, 2, 30, tzinfo=dt.UTC)
    english = make_message(context={"name": "Maya", "held_until": held_until})
    french = make_message(context={"name": "Maya", "held_until": held_until}, language="fr-ca")
    english.refresh_from_db()
    french.refresh_from_db()
    assert "June 30, 2026, 10:30 p.m." in render(english)[0].text
    assert "30 juin 2026, 22\xa0h\xa030" in render(french)[0].text


def test_text_that_only_looks_like_a_date_stays():
    assert revive({"a": ["2026-99-99", "2026-07-01T", "12"]}) == {"a": ["2026-99-99", "2026-07-01T", "12"]}
    assert revive("2026-07-01") == dt.date(2026, 7, 1)


def test_mask_keeps_the_shape():
    masked = {"a": "[secret]", "b": ["[secret]"], "c": None, "d": True}
    assert mask({"a": "x", "b": [1], "c": None, "d": True}) == masked


def test_message_id_is_stable_and_differs_by_message():
    one, two = make_message(), make_message()
    assert render(one)[0].message_id == render(one)[0].message_id
    assert render(one)[0].message_id != render(two)[0].message_id


def test_office_wording_in_one_language_only():
    MessageTemplate.objects.create(
        template="trial/hello",
        subject={"en": "Hi {name}"},
        text={"en": "Dear {name}, see {site_url}{link} <b>{held_until}</b>"},
    )
    context = {"name": "{link} O'Neill", "held_until": timezone.now(), "link": "/x/"}
    english, _kept = render(make_message(context=context))
    french, _kept = render(make_message(context=context, language="fr-ca"))
    assert english.subject == "Hi {link} O'Neill", "a value is never read as a placeholder"
    assert "<b>" in english.text
    assert "&lt;b&gt;" in english.html
    assert french.subject != english.subject


def test_office_wording_masks_secrets_too():
    MessageTemplate.objects.create(template="trial/hello", subject={"en": "Hi"}, text={"en": "{site_url}{link}"})
    letter, kept = render(make_message(secret_context={"link": "/password/abc/"}))
    assert "/password/abc/" in letter.text
    assert "abc" not in kept.text + kept.html


def test_placeholders_are_those_of_the_templates():
    assert placeholders.list_placeholders("trial/hello") >= {"name", "link", "held_until", "site_url"}
    assert "provider" not in placeholders.list_placeholders("trial/hello")
    assert placeholders.list_needed_placeholders("trial/hello") == {"link"}
    assert "trial/hello" in placeholders.list_templates()


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("Dear {name}: {site_url}{link}", True),
        ("Dear {name}", False),
        ("{link} {password}", False),
        ("{link} {name.email}", False),
        ("{link} {name!r}", False),
        ("{link} {", False),
        ("{link} }", False),
        ("{link} {{ name }}", False),
        ("{link} {0}", False),
        ("{link} {% now 'Y' %}", False),
    ],
)
def test_form_takes_listed_placeholders_only(text, is_valid):
    data = {
        "template": "trial/hello",
        "subject_en": "Hi {name}",
        "text_en": text,
        "subject_fr_ca": "",
        "text_fr_ca": "",
    }
    form = MessageTemplateForm(data)
    assert form.is_valid() is is_valid, form.errors


def test_form_wants_subject_and_text_together():
    data = {"template": "trial/hello", "subject_en": "Hi", "text_en": "", "subject_fr_ca": "", "text_fr_ca": ""}
    assert not MessageTemplateForm(data).is_valid()


def test_the_office_may_use_what_a_shared_part_of_an_email_shows():
    """The facts of a ticket stand in a file that several e-mails include."""
    offered = placeholders.list_placeholders("violations/ticket_new")
    assert {"offence", "vehicle", "place", "ticket_number", "ticket_link"} <= offered
    assert "step" not in offered
