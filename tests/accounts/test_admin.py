"""The office's pages about people: who may change whom, and what follows from it."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from accounts.models import MailingAddress, ProfileField, User
from accounts.roles import ADMINISTRATOR, AUDITOR, CLERK, NAMES, RIGHTS
from accounts.services import people
from opscom.core.errors import NotAllowed, Stale
from opscom.core.models import AuditEntry
from tests.accounts.helpers import NO_LETTERS, mails
from tests.factories.accounts import make_registered, make_user, make_user_type

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/user/"


def change_url(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def posted(user, **changes):
    names = ["first_name", "last_name", "email", "language", "employee_number", "student_number", "licence_number"]
    names += ["street", "unit", "city", "region", "postal_code", "country"]
    fields = {name: getattr(user, name) or "" for name in names}
    return {**fields, "mobile_phone": "", "is_active": "on", **NO_LETTERS, **changes}


def test_clerk_changes_a_resident_and_a_new_address_is_not_proved(client_of, clerk, resident):
    response = client_of(clerk).post(change_url(resident), posted(resident, email="Moved@Example.org"))
    assert response.status_code == 302, response.context["adminform"].form.errors
    resident.refresh_from_db()
    assert resident.email == "moved@example.org"
    assert not resident.is_email_proved
    assert AuditEntry.objects.get(action="person.changed").actor == clerk


def test_clerk_cannot_make_anybody_staff(client_of, clerk, resident):
    group = Group.objects.get(name=ADMINISTRATOR)
    changes = {"is_staff": "on", "is_superuser": "on", "groups": [group.pk]}
    client_of(clerk).post(change_url(resident), posted(resident, **changes))
    resident.refresh_from_db()
    assert not resident.is_staff
    assert not resident.is_superuser
    assert not resident.groups.exists()


def test_clerk_cannot_change_the_office_or_send_it_links(client_of, clerk, administrator, officer):
    client = client_of(clerk)
    for person in (administrator, officer, clerk):
        assert client.post(change_url(person), posted(person, email="mine@example.org")).status_code == 403
    client.post(LIST, {"action": "send_password_link", "_selected_action": [administrator.pk]})
    assert mails() == []


def test_administrator_gives_roles_and_it_is_recorded(client_of, administrator, resident):
    group = Group.objects.get(name=CLERK)
    response = client_of(administrator).post(change_url(resident), posted(resident, is_staff="on", groups=[group.pk]))
    assert response.status_code == 302, response.context["adminform"].form.errors
    assert resident.groups.get() == group
    entry = AuditEntry.objects.get(action="person.roles_changed")
    assert entry.facts == {"before": [], "after": [CLERK]}


def test_administrator_cannot_change_a_superuser(client_of, administrator):
    root = make_user(is_staff=True, is_superuser=True)
    assert client_of(administrator).post(change_url(root), posted(root)).status_code == 403


def test_office_enters_somebody_without_an_address(client_of, clerk):
    response = client_of(clerk).post(
        reverse("admin:accounts_user_add"),
        {"first_name": "Paper", "last_name": "Person", "language": "en", "is_active": "on"},
    )
    assert response.status_code == 302, response.context["adminform"].form.errors
    person = User.objects.get(last_name="Person")
    assert person.email is None
    assert not person.has_usable_password()
    client_of(clerk).post(LIST, {"action": "send_password_link", "_selected_action": [person.pk]})
    assert mails() == []


def test_office_sends_a_password_link(client_of, clerk):
    person = make_registered()
    client_of(clerk).post(LIST, {"action": "send_password_link", "_selected_action": [person.pk]})
    assert mails("create_password")[0].to == person.email


def test_people_cannot_be_deleted_and_passwords_are_not_shown(client_of, administrator, resident):
    client = client_of(administrator)
    assert client.get(reverse("admin:accounts_user_delete", args=[resident.pk])).status_code == 403
    page = client.get(change_url(resident)).content.decode()
    assert resident.password not in page
    assert 'name="password"' not in page


def test_search_finds_by_name_address_and_number(client_of, clerk, resident, other_resident):
    User.objects.filter(pk=resident.pk).update(employee_number="E-4711")
    client = client_of(clerk)
    for words in ("Maya Chen", "maya.chen@", "E-4711", resident.code):
        page = client.get(LIST, {"q": words}).content.decode()
        assert "Chen" in page
        assert "Tremblay" not in page


@pytest.mark.parametrize("rows", [1, 3])
def test_list_of_people_is_flat(client_of, clerk, rows, django_assert_num_queries):
    for _n in range(rows):
        make_user(user_type=make_user_type())
    client = client_of(clerk)
    client.get(LIST)
    with django_assert_num_queries(8):
        client.get(LIST)


def test_required_and_greyed_out_is_refused_with_words(client_of, administrator):
    field = ProfileField.objects.get(name="first_name")
    url = reverse("admin:accounts_profilefield_change", args=[field.pk])
    response = client_of(administrator).post(url, {"state": "required", "position": 0})
    assert "Nobody could fill it: let people change it, or let a sign-in fill it." in response.content.decode()


def test_change_of_a_profile_field_counts_at_once(
    client_of, administrator, resident, django_capture_on_commit_callbacks
):
    field = ProfileField.objects.get(name="mobile_phone")
    assert client_of(resident).get("/").status_code == 200
    url = reverse("admin:accounts_profilefield_change", args=[field.pk])
    with django_capture_on_commit_callbacks(execute=True):
        client_of(administrator).post(url, {"state": "required", "is_editable": "on", "position": 2})
    assert client_of(resident).get("/").url == "/profile"


def test_six_roles_exist_and_hold_what_the_table_says():
    assert set(Group.objects.values_list("name", flat=True)) == set(NAMES)
    auditor = Group.objects.get(name=AUDITOR).permissions.values_list("codename", flat=True)
    assert {code.partition("_")[0] for code in auditor} == {"view"}
    administrator = set(Group.objects.get(name=ADMINISTRATOR).permissions.values_list("codename", flat=True))
    assert {"assign_roles", "view_auditentry", "change_provider"} <= administrator
    assert not administrator & {"change_auditentry", "delete_auditentry", "add_session"}
    clerk = set(Group.objects.get(name=CLERK).permissions.values_list("codename", flat=True))
    assert {"add_user", "change_user", "change_permit"} <= clerk
    assert not clerk & {"assign_roles", "change_provider", "delete_user"}


def test_roles_of_the_program_are_not_edited(client_of, administrator):
    for name in RIGHTS:
        group = Group.objects.get(name=name)
        url = reverse("admin:auth_group_change", args=[group.pk])
        assert client_of(administrator).post(url, {"name": name}).status_code == 403


def test_nobody_reads_password_digests_by_filtering(client_of, resident, administrator):
    for person in (make_user(role=AUDITOR), administrator):
        for lookup in ("password__startswith", "password", "password__regex"):
            assert client_of(person).get(LIST, {lookup: resident.password[:12]}).status_code == 400


def test_who_registered_in_another_s_name_is_not_made_staff(client_of, administrator):
    impostor = make_registered(email="boss@example.org")
    office = client_of(administrator)
    client_of(impostor)
    response = office.post(change_url(impostor), posted(impostor, is_staff="on"))
    assert "is_staff" in response.context["adminform"].form.errors
    User.objects.filter(pk=impostor.pk).update(email_proved_at=impostor.registered_at)
    assert office.post(change_url(impostor), posted(impostor, is_staff="on")).status_code == 302


def test_a_role_climbs_no_higher_by_its_own_forms(client_of, clerk, administrator):
    top = Group.objects.get(name=ADMINISTRATOR)
    new = {"email": "new@example.org", "language": "en", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    client_of(clerk).post("/admin/accounts/user/add/", {**new, "groups": [top.pk], "country": "CA"})
    made = User.objects.get(email="new@example.org")
    assert (made.is_staff, made.is_superuser, made.groups.count()) == (False, False, 0)
    client_of(administrator).post(change_url(administrator), posted(administrator, is_staff="on", is_superuser="on"))
    administrator.refresh_from_db()
    assert not administrator.is_superuser
    chosen = {"action": "delete_selected", "_selected_action": [top.pk], "post": "yes"}
    client_of(administrator).post("/admin/auth/group/", chosen)
    assert Group.objects.filter(pk=top.pk).exists()


def test_what_the_office_saves_undoes_no_change_of_sign_in_made_meanwhile(administrator):
    person = make_user()
    as_opened = User.objects.get(pk=person.pk)
    User.objects.filter(pk=person.pk).update(mfa_epoch=7, password="new", is_active=False)
    as_opened.first_name = "Corrected"
    people.save_person(person=as_opened, actor=administrator, changed=["first_name", "groups"])
    person.refresh_from_db()
    assert (person.first_name, person.mfa_epoch, person.password, person.is_active) == ("Corrected", 7, "new", False)


def test_who_registered_in_another_s_name_gets_no_role_either(client_of, administrator):
    impostor = make_registered(email="boss@example.org")
    office = client_of(administrator)
    client_of(impostor)
    group = Group.objects.get(name=CLERK)
    response = office.post(change_url(impostor), posted(impostor, groups=[group.pk]))
    assert "groups" in response.context["adminform"].form.errors
    User.objects.filter(pk=impostor.pk).update(email_proved_at=impostor.registered_at)
    assert office.post(change_url(impostor), posted(impostor, groups=[group.pk])).status_code == 302
    User.objects.filter(pk=impostor.pk).update(email_proved_at=None)
    assert office.post(change_url(impostor), posted(impostor, groups=[group.pk], city="Kingston")).status_code == 302


def test_who_holds_a_right_of_their_own_is_of_the_office(client_of, clerk, administrator, resident):
    resident.user_permissions.add(Permission.objects.get(codename="view_user"))
    moved = posted(resident, email="moved@example.org")
    assert client_of(clerk).post(change_url(resident), moved).status_code == 403
    assert client_of(administrator).post(change_url(resident), moved).status_code == 302


def test_a_clerk_s_change_to_who_was_promoted_meanwhile_is_refused(clerk, resident):
    as_opened = User.objects.get(pk=resident.pk)
    User.objects.filter(pk=resident.pk).update(is_staff=True)
    as_opened.email = "clerks.own@example.org"
    with pytest.raises(NotAllowed):
        people.save_person(person=as_opened, actor=clerk, changed=["email"])
    resident.refresh_from_db()
    assert resident.email == "maya.chen@example.org"


@pytest.mark.parametrize("change", [{"email": "clerks.own@example.org"}, {"email_proved_at": None}])
def test_nobody_is_promoted_under_an_address_that_was_not_seen(administrator, resident, change):
    as_opened = User.objects.get(pk=resident.pk)
    User.objects.filter(pk=resident.pk).update(last_login=resident.created_at, **change)
    as_opened.is_staff = True
    with pytest.raises(Stale):
        people.save_person(person=as_opened, actor=administrator, changed=["is_staff"], gives_rights=True)
    resident.refresh_from_db()
    assert not resident.is_staff


def test_a_change_that_comes_too_late_says_so_on_the_page(client_of, clerk, resident, monkeypatch):
    def promoted_meanwhile(form):
        User.objects.filter(pk=resident.pk).update(is_staff=True)
        return {}

    monkeypatch.setattr("accounts.admin.people.given_answers", promoted_meanwhile)
    response = client_of(clerk).post(change_url(resident), posted(resident, city="Kingston"), follow=True)
    assert "You may not change" in response.content.decode()
    resident.refresh_from_db()
    assert resident.city == ""


def test_the_office_does_not_flood_somebody_with_links(client_of, clerk, resident, other_resident):
    client = client_of(clerk)
    for _try in range(6):
        response = client.post(LIST, {"action": "send_password_link", "_selected_action": [resident.pk]}, follow=True)
    assert "was sent several links within the hour" in response.content.decode()
    client.post(LIST, {"action": "send_password_link", "_selected_action": [other_resident.pk]})
    assert len(mails("create_password")) == 6


def test_codes_are_offered_in_words(client_of, administrator, resident):
    User.objects.filter(pk=resident.pk).update(country="CA", region="ON", language="fr-ca")
    MailingAddress.objects.create(person=resident, street="PO Box 7", city="Kingston", region="QC", country="CA")
    text = client_of(administrator).get(change_url(resident)).content.decode()
    chosen = re.findall(r'<option value="([\w-]+)" selected>\s*([^<]+?)\s*</option>', text)
    for pair in [("CA", "Canada"), ("ON", "Ontario"), ("QC", "Quebec"), ("fr-ca", "Français (Canada)")]:
        assert pair in chosen
    assert 'type="text" name="country"' not in text


def test_a_code_that_is_no_choice_stays_until_it_is_changed(client_of, clerk, resident):
    User.objects.filter(pk=resident.pk).update(region="ZZ", language="xx")
    resident.refresh_from_db()
    office = client_of(clerk)
    assert '<option value="ZZ" selected>' in office.get(change_url(resident)).content.decode()
    assert office.post(change_url(resident), posted(resident, city="Kingston")).status_code == 302
    resident.refresh_from_db()
    assert (resident.city, resident.region, resident.language) == ("Kingston", "ZZ", "xx")
    response = office.post(change_url(resident), posted(resident, region="Q?"))
    assert "region" in response.context["adminform"].form.errors
