"""Each mail of accounts is whole in both languages, and allauth's go the same way."""

import pytest
from allauth.account.adapter import get_adapter
from django.urls import reverse

from accounts.emails import acting
from accounts.emails import passwords as emails
from opscom.messaging.models import Lane, Message
from opscom.messaging.rendering import render
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", ["en", "fr-ca"])
def test_every_mail_renders_with_its_link(language, settings):
    person = make_user(language=language)
    for send in (emails.create_password, emails.account_exists, emails.reset_password, emails.password_changed):
        send(person)
    emails.no_account(address="nobody@example.org", language=language)
    assert Message.objects.count() == 5
    for message in Message.objects.all():
        letter, kept = render(message)
        assert message.lane == Lane.URGENT
        assert letter.subject
        assert f"{settings.SITE_URL}/" in letter.text
        assert f"?lang={language}" in letter.text
        assert f"?lang={language}" in letter.html
        assert "/password/create/" not in kept.text + kept.html
        assert "/password/reset/" not in kept.text + kept.html


def test_locked_owner_is_told_without_a_link():
    emails.account_exists(make_user(is_active=False))
    letter, _kept = render(Message.objects.get())
    assert "/password/" not in letter.text + letter.html


def test_mail_of_allauth_goes_through_the_outbox_as_a_secret(mailoutbox):
    context = {"password_reset_url": "https://x.example/secret-link", "signup_url": "https://x.example/secret-link"}
    get_adapter().send_mail("account/email/unknown_account", "nobody@example.org", context)
    message = Message.objects.get()
    letter, kept = render(message)
    assert "secret-link" in letter.text
    assert "secret-link" not in kept.text + str(message.context)
    assert mailoutbox == []


@pytest.mark.parametrize(("company", "said"), [("Northbuild", "who manages Northbuild"), ("", "of the parking office")])
def test_owner_is_told_by_whom_and_why(company, said, settings):
    actor = make_user(first_name="Priya", last_name="Raman")
    acting.acting_began(make_user(), actor=actor, company=company)
    letter, _kept = render(Message.objects.get())
    assert letter.subject == "Priya Raman is acting in your account"
    for text in (letter.text, letter.html):
        assert f"Priya Raman{',' if company else ''} {said}" in text
        assert f"{settings.SITE_URL}{reverse('accounts:history')}?lang=en" in text


def test_person_without_an_address_is_not_written_to():
    acting.acting_began(make_user(email=None, is_proved=False), actor=make_user(), company="")
    assert not Message.objects.exists()
