"""The five doors by which somebody whose login source is SSO could still come to a local password."""

import pytest
from allauth.account.adapter import get_adapter as account_adapter
from allauth.socialaccount.adapter import get_adapter as social_adapter
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory
from django.urls import reverse

from accounts.links import LinkDead, Purpose, make_token
from accounts.models import LoginSource, User
from accounts.services import passwords, people, registration
from opscom.core.errors import NotAllowed
from tests.accounts.helpers import is_signed_in, mails, sign_in
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.sso import make_provider

pytestmark = pytest.mark.django_db
NEW = "another long password"
SENTENCE = "If your login source is SSO, you'll need to reset your password through your SSO provider."


@pytest.fixture
def jane(db):
    """Somebody who signs in by the campus."""
    make_provider(code="campus", button_text={"en": "Campus login"})
    jane = make_user(email="jane.doe@uni.example", password=None, login_source=LoginSource.SSO)
    SocialAccount.objects.create(user=jane, provider="campus", uid="jane")
    return jane


def text_of(message):
    """Return what the mail says in plain text."""
    from opscom.messaging.rendering import render

    return render(message)[0].text


# 1: asking for a link


def test_reminder_answers_alike_and_writes_where_the_password_is(anonymous, client_of, jane, resident):
    page = anonymous.get(reverse("accounts:forgot")).content.decode()
    assert "Only users with an OPSCOM login can use the “Forgot Password” option on this page." in page
    answers = []
    for email in (jane.email, resident.email, "nobody@uni.example"):
        response = client_of().post(reverse("accounts:forgot"), {"email": email})
        answers.append((response.status_code, response.url, response.content, sorted(response.headers)))
    assert answers[0] == answers[1] == answers[2]
    told = mails("sso_no_password")[0]
    assert told.to == jane.email
    assert SENTENCE in text_of(told)
    assert "/password/" not in text_of(told)
    assert [mail.to for mail in mails("reset_password")] == [resident.email]


def test_reminder_costs_the_same_number_of_queries(client_of, jane, resident, django_assert_num_queries):
    from django.test.utils import CaptureQueriesContext

    counts = set()
    for email in (jane.email, resident.email):
        client = client_of()
        client.get(reverse("accounts:forgot"))
        with CaptureQueriesContext(connection) as seen:
            client.post(reverse("accounts:forgot"), {"email": email})
        counts.add(len(seen))
    assert len(counts) == 1


def test_who_registers_with_the_address_gets_no_link_into_the_account(jane):
    registration.register(email=jane.email, profile={"first_name": "M", "last_name": "X"}, language="en")
    text = text_of(mails("account_exists")[0])
    assert "/password/" not in text
    assert "account of your organisation" in text


# 2: links that were sent before


@pytest.mark.parametrize(("purpose", "name"), [(Purpose.RESET, "reset_password"), (Purpose.CREATE, "create_password")])
def test_links_from_before_are_dead(client_of, purpose, name):
    person = make_user()
    token = make_token(person, purpose)
    assert client_of().get(reverse(f"accounts:{name}", args=[token]), follow=True).status_code == 200
    User.objects.filter(pk=person.pk).update(login_source=LoginSource.SSO, password=make_password(None))
    # Also one that fits the row as it is now.
    for one in (token, make_token(User.objects.get(pk=person.pk), purpose)):
        url = reverse(f"accounts:{name}", args=[one])
        assert client_of().get(url).status_code == 410
        fields = {"email": person.email, "password": NEW, "password_again": NEW}
        assert client_of().post(url, fields).status_code == 410
    assert not User.objects.get(pk=person.pk).has_usable_password()


def test_link_that_was_open_when_the_person_joined_is_dead():
    """The page was read while the account was local; the write asks again."""
    person = make_user()
    User.objects.filter(pk=person.pk).update(login_source=LoginSource.SSO, password=make_password(None))
    stale = User.objects.get(pk=person.pk)
    with pytest.raises(LinkDead):
        passwords._prove_and_set(stale, make_password(NEW))


# 3: setting and changing


def test_security_names_the_provider_and_has_no_change_password(client_of, jane):
    page = client_of(jane).get(reverse("accounts:security")).content.decode()
    assert "Campus login" in page
    assert "Change Password" not in page
    response = client_of(jane).post(
        reverse("accounts:change_password"), {"current_password": "", "password": NEW, "password_again": NEW}
    )
    assert response.url == reverse("accounts:security")
    assert not User.objects.get(pk=jane.pk).has_usable_password()


def test_no_service_sets_a_password(jane, administrator):
    with pytest.raises(NotAllowed):
        passwords.change_password(person=jane, password=NEW)
    with pytest.raises(NotAllowed):
        people.send_password_link(person=jane, actor=administrator)
    with pytest.raises(NotAllowed):
        account_adapter().set_password(jane, NEW)
    assert mails() == []


def test_office_action_sends_no_link(client_of, jane, administrator):
    data = {"action": "send_password_link", "_selected_action": [jane.pk]}
    page = client_of(administrator).post(reverse("admin:accounts_user_changelist"), data, follow=True)
    assert "has no password here" in page.content.decode()
    assert mails("create_password") == []


def test_database_keeps_no_password_for_them(jane):
    jane.set_password(NEW)
    with pytest.raises(IntegrityError, match="accounts_user_sso_has_no_password"), transaction.atomic():
        jane.save()


# 4: signing in


def test_password_in_the_row_opens_nothing(anonymous, jane):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE accounts_user DROP CONSTRAINT accounts_user_sso_has_no_password")
    User.objects.filter(pk=jane.pk).update(password=make_password(PASSWORD))
    response = sign_in(anonymous, jane.email, PASSWORD)
    assert response.status_code == 200
    assert "The e-mail or the password is not right." in response.content.decode()
    assert not is_signed_in(anonymous)


# 5: disconnecting


def test_nothing_disconnects_them(jane):
    account = SocialAccount.objects.get(user=jane)
    with pytest.raises(NotAllowed):
        social_adapter(RequestFactory().get("/")).validate_disconnect(account, [account])
