"""Another e-mail address: proved by its own link, told to the old one, and given to nobody by accident."""

import datetime as dt
import re

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth import hashers
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.links import LinkDead, Purpose, make_change_token, make_token, read_change_token, read_token
from accounts.models import LoginSource, User
from accounts.services import passwords
from accounts.services.email_change import change_email_by_link, request_email_change
from accounts.throttles import may_mail
from opscom.core.errors import NotAllowed
from opscom.core.models import AuditEntry
from opscom.messaging.models import EmailCategory, OptOut
from opscom.messaging.rendering import render
from tests.accounts.helpers import is_signed_in, link_in, mails, sign_in
from tests.factories.accounts import PASSWORD, make_registered, make_user, make_user_type
from tests.factories.companies import log_in_as
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db
NEW = "maya.new@example.org"
ASK, SECURITY = "/security/email", "/security"


def ask(client, email=NEW, password=PASSWORD):
    return client.post(ASK, {"email": email, "current_password": password})


def url_of(person, address=NEW):
    return reverse("accounts:confirm_email_change", args=[make_change_token(person, address)])


def names():
    return [(message.template.removeprefix("accounts/"), message.to) for message in mails()]


def test_whole_way_in_the_session_that_asked(client_of, resident):
    client, old = client_of(resident), resident.email
    assert ASK in client.get(SECURITY).content.decode()
    assert ask(client, f"  {NEW.upper()} ").url == SECURITY
    resident.refresh_from_db()
    assert resident.email == old, "asking changes nothing"
    assert names() == [("email_confirm_new", NEW), ("email_change_asked", old)]

    url = client.get(link_in(mails("email_confirm_new")[0])).url
    page = client.get(url)
    assert old in page.content.decode()
    assert NEW in page.content.decode()
    resident.refresh_from_db()
    assert resident.email == old, "looking changes nothing"

    before, key = timezone.now(), client.cookies["sessionid"].value
    assert client.post(url).url == SECURITY
    resident.refresh_from_db()
    assert resident.email == NEW
    assert resident.email_proved_at >= before
    assert is_signed_in(client)
    assert client.cookies["sessionid"].value != key
    assert names()[2:] == [("email_changed", old)]
    entry = AuditEntry.objects.get(action="person.email_changed")
    assert (entry.facts["old"], entry.facts["new"]) == (old, NEW)
    assert entry.actor == resident


def test_old_address_signs_in_no_more_and_the_new_one_does(anonymous, resident):
    old = resident.email
    assert anonymous.post(url_of(resident), {"current_password": PASSWORD}).url == reverse("account_login")
    sign_in(anonymous, old, PASSWORD)
    assert not is_signed_in(anonymous)
    sign_in(anonymous, NEW, PASSWORD)
    assert is_signed_in(anonymous)


def test_other_sessions_end(client_of, anonymous, resident):
    here, elsewhere = client_of(resident), client_of(resident)
    assert is_signed_in(here)
    assert is_signed_in(elsewhere)
    here.post(url_of(resident))
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)
    resident.refresh_from_db()
    anonymous.post(url_of(resident, "third@example.org"), {"current_password": PASSWORD})
    assert not is_signed_in(here)
    assert not UserSession.objects.filter(user=resident).exists()


def test_mailbox_alone_changes_nothing(anonymous, client_of, resident, other_resident):
    """The address may have been mistyped: who reads the mail there does not have the password."""
    stranger = client_of(other_resident)
    for client in (anonymous, stranger):
        page = client.get(url_of(resident), follow=True)
        assert page.status_code == 200
        assert resident.email not in page.content.decode()
        for answer in ({}, {"current_password": "wrong"}):
            response = client.post(url_of(resident), answer)
            assert response.status_code == 200
    assert stranger.post(url_of(resident), {"current_password": PASSWORD}).url == reverse("account_login")
    assert is_signed_in(stranger), "the session of somebody else goes on"
    other_resident.refresh_from_db()
    assert other_resident.email == "luc.tremblay@example.org"


def test_password_cannot_be_guessed_on_the_page_of_the_link(anonymous, resident):
    url = url_of(resident)
    for _n in range(10):
        anonymous.post(url, {"current_password": "wrong"})
    assert anonymous.post(url, {"current_password": PASSWORD}).status_code == 429
    resident.refresh_from_db()
    assert resident.email != NEW


@pytest.mark.parametrize(
    ("email", "password", "at"),
    [
        ("maya.chen@example.org", PASSWORD, "email"),
        ("MAYA.chen@example.org ", PASSWORD, "email"),
        ("no address", PASSWORD, "email"),
        (NEW, "wrong", "current_password"),
        (NEW, "", "current_password"),
    ],
)
def test_errors_stand_at_their_field_and_send_nothing(client_of, resident, email, password, at):
    response = ask(client_of(resident), email, password)
    assert response.status_code == 200
    assert at in response.context["form"].errors
    assert mails() == []


def test_requests_are_limited(client_of, resident):
    client = client_of(resident)
    statuses = [ask(client, f"new{n}@example.org").status_code for n in range(7)]
    assert statuses == [302] * 5 + [429] * 2
    assert len(mails()) == 10
    others = client_of(make_user())
    assert [ask(others, NEW, "wrong").status_code for _n in range(11)] == [200] * 10 + [429]


def test_one_strange_mailbox_is_not_flooded(client_of):
    for _n in range(7):
        assert ask(client_of(make_user())).status_code == 302
    assert len(mails("email_confirm_new")) == 5
    assert len(mails("email_change_asked")) == 7, "the owner is told even so"


def test_an_address_that_was_only_typed_is_not_flooded_with_notices(resident):
    for _n in range(7):
        person = make_user(email=None, claimed_email="stranger@example.org", is_proved=False)
        change_email_by_link(token=make_change_token(person, f"own{person.pk}@example.org"))
    assert len(mails("email_changed")) == 5


def test_an_owner_hears_of_a_change_however_many_mails_there_were(resident):
    while may_mail(resident.email):
        pass
    change_email_by_link(token=make_change_token(resident, NEW))
    assert [message.to for message in mails("email_changed")] == ["maya.chen@example.org"]


# What the asker can learn, and cannot do


def kinds_of_address():
    make_user(email="proved@example.org")
    make_registered(email="waiting@example.org")
    make_user(email="counter@example.org", is_proved=False, password=None)
    make_user(email="locked@example.org", is_active=False)
    make_user(email="campus@example.org", password=None, login_source=LoginSource.SSO)
    return [f"{kind}@example.org" for kind in ("unknown", "proved", "waiting", "counter", "locked", "campus")]


def test_answer_queries_mails_and_hashes_are_the_same_for_every_address(client_of, monkeypatch):
    calls, work, answers, sent = [], {}, {}, {}
    encode = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", lambda self, *args: calls.append(1) or encode(self, *args))
    for address in [*kinds_of_address(), "again@example.org"]:
        asker = make_user(last_name="Asker")
        client, known = client_of(asker), len(mails())
        client.get(SECURITY)
        calls.clear()
        with CaptureQueriesContext(connection) as captured:
            response = ask(client, address)
        work[address] = (len(captured), len(calls), len(mails()) - known)
        sent[address] = mails()[known].template
        page = client.get(response.url).content.decode().replace(asker.email, "").replace(address, "")
        page = re.sub(r'(csrfmiddlewaretoken" value="|X-CSRFToken": ")\w+', "", page)
        answers[address] = (response.status_code, response.url, sorted(response.cookies), page)
    assert len(set(work.values())) == 1, work
    assert work["unknown@example.org"][1:] == (1, 2)
    assert len(set(map(str, answers.values()))) == 1
    linked = {address.partition("@")[0] for address, name in sent.items() if name == "accounts/email_confirm_new"}
    assert linked == {"unknown", "waiting", "again"}


@pytest.mark.parametrize("fields", [{}, {"is_proved": False, "password": None}, {"is_active": False}])
def test_kept_address_is_not_given_and_its_holder_is_told(client_of, resident, fields):
    holder = make_user(email=NEW, **fields)
    ask(client_of(resident))
    assert names() == [("email_wanted", NEW), ("email_change_asked", resident.email)]
    for message in mails():
        letter, _kept = render(message)
        assert "/address/" not in letter.text + letter.html
    # Even a link that was made otherwise is dead.
    with pytest.raises(LinkDead):
        change_email_by_link(token=make_change_token(resident, NEW))
    holder.refresh_from_db()
    assert holder.email == NEW


def test_database_has_the_last_word(resident, monkeypatch):
    """Somebody proves the address between the look and the change."""
    token = make_change_token(resident, NEW)
    found = read_change_token(token)
    make_user(email=NEW)
    monkeypatch.setattr("accounts.services.email_change.read_change_token", lambda _token: found)
    with pytest.raises(LinkDead):
        change_email_by_link(token=token)
    assert mails() == []
    assert not AuditEntry.objects.filter(action="person.email_changed").exists()


def test_address_that_somebody_only_typed_is_taken_over(anonymous, client_of, resident):
    typed = make_registered(email=NEW)
    theirs = reverse("accounts:create_password", args=[make_token(typed, Purpose.CREATE)])
    ask(client_of(resident))
    client_of(resident).post(link_in(mails("email_confirm_new")[0]))
    typed.refresh_from_db()
    resident.refresh_from_db()
    assert resident.email == NEW
    assert (typed.email, typed.claimed_email) == (None, NEW)
    assert anonymous.get(theirs).status_code == 410


def test_mails_name_neither_the_other_address_nor_what_was_typed(client_of, resident):
    old = resident.email
    ask(client_of(resident))
    client_of(resident).post(link_in(mails("email_confirm_new")[0]))
    for message in mails():
        letter, kept = render(message)
        said = letter.subject + letter.text + letter.html
        assert (old if message.to == NEW else NEW) not in said
        assert "Maya" not in said
        assert "/address/change/" not in kept.text + kept.html
        assert ("/address/change/" in said) == (message.template == "accounts/email_confirm_new")


# The link


def test_used_link_is_dead_and_all_others_of_the_person(anonymous, client_of, resident):
    url, other = url_of(resident), url_of(resident, "third@example.org")
    reset = reverse("accounts:reset_password", args=[make_token(resident, Purpose.RESET)])
    client = client_of(resident)
    client.post(url)
    for dead in (url, other, reset):
        assert anonymous.get(dead).status_code == 410
    assert client.post(url).status_code == 410
    assert client.post(other).status_code == 410


@pytest.mark.parametrize(
    "change",
    [
        {"email": "moved@example.org"},
        {"password": hashers.make_password("another long password", hasher="md5")},
        {"is_active": False},
        {"login_source": LoginSource.SSO, "password": "!x"},
    ],
)
def test_link_dies_with_the_address_the_password_and_the_account(anonymous, resident, change):
    url = url_of(resident)
    User.objects.filter(pk=resident.pk).update(**change)
    assert anonymous.get(url).status_code == 410
    assert anonymous.post(url, {"current_password": PASSWORD}).status_code == 410
    assert not User.objects.filter(email=NEW).exists()


def test_new_password_by_its_owner_stops_the_change(anonymous, resident):
    """What the mail to the old address advises."""
    url = url_of(resident)
    token = make_token(resident, Purpose.RESET)
    passwords.set_password_by_link(
        token=token, purpose=Purpose.RESET, password="another long password", email=resident.email
    )
    assert anonymous.get(url).status_code == 410


@pytest.mark.parametrize(("hours_old", "status"), [(47, 200), (49, 410)])
def test_link_expires(anonymous, resident, monkeypatch, hours_old, status):
    set_provider(password_link_hours=48)
    url = url_of(resident)
    later = (timezone.now() + dt.timedelta(hours=hours_old)).timestamp()
    monkeypatch.setattr(signing.time, "time", lambda: later)
    assert anonymous.get(url, follow=True).status_code == status


def test_link_is_for_its_page_and_its_address_only(resident):
    for purpose in (Purpose.CREATE, Purpose.RESET, Purpose.CONFIRM):
        with pytest.raises(LinkDead):
            read_token(make_change_token(resident, NEW), purpose)
        with pytest.raises(LinkDead):
            read_change_token(make_token(resident, purpose))
    body, stamp, signature = make_change_token(resident, NEW).split(":")
    other = make_change_token(resident, "evil@example.org").split(":")[0]
    with pytest.raises(LinkDead):
        read_change_token(f"{other}:{stamp}:{signature}")
    assert read_change_token(f"{body}:{stamp}:{signature}") == (resident, NEW)


# Who may, and what stays


def test_people_of_single_sign_on_are_told_why_not(client_of):
    person = make_user(email="jane@uni.example", password=None, login_source=LoginSource.SSO)
    client = client_of(person)
    page = client.get(SECURITY).content.decode()
    assert "Your e-mail address comes from the account of your organisation." in page
    assert f'href="{ASK}"' not in page
    told = client.post(ASK, {"email": NEW, "current_password": ""}, follow=True)
    assert "change it there" in told.content.decode()
    with pytest.raises(NotAllowed):
        request_email_change(person=person, email=NEW)
    assert mails() == []


def test_people_without_a_password_create_one_first(client_of):
    client = client_of(make_registered())
    assert f'href="{ASK}"' not in client.get(SECURITY).content.decode()
    assert "create a password first" in client.get(ASK, follow=True).content.decode()
    assert ask(client).url == SECURITY
    assert mails() == []


def test_who_acts_for_somebody_may_not(client_of, resident, manager):
    client = client_of(manager)
    log_in_as(client, resident)
    assert ask(client).status_code == 403
    assert client.post(url_of(resident), {"current_password": PASSWORD}).status_code == 403
    assert User.objects.get(pk=resident.pk).email != NEW


def test_choices_about_mail_go_along(client_of, resident):
    category = EmailCategory.objects.filter(is_essential=False).first()
    OptOut.objects.create(address=resident.email, category=category)
    client_of(resident).post(url_of(resident))
    assert [row.address for row in OptOut.objects.all()] == [NEW]


def test_domain_of_the_new_address_gives_no_user_type(client_of, resident):
    make_user_type("staff").domains.create(domain="example.org")
    kind = make_user_type("visitor")
    User.objects.filter(pk=resident.pk).update(user_type=kind)
    client_of(resident).post(url_of(resident))
    resident.refresh_from_db()
    assert resident.email == NEW
    assert resident.user_type == kind


@pytest.mark.parametrize("language", ["en", "fr-ca"])
def test_every_mail_is_whole(client_of, language, settings):
    person = make_user(language=language)
    ask(client_of(person))
    client_of(person).post(link_in(mails("email_confirm_new")[0]))
    ask(client_of(make_user(language=language)), NEW)
    assert {message.template.removeprefix("accounts/") for message in mails()} == {
        "email_confirm_new",
        "email_change_asked",
        "email_changed",
        "email_wanted",
    }
    for message in mails():
        letter, _kept = render(message)
        assert letter.subject
        assert f"{settings.SITE_URL}/" in letter.text
        assert f"?lang={language}" in letter.text
        assert f"?lang={language}" in letter.html
