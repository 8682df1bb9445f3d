"""Acting in another person's account: who may, who never, and every way in which it ends."""

import time

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts.acting.selectors import acts_for
from accounts.acting.state import KEY, MOST_SECONDS
from accounts.models import CompanyManager, User
from accounts.roles import ADMINISTRATOR
from opscom.core.models import AuditEntry
from tests.accounts.helpers import mails
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.companies import give_company, log_in_as, make_company, who

pytestmark = pytest.mark.django_db
HOME = "/"


@pytest.fixture
def acting(client_of, manager, resident):
    """The manager's browser, in the resident's account."""
    client = client_of(manager)
    response = log_in_as(client, resident)
    assert response["Location"] == reverse("accounts:acting")
    return client


def colleague(manager, **fields) -> User:
    """One more of the manager's people."""
    person = make_user(**fields)
    person.company = manager.managed_companies.get().company
    person.save()
    return person


def log(*actions: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action__in=actions).order_by("pk"))


def age(client: Client, seconds: float) -> None:
    """Let the acting have begun so long ago."""
    session = client.session
    session[KEY] = {**session[KEY], "since": time.time() - seconds}
    session.save()


# Into the account


def test_manager_acts_in_the_account_and_comes_back(acting, manager, resident):
    assert who(acting) == (resident.email, manager.email)
    page = acting.get(reverse("accounts:acting")).content.decode()
    assert "You are now logged in as Maya Chen" in page
    assert "<strong>Priya Raman</strong>, you are in the account of <strong>Maya Chen</strong>" in page
    response = acting.post(reverse("accounts:stop_acting"))
    assert response["Location"] == reverse("accounts:company")
    assert who(acting) == (manager.email, "")
    began, ended = log("acting.began", "acting.ended")
    assert (began.actor, began.on_behalf_of) == (ended.actor, ended.on_behalf_of) == (manager, resident)
    assert began.facts["company"] == "Northbuild"
    assert ended.facts["because"] == "button"


def test_what_is_done_is_recorded_with_both_names(acting, manager, resident):
    before = {"first_name": "Maya", "last_name": "Chen", "email": resident.email}
    acting.post(reverse("accounts:profile"), {**before, "first_name": "Maja", "language": "en"})
    entry = AuditEntry.objects.get(action="person.profile_changed")
    assert (entry.actor, entry.actor_label, entry.on_behalf_of) == (manager, str(manager), resident)
    assert entry in acts_for(resident)
    resident.refresh_from_db()
    assert resident.first_name == "Maja"
    event = resident.events.order_by("-pgh_id").first()
    assert event.pgh_context.metadata == {"actor": manager.pk, "on_behalf_of": resident.pk}


def test_nothing_is_recorded_for_another_after_the_way_back(acting, manager):
    acting.post(reverse("accounts:stop_acting"))
    acting.post(reverse("accounts:profile"), {"first_name": "Pria", "last_name": "Raman", "language": "en"})
    entry = AuditEntry.objects.get(action="person.profile_changed")
    assert (entry.actor, entry.on_behalf_of) == (manager, None)


def test_what_the_owner_does_meanwhile_is_the_owners(acting, client_of, resident):
    """The next request may be answered by the same thread, for somebody else."""
    client = client_of(resident)
    who(acting)
    client.post(reverse("accounts:profile"), {"first_name": "Maja", "last_name": "Chen", "language": "en"})
    entry = AuditEntry.objects.get(action="person.profile_changed")
    assert (entry.actor, entry.on_behalf_of) == (resident, None)


def test_it_is_no_sign_in_of_the_person(acting, manager, resident):
    resident.refresh_from_db()
    assert resident.last_login is None
    before = User.objects.get(pk=manager.pk).last_login
    who(acting)
    assert not resident.usersession_set.exists()
    assert [row.session_key for row in manager.usersession_set.all()] == [acting.session.session_key]
    acting.post(reverse("accounts:stop_acting"))
    who(acting)
    assert User.objects.get(pk=manager.pk).last_login == before
    assert [row.session_key for row in manager.usersession_set.all()] == [acting.session.session_key]


def test_ordinary_sign_in_is_still_written_down(resident, client_of):
    client_of().post(reverse("account_login"), {"email": resident.email, "password": PASSWORD})
    resident.refresh_from_db()
    assert resident.last_login is not None


def test_owner_is_told_once_a_day(client_of, manager, resident):
    client = client_of(manager)
    for _turn in range(2):
        log_in_as(client, resident)
        client.post(reverse("accounts:stop_acting"))
    (mail,) = mails("acting_began")
    assert (mail.to, mail.context["who"], mail.context["company"]) == (resident.email, "Priya Raman", "Northbuild")


# Who may not


def test_the_door_is_opened_by_post_only_and_with_the_forms_token(client_of, manager, resident):
    path = reverse("accounts:act_for", args=[resident.code])
    assert client_of(manager).get(path).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(manager)
    assert strict.post(path).status_code == 403
    assert KEY not in strict.session
    assert strict.get(reverse("accounts:stop_acting")).status_code == 405


@pytest.mark.parametrize("code", ["0", "forged", "{pk}", "A" * 12])
def test_forged_code_opens_nothing(client_of, manager, resident, code):
    client = client_of(manager)
    path = reverse("accounts:act_for", args=[code.format(pk=resident.pk)])
    assert client.post(path).status_code == 404
    assert who(client) == (manager.email, "")


def test_person_outside_the_company_is_not_there(client_of, manager, other_resident, resident):
    elsewhere = make_user()
    make_company(elsewhere)
    client = client_of(manager)
    for person in (other_resident, elsewhere):
        assert log_in_as(client, person).status_code == 404
    assert log_in_as(client_of(other_resident), resident).status_code == 404
    assert log_in_as(client_of(resident), manager).status_code == 404


def make_superuser(person):
    person.is_superuser = True


def make_staff(person):
    person.is_staff = True


def give_role(person):
    person.groups.add(Group.objects.get(name=ADMINISTRATOR))


def give_right(person):
    person.user_permissions.add(Permission.objects.first())


def make_manager_of_another(person):
    give_company(make_company(is_active=False), person)


def switch_off(person):
    person.is_active = False


def merge_away(person):
    person.is_active, person.email, person.merged_into = False, None, make_user()
    person.email_proved_at = None


def leave(person):
    person.company = None


RAISES = [make_superuser, make_staff, give_role, give_right, make_manager_of_another]
GOES = [switch_off, merge_away, leave]


@pytest.mark.parametrize("change", RAISES + GOES)
def test_nobody_is_let_into_such_an_account(client_of, manager, resident, change):
    change(resident)
    resident.save()
    client = client_of(manager)
    assert log_in_as(client, resident).status_code == (302 if change in RAISES else 404)
    assert who(client) == (manager.email, "")
    assert not log("acting.began")


@pytest.mark.parametrize("change", RAISES + GOES)
def test_acting_ends_when_the_account_becomes_such_a_one(acting, manager, resident, change):
    change(resident)
    resident.save()
    assert acting.get(reverse("accounts:profile"))["Location"] == reverse("accounts:acting_over")
    assert who(acting) == (manager.email, "")
    assert log("acting.ended")[0].facts["because"] == "rights"


def test_manager_in_their_own_company_cannot_act_for_themselves(client_of, manager):
    manager.company = manager.managed_companies.get().company
    manager.save()
    client = client_of(manager)
    log_in_as(client, manager)
    assert KEY not in client.session


def test_manager_without_a_proved_address_is_asked_to_prove_it(client_of, manager, resident):
    User.objects.filter(pk=manager.pk).update(email_proved_at=None)
    client = client_of(manager)
    log_in_as(client, resident)
    assert who(client) == (manager.email, "")
    page = client.get(reverse("accounts:company"))
    assert "confirm your e-mail address" in page.content.decode()
    assert resident.code not in page.content.decode()


def test_acting_is_never_nested(acting, manager, resident):
    other = colleague(manager)
    assert log_in_as(acting, other).status_code == 403
    assert who(acting) == (resident.email, manager.email)


def test_hijack_has_no_door_of_its_own(client_of, manager, resident, settings):
    with pytest.raises(NoReverseMatch):
        reverse("hijack:acquire")
    client = client_of(manager)
    for path in ("/hijack/acquire/", "/hijack/release/"):
        assert client.post(path, {"user_pk": resident.pk}).status_code == 404
    assert settings.HIJACK_INSERT_BEFORE is None


# While it lasts


OWN = ["security", "change_email", "change_password", "multiauth", "authenticator_app", "sessions"]


@pytest.mark.parametrize("name", OWN)
def test_sign_in_secrets_stay_the_owners(acting, resident, name):
    before = User.objects.values().get(pk=resident.pk)
    for ask in (acting.get, acting.post):
        response = ask(reverse(f"accounts:{name}"), {"current_password": PASSWORD, "password": "another long one"})
        assert response.status_code in (403, 405)
    assert "Only Maya Chen can open this page" in acting.get(reverse(f"accounts:{name}")).content.decode()
    assert User.objects.values().get(pk=resident.pk) == before


def test_single_sign_on_begun_elsewhere_does_not_go_on_here(acting):
    assert acting.get(reverse("openid_connect_callback", args=["campus"])).status_code == 403
    assert acting.post(reverse("saml_acs", args=["campus"])).status_code == 403


def test_other_posts_about_sign_in_are_closed(acting):
    for path in (reverse("accounts:end_other_sessions"), reverse("accounts:end_session", args=["x"])):
        assert acting.post(path).status_code == 403
    assert acting.post(reverse("accounts:send_link")).status_code == 403


def test_every_page_says_whose_account_it_is(acting):
    for name in ("home:home", "vehicles:list", "payments:due", "accounts:profile", "accounts:security"):
        page = acting.get(reverse(name)).content.decode()
        assert page.count("Back to my own account") >= 1, name
    assert "Back to my own account" in acting.get("/nothing-here").content.decode()


def test_language_of_the_device_is_not_the_persons(acting, resident):
    acting.post(reverse("accounts:language"), {"language": "fr-ca"})
    resident.refresh_from_db()
    assert resident.language == "en"


def test_pages_stay_in_the_managers_language(client_of, manager, resident):
    User.objects.filter(pk=resident.pk).update(language="fr-ca")
    client = client_of(manager)
    del client.cookies["language"]
    log_in_as(client, resident)
    assert client.get(HOME)["Content-Language"] == "en"
    client.post(reverse("accounts:profile"), {"first_name": "Maya", "last_name": "Chen", "language": "fr-ca"})
    assert client.get(HOME)["Content-Language"] == "en"
    resident.refresh_from_db()
    assert resident.language == "fr-ca"


# How it ends


def remove_from_company(manager, resident):
    User.objects.filter(pk=resident.pk).update(company=None)


def move_to_another_company_of_the_manager(manager, resident):
    User.objects.filter(pk=resident.pk).update(company=make_company())
    resident.refresh_from_db()
    give_company(resident.company, manager)


def withdraw(manager, resident):
    CompanyManager.objects.filter(person=manager).delete()


def close_company(manager, resident):
    manager.managed_companies.get().company.__class__.objects.update(is_active=False)


def unprove(manager, resident):
    User.objects.filter(pk=manager.pk).update(email_proved_at=None)


ENDS = [remove_from_company, move_to_another_company_of_the_manager, withdraw, close_company, unprove]


@pytest.mark.parametrize("change", ENDS)
def test_right_that_is_gone_ends_it_at_the_next_request(acting, manager, resident, change):
    change(manager, resident)
    response = acting.post(reverse("accounts:profile"), {"first_name": "Stolen", "last_name": "Chen"})
    assert response["Location"] == reverse("accounts:acting_over")
    resident.refresh_from_db()
    assert resident.first_name == "Maya"
    told = acting.get(reverse("accounts:acting_over"), follow=True).content.decode()
    assert "You may no longer act for Maya Chen. You are back in your own account." in told
    assert who(acting) == (manager.email, "")


def test_an_hour_is_the_longest(acting, manager, resident):
    age(acting, MOST_SECONDS - 30)
    assert who(acting) == (resident.email, manager.email)
    age(acting, MOST_SECONDS + 1)
    assert acting.get(HOME)["Location"] == reverse("accounts:acting_over")
    assert (
        "You acted for Maya Chen for an hour"
        in acting.get(reverse("accounts:acting_over"), follow=True).content.decode()
    )
    assert who(acting) == (manager.email, "")


def test_a_clock_that_was_set_back_does_not_prolong_it(acting, manager):
    age(acting, -600)
    acting.get(HOME)
    assert who(acting) == (manager.email, "")


def new_password(person):
    person.set_password("quite another password")
    person.save()


def disable(person):
    User.objects.filter(pk=person.pk).update(is_active=False)


@pytest.mark.parametrize("change", [new_password, disable])
def test_managers_own_sign_in_that_is_over_ends_all(acting, manager, change):
    change(manager)
    response = acting.get(reverse("accounts:profile"))
    assert response.status_code == 302
    assert SESSION_KEY not in acting.session
    assert who(acting) == ("", "")
    assert log("acting.ended")[0].facts["because"] == "signed out"


@pytest.mark.parametrize("has_cookie", [True, False])
def test_person_who_changes_the_password_gets_rid_of_the_manager(acting, manager, resident, has_cookie):
    if not has_cookie:
        del acting.cookies["language"]
    new_password(resident)
    assert acting.get(reverse("accounts:profile"))["Location"] == reverse("accounts:acting_over")
    assert who(acting) == (manager.email, "")


def test_sign_out_ends_both(acting, manager, resident):
    acting.post(reverse("account_logout"))
    assert who(acting) == ("", "")
    assert SESSION_KEY not in acting.session
    (entry,) = log("acting.ended")
    assert (entry.actor, entry.on_behalf_of, entry.facts["because"]) == (manager, resident, "signed out")


def test_each_switch_is_a_new_session_and_the_old_one_is_dead(client_of, manager, resident):
    client = client_of(manager)
    keys = []
    for step in (lambda: log_in_as(client, resident), lambda: client.post(reverse("accounts:stop_acting"))):
        keys.append(client.session.session_key)
        step()
        assert client.session.session_key not in keys
        thief = Client()
        thief.cookies["language"] = "en"
        thief.cookies["sessionid"] = keys[-1]
        assert who(thief) == ("", "")


def test_nothing_of_one_account_is_carried_into_the_other(client_of, manager, resident):
    client = client_of(manager)
    session = client.session
    session["kept"] = "of the manager"
    session.save()
    log_in_as(client, resident)
    assert "kept" not in client.session
    session = client.session
    session["kept"] = "of the person"
    session.save()
    client.post(reverse("accounts:stop_acting"))
    assert "kept" not in client.session
    assert KEY not in client.session


def open_form(client):
    """Open the profile, and return what its form would send with another first name."""
    token = client.get(reverse("accounts:profile")).context["csrf_token"]
    return {"csrfmiddlewaretoken": str(token), "first_name": "Mixed", "last_name": "Up", "language": "en"}


def test_form_opened_in_one_account_is_not_taken_in_the_other(manager, resident):
    client = Client(enforce_csrf_checks=True)
    client.cookies["language"] = "en"
    client.force_login(manager)
    own = open_form(client)
    path = reverse("accounts:act_for", args=[resident.code])
    assert client.post(path, own).status_code == 302
    assert client.post(reverse("accounts:profile"), own).status_code == 403
    theirs = open_form(client)
    User.objects.filter(pk=resident.pk).update(company=None)
    # The first request puts the manager back and does nothing else; the second is in the manager's account.
    assert client.post(reverse("accounts:profile"), theirs).status_code == 302
    assert client.post(reverse("accounts:profile"), theirs).status_code == 403
    assert not User.objects.filter(first_name="Mixed").exists()
    assert client.post(reverse("accounts:profile"), open_form(client)).status_code == 302
    assert User.objects.get(first_name="Mixed") == manager


def test_form_of_the_other_account_is_not_taken_after_the_way_back(manager, resident):
    client = Client(enforce_csrf_checks=True)
    client.cookies["language"] = "en"
    client.force_login(manager)
    client.post(reverse("accounts:act_for", args=[resident.code]), open_form(client))
    theirs = open_form(client)
    client.post(reverse("accounts:stop_acting"), theirs)
    assert client.post(reverse("accounts:profile"), theirs).status_code == 403
    assert not User.objects.filter(first_name="Mixed").exists()


def test_way_back_twice_does_no_harm(acting, manager):
    for _turn in range(2):
        assert acting.post(reverse("accounts:stop_acting")).status_code == 302
    assert who(acting) == (manager.email, "")
    assert len(log("acting.ended")) == 1


def test_page_of_the_acting_is_kept_by_no_cache_and_leads_home_after_the_end(acting):
    page = acting.get(reverse("accounts:acting"))
    assert "no-store" in page["Cache-Control"]
    acting.post(reverse("accounts:stop_acting"))
    assert acting.get(reverse("accounts:acting"))["Location"] == HOME


def test_htmx_is_led_away_as_a_whole_page(acting, resident):
    User.objects.filter(pk=resident.pk).update(company=None)
    response = acting.get(HOME, headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == reverse("accounts:acting_over")
