"""Both ways of registering, and what they tell about addresses that have an account: nothing."""

import re

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.selectors import asked_fields, require_proved
from accounts.services import passwords, registration
from opscom.core.models import AuditEntry
from opscom.messaging.rendering import render
from opscom.provider.models import RegistrationMode
from opscom.provider.selectors import get_provider
from tests.accounts.helpers import is_signed_in, link_in, mails, register, sign_in
from tests.factories.accounts import PASSWORD, make_registered, make_user, make_user_type, set_field
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db
AUTO, VERIFY = RegistrationMode.AUTO_LOGIN, RegistrationMode.EMAIL_VERIFICATION
MODES = pytest.mark.parametrize("mode", [AUTO, VERIFY])
NEW = "a new long password"


@pytest.fixture
def browser(client_of):
    """Return a maker of browsers of nobody, each with a session of its own."""
    return client_of


def use_link(client, message, password=NEW, **more):
    return client.post(link_in(message), {"password": password, "password_again": password, **more})


def same_for_everybody(response) -> tuple:
    """Return what a stranger sees of an answer, without what is random in each page."""
    body = re.sub(r'(csrfmiddlewaretoken" value="|X-CSRFToken": ")\w+', "", response.content.decode())
    return response.status_code, response.headers.get("Location"), body, sorted(response.cookies)


def test_verification_mode_end_to_end(anonymous):
    set_provider(registration_mode=VERIFY)
    response = register(anonymous, "Nia@Example.org")
    assert response.url == reverse("account_login")
    page = anonymous.get(response.url).content.decode()
    assert "An e-mail has been sent for validation, please click on the link" in page
    assert not is_signed_in(anonymous)
    response = use_link(anonymous, mails("create_password")[0])
    assert response.url == reverse("account_login")
    assert sign_in(anonymous, "nia@example.org", NEW).status_code == 302
    user = User.objects.get(email="nia@example.org")
    assert (user.first_name, user.last_name, user.language) == ("Nia", "Newcomer", "en")
    assert user.is_email_proved
    actions = list(AuditEntry.objects.filter(object_id=user.pk).order_by("pk").values_list("action", flat=True))
    assert actions == ["person.registered", "person.password_set", "person.email_proved"]


def test_auto_login_mode_end_to_end(anonymous):
    set_provider(registration_mode=AUTO)
    response = register(anonymous, "nia@example.org")
    assert response.url == reverse("accounts:profile")
    page = anonymous.get(response.url).content.decode()
    assert "Please check your email for an activation link." in page
    assert is_signed_in(anonymous)
    user = User.objects.get(email="nia@example.org")
    assert not user.has_usable_password()
    assert not user.is_email_proved
    response = use_link(anonymous, mails("create_password")[0])
    assert response.url == reverse("home:home")
    assert is_signed_in(anonymous)


def test_registration_changes_the_session_key(anonymous):
    set_provider(registration_mode=AUTO)
    session = anonymous.session
    session["planted"] = True
    session.save()
    anonymous.cookies["sessionid"] = session.session_key
    register(anonymous, "nia@example.org")
    assert anonymous.cookies["sessionid"].value != session.session_key


def test_closed_registration_is_not_there(anonymous):
    set_provider(is_registration_open=False)
    assert anonymous.get(reverse("accounts:register")).status_code == 404
    assert register(anonymous, "nia@example.org").status_code == 404
    assert "Create Account" not in anonymous.get(reverse("account_login")).content.decode()


def test_missing_answers_and_bad_addresses_stand_at_the_field(anonymous):
    response = register(anonymous, "no address", first_name="")
    assert set(response.context["form"].errors) == {"email", "first_name"}
    assert not User.objects.exists()


# What a stranger can learn


def known_addresses() -> dict[str, str]:
    """Return an address of each kind of account, and one without."""
    make_user(email="proved@example.org")
    make_registered(email="waiting@example.org")
    make_user(email="counter@example.org", is_proved=False, password=None)
    make_user(email="locked@example.org", is_active=False)
    # Warm, so that the first address does not pay for the others.
    get_provider(), asked_fields()
    sign_in(Client(), "somebody@example.org", "wrong")
    return {name: f"{name}@example.org" for name in ("unknown", "proved", "waiting", "counter", "locked")}


@MODES
def test_registration_answers_alike_for_every_address(browser, mode):
    set_provider(registration_mode=mode)
    answers, pages, queries = {}, {}, {}
    for name, address in known_addresses().items():
        client = browser()
        with CaptureQueriesContext(connection) as captured:
            response = register(client, address)
        answers[name] = same_for_everybody(response)
        pages[name] = same_for_everybody(client.get(response.url))[2].replace(address, "")
        queries[name] = len(captured)
        assert is_signed_in(client) == (mode == AUTO)
    assert len(set(map(str, answers.values()))) == 1
    assert len(set(pages.values())) == 1
    assert len(set(queries.values())) == 1, queries


@MODES
def test_whoever_registers_with_a_known_address_gets_nothing_of_it(browser, mode):
    set_provider(registration_mode=mode)
    owner = make_user(email="proved@example.org", first_name="Olive", mobile_phone="+16135550123")
    client = browser()
    register(client, "proved@example.org")
    owner.refresh_from_db()
    assert owner.first_name == "Olive"
    assert owner.check_password(PASSWORD)
    if mode == AUTO:
        page = client.get(reverse("accounts:profile")).content.decode()
        assert "Olive" not in page
        assert "0123" not in page
    # Only the owner is told, with a link to the owner's own account.
    (message,) = mails()
    assert message.template == "accounts/account_exists"
    assert message.to == "proved@example.org"
    use_link(browser(), message, email="proved@example.org")
    owner.refresh_from_db()
    assert owner.check_password(NEW)


def test_verification_mode_keeps_no_record_that_nobody_could_open(browser):
    set_provider(registration_mode=VERIFY)
    make_user(email="proved@example.org")
    register(browser(), "proved@example.org")
    assert User.objects.count() == 1
    assert not AuditEntry.objects.filter(action="person.registered").exists()


@MODES
def test_address_belongs_to_who_proves_it(browser, mode):
    """Somebody registers with the address of another before them: the owner's account holds nothing of theirs."""
    set_provider(registration_mode=mode)
    attacker, owner = browser(), browser()
    register(attacker, "olive@example.org", first_name="Mallory")
    register(owner, "olive@example.org", first_name="Olive")
    first, second = mails("create_password")
    use_link(browser(), second)
    person = User.objects.get(email="olive@example.org")
    assert person.first_name == "Olive"
    assert person.is_email_proved
    assert use_link(browser(), first).status_code == 410
    assert sign_in(browser(), "olive@example.org", NEW).status_code == 302


def test_link_of_a_claim_is_dead_once_the_address_is_proved(browser):
    set_provider(registration_mode=AUTO)
    client = browser()
    register(browser(), "olive@example.org")
    register(client, "olive@example.org")
    first, second = mails("create_password")
    assert use_link(browser(), first).status_code == 302
    assert use_link(client, second).status_code == 410
    claim = User.objects.get(claimed_email="olive@example.org")
    assert not claim.has_usable_password()
    assert claim.email is None


def test_session_of_a_registration_ends_when_somebody_else_sets_the_password(browser):
    """Mallory is signed in to an unproved account; Olive follows the link that came to her."""
    set_provider(registration_mode=AUTO)
    mallory, olive = browser(), browser()
    register(mallory, "olive@example.org")
    use_link(olive, mails("create_password")[0])
    assert not is_signed_in(mallory)


def test_reminder_answers_alike_for_every_address(browser):
    answers, queries = {}, {}
    for name, address in known_addresses().items():
        with CaptureQueriesContext(connection) as captured:
            answers[name] = same_for_everybody(browser().post(reverse("accounts:forgot"), {"email": address}))
        queries[name] = len(captured)
    assert len(set(map(str, answers.values()))) == 1
    assert len(set(queries.values())) == 1, queries
    assert [message.template for message in mails()] == [
        f"accounts/{name}"
        for name in ("no_account", "reset_password", "reset_password", "reset_password", "no_account")
    ]


def test_sign_in_answers_alike_and_hashes_once_for_every_address(browser, monkeypatch):
    calls = []
    encode = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", lambda self, *args: calls.append(1) or encode(self, *args))
    answers, work = {}, {}
    for name, address in known_addresses().items():
        calls.clear()
        with CaptureQueriesContext(connection) as captured:
            answer = same_for_everybody(sign_in(browser(), address, "not the password"))
        answers[name] = str(answer).replace(address, "")
        work[name] = (len(calls), len(captured))
    assert len(set(answers.values())) == 1
    assert len(set(work.values())) == 1, work
    assert work["unknown"][0] == 1


def test_mails_repeat_nothing_that_a_stranger_typed(anonymous):
    register(anonymous, "nia@example.org", first_name="WIN $$$", last_name="http://evil.example")
    letter, _kept = render(mails()[0])
    assert "WIN" not in letter.text + letter.html + letter.subject
    assert "evil" not in letter.text + letter.html


# What the proof brings


def test_user_type_by_default_and_by_domain_once_proved(anonymous):
    set_provider(registration_mode=VERIFY)
    default, staff = make_user_type("general", is_default=True), make_user_type("staff")
    staff.domains.create(domain="example.org")
    register(anonymous, "nia@example.org")
    user = User.objects.get()
    assert user.user_type == default
    use_link(anonymous, mails()[0])
    user.refresh_from_db()
    assert user.user_type == staff


def test_domain_does_not_overrule_the_office(anonymous):
    given, staff = make_user_type("contractor"), make_user_type("staff")
    staff.domains.create(domain="example.org")
    user = make_registered(user_type=given)
    registration.send_proof_link(person=user)
    use_link(anonymous, mails()[0])
    user.refresh_from_db()
    assert user.user_type == given


def test_unproved_may_not_and_is_told_how(unproved_resident, resident):
    assert require_proved(resident, "appeal").is_allowed
    refusal = require_proved(unproved_resident, "appeal")
    assert not refusal.is_allowed
    assert refusal.code == "email-not-proved"
    assert unproved_resident.email in str(refusal.reason)
    assert "Security" in str(refusal.reason)
    with pytest.raises(KeyError):
        require_proved(resident, "no such thing")


def test_link_is_sent_again_a_few_times(client_of):
    user = make_registered()
    client = client_of(user)
    for _time in range(8):
        assert client.post(reverse("accounts:send_link")).status_code == 302
    assert len(mails("create_password")) == 5
    assert use_link(client, mails()[0]).status_code == 302
    client.post(reverse("accounts:send_link"))
    assert len(mails("create_password")) == 5


def test_claim_that_asks_again_reaches_the_owner_not_the_claim(browser):
    set_provider(registration_mode=AUTO)
    make_user(email="proved@example.org")
    client = browser()
    register(client, "proved@example.org")
    page = client.post(reverse("accounts:send_link"), follow=True).content.decode()
    assert "Please check your email for an activation link." in page
    assert {message.template for message in mails()} == {"accounts/account_exists"}


def test_reset_by_somebody_entered_at_the_counter_is_their_way_in(browser):
    make_user(email="counter@example.org", is_proved=False, password=None)
    browser().post(reverse("accounts:forgot"), {"email": "counter@example.org"})
    client = browser()
    use_link(client, mails("reset_password")[0], email="counter@example.org")
    assert sign_in(client, "counter@example.org", NEW).status_code == 302


def test_registration_asks_what_the_office_marked(anonymous):
    set_field("student_number", state="required", is_asked_at_registration=True)
    response = register(anonymous, "nia@example.org")
    assert set(response.context["form"].errors) == {"student_number"}
    register(anonymous, "nia@example.org", student_number="S-1")
    assert User.objects.get().student_number == "S-1"


def test_nobody_is_doubled_in_the_database():
    make_user(email="one@example.org")
    passwords.request_reset(email=" ONE@example.org ", language="en")
    assert mails("reset_password")[0].to == "one@example.org"
