"""`Forgot Password`, as the manual has it, and what it must not do."""

import datetime as dt
import re

import pytest
from django.contrib.auth import hashers
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.links import Purpose, make_change_token, make_token
from accounts.models import LoginSource, User
from accounts.services import passwords
from accounts.services.email_change import change_email_by_link
from accounts.services.people import save_person
from accounts.views.links import MARK, MOST, OPENED
from opscom.core.models import AuditEntry
from opscom.messaging.rendering import render
from opscom.provider.selectors import get_provider
from tests.accounts.helpers import is_signed_in, link_in, mails, sign_in
from tests.factories.accounts import PASSWORD, make_registered, make_user
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db
FORGOT, NEW = "/password/forgot", "a new long password"


def ask(client, email):
    return client.post(FORGOT, {"email": email})


def fields(email, password=NEW):
    return {"email": email, "password": password, "password_again": password}


def reset_url(person):
    return reverse("accounts:reset_password", args=[make_token(person, Purpose.RESET)])


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def test_whole_way_of_the_manual(anonymous, resident):
    set_provider(name="Lakeside Parking")
    assert f'href="{FORGOT}"' in text_of(anonymous.get("/login"))
    page = text_of(anonymous.get(FORGOT))
    for words in ("Forgot Password", "Your Email Address", "Send Reminder", "Only users with an OPSCOM login"):
        assert words in page
    sent = text_of(anonymous.get(ask(anonymous, resident.email).url))
    assert "spam or junk folder" in sent
    assert "It comes from Lakeside Parking" in sent

    opened = anonymous.get(link_in(mails("reset_password")[0]), follow=True)
    assert "Reset Password" in text_of(opened)
    done = anonymous.post(opened.redirect_chain[-1][0], fields(resident.email), follow=True)
    assert "Login Page" in text_of(done)
    assert 'href="/login"' in text_of(done)
    assert not is_signed_in(anonymous), "whoever resets signs in with the new password"
    sign_in(anonymous, resident.email, PASSWORD)
    assert not is_signed_in(anonymous)
    sign_in(anonymous, resident.email, NEW)
    assert is_signed_in(anonymous)
    assert [message.to for message in mails("password_changed")] == [resident.email]
    assert AuditEntry.objects.filter(action="person.password_set").exists()


# The link


def by_its_use(person):
    passwords.set_password_by_link(
        token=make_token(person, Purpose.RESET), purpose=Purpose.RESET, password="x" * 20, email=person.email
    )


def by_a_changed_password(person):
    passwords.change_password(person=person, password="another long password")


def by_a_changed_address(person):
    change_email_by_link(token=make_change_token(person, "moved@example.org"))


def by_the_office(person):
    person.email = "moved@example.org"
    save_person(person=person, actor=person, changed=["email"])


def by_a_lock(person):
    User.objects.filter(pk=person.pk).update(is_active=False)


def by_single_sign_on(person):
    User.objects.filter(pk=person.pk).update(login_source=LoginSource.SSO, password="!x")


@pytest.mark.parametrize(
    "end",
    [by_its_use, by_a_changed_password, by_a_changed_address, by_the_office, by_a_lock, by_single_sign_on],
)
def test_link_dies(anonymous, resident, end):
    url, email = reset_url(resident), resident.email
    clean = anonymous.get(url).url
    assert anonymous.get(clean).status_code == 200
    end(User.objects.get(pk=resident.pk))
    before = User.objects.get(pk=resident.pk).password
    for address in (url, clean):
        assert anonymous.get(address).status_code == 410
        assert anonymous.post(address, fields(email)).status_code == 410
    assert User.objects.get(pk=resident.pk).password == before


@pytest.mark.parametrize(("hours_old", "status"), [(47, 200), (49, 410)])
def test_opened_link_expires_all_the_same(anonymous, resident, monkeypatch, hours_old, status):
    set_provider(password_link_hours=48)
    clean = anonymous.get(reset_url(resident)).url
    later = (timezone.now() + dt.timedelta(hours=hours_old)).timestamp()
    monkeypatch.setattr(signing.time, "time", lambda: later)
    assert anonymous.get(clean).status_code == status


def test_dead_link_leads_to_a_new_one(anonymous):
    page = anonymous.get(reverse("accounts:reset_password", args=["used-long-ago"]))
    assert page.status_code == 410
    assert f'href="{FORGOT}"' in text_of(page)


def test_trying_links_is_limited(anonymous, resident):
    """Also a link that works opens nothing any more from where sixty have been tried."""
    for _n in range(60):
        anonymous.get(reverse("accounts:reset_password", args=["guess"]))
    assert anonymous.post(reset_url(resident), fields(resident.email)).status_code == 410
    assert User.objects.get(pk=resident.pk).check_password(PASSWORD)


# Tokens out of sight


@pytest.mark.parametrize(
    ("name", "purpose", "make"),
    [
        ("create_password", Purpose.CREATE, make_registered),
        ("reset_password", Purpose.RESET, make_user),
        ("confirm_address", Purpose.CONFIRM, lambda: make_registered(login_source=LoginSource.SSO)),
    ],
)
def test_address_of_the_page_holds_no_token(anonymous, client_of, name, purpose, make):
    person = make()
    token = make_token(person, purpose)
    response = anonymous.get(reverse(f"accounts:{name}", args=[token]))
    assert response.status_code == 302
    assert "no-store" in response.headers["Cache-Control"]
    clean = response.url
    assert token not in clean
    page = anonymous.get(clean)
    assert page.status_code == 200
    assert token not in page.content.decode()
    assert client_of().get(clean).status_code == 410, "in another session it opens nothing"
    person.refresh_from_db()
    assert not person.is_email_proved or name == "reset_password"
    fresh = User.objects.get(pk=person.pk)
    assert (fresh.password, fresh.email_proved_at) == (person.password, person.email_proved_at)


def test_two_links_in_two_tabs_do_not_mix(anonymous):
    first, second = make_registered(), make_registered()
    tabs = [
        anonymous.get(reverse("accounts:create_password", args=[make_token(one, Purpose.CREATE)])).url
        for one in (first, second)
    ]
    assert first.email in text_of(anonymous.get(tabs[0]))
    assert second.email in text_of(anonymous.get(tabs[1]))
    anonymous.post(tabs[0], {"password": NEW, "password_again": NEW})
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.check_password(NEW)
    assert not second.has_usable_password()


def test_opened_link_is_for_its_own_page(anonymous):
    clean = anonymous.get(reverse("accounts:create_password", args=[make_token(make_registered(), Purpose.CREATE)])).url
    assert anonymous.get(reverse("accounts:reset_password", args=[clean.rpartition("/")[2]])).status_code == 410


def test_session_keeps_a_few_links_that_work_and_no_dead_ones(anonymous):
    anonymous.get(reverse("accounts:reset_password", args=["dead"]))
    anonymous.get(reverse("accounts:reset_password", args=[f"{MARK}0123456789abcdef"]))
    assert OPENED not in anonymous.session
    for _n in range(MOST + 2):
        anonymous.get(reset_url(make_user()))
    assert len(anonymous.session[OPENED]) == MOST


# What a stranger can learn, and cannot do


def kinds_of_address():
    make_user(email="known@example.org")
    make_user(email="locked@example.org", is_active=False)
    make_user(email="counter@example.org", is_proved=False, password=None)
    make_registered(email="waiting@example.org")
    make_user(email="campus@example.org", password=None, login_source=LoginSource.SSO)
    get_provider()
    return [f"{kind}@example.org" for kind in ("unknown", "known", "locked", "counter", "waiting", "campus")]


def test_answer_queries_mails_and_hashes_are_the_same_for_every_address(client_of, monkeypatch):
    calls, work, answers, sent = [], {}, {}, {}
    encode = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", lambda self, *args: calls.append(1) or encode(self, *args))
    addresses = kinds_of_address()
    calls.clear()
    for address in addresses:
        client, known = client_of(), len(mails())
        with CaptureQueriesContext(connection) as captured:
            response = ask(client, address)
        work[address] = (len(captured), len(calls), len(mails()) - known)
        sent[address.partition("@")[0]] = mails()[known].template.removeprefix("accounts/")
        page = re.sub(r'(csrfmiddlewaretoken" value="|X-CSRFToken": ")\w+', "", text_of(client.get(response.url)))
        answers[address] = (response.status_code, response.url, sorted(response.cookies), page)
    assert len(set(work.values())) == 1, work
    assert work["unknown@example.org"][1:] == (0, 1)
    assert len(set(map(str, answers.values()))) == 1
    assert sent == {
        "unknown": "no_account",
        "known": "reset_password",
        "locked": "no_account",
        "counter": "reset_password",
        "waiting": "reset_password",
        "campus": "sso_no_password",
    }
    campus = render(mails("sso_no_password")[0])[0].text
    assert "/password/" not in campus


def test_flood_of_reminders_ends_by_mailbox_and_by_client(client_of, resident):
    """What is asked beyond the limit is answered as ever, so that nobody learns whose mailbox is full."""
    answers = {
        (ask(client_of(), resident.email).status_code, ask(client_of(), "nobody@example.org").url) for _n in range(8)
    }
    assert answers == {(302, reverse("accounts:reminder_sent"))}
    assert len(mails("reset_password")) == 5
    assert len(mails("no_account")) == 5
    statuses = [ask(client_of(), f"n{n}@example.org").status_code for n in range(6)]
    assert statuses == [302] * 4 + [429] * 2


def test_reset_with_another_address_says_nothing_of_it(anonymous, resident, other_resident):
    clean = anonymous.get(reset_url(resident)).url
    pages = [
        re.sub(
            r'(csrfmiddlewaretoken" value="|X-CSRFToken": ")\w+', "", text_of(anonymous.post(clean, fields(address)))
        )
        for address in (other_resident.email, "nobody@example.org")
    ]
    assert pages[0].replace(other_resident.email, "") == pages[1].replace("nobody@example.org", "")
    assert resident.email not in pages[0]
