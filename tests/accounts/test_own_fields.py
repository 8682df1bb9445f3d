"""Profile fields that the office makes: asked, kept, checked and greyed out by the same rules as the built-in ones."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.middleware import ProfileGateMiddleware
from accounts.models import AttributeRule, ProfileAnswer, ProfileField, User
from accounts.roles import AUDITOR
from accounts.selectors import asked_fields, missing_fields
from accounts.services.people import save_profile
from opscom.core.models import AuditEntry
from tests.accounts.helpers import NO_LETTERS, register
from tests.factories.accounts import answer, make_field, make_user, set_field
from tests.factories.sso import make_provider

pytestmark = pytest.mark.django_db
PROFILE = "/profile"
ADD = "/admin/accounts/profilefield/add/"


def posted(person, **changes):
    names = ["first_name", "last_name", "mobile_phone", "language"]
    return {**{name: str(getattr(person, name)) for name in names}, **changes}


def answers(person):
    return dict(ProfileAnswer.objects.filter(person=person).values_list("field__name", "value"))


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("text", "  Blue badge ", "Blue badge"),
        ("number", "12.50", "12.5"),
        ("number", "-0", "0"),
        ("number", "1200", "1200"),
        ("date", "2026-02-28", "2026-02-28"),
        ("choice", "south", "south"),
        ("yes_no", "no", "no"),
    ],
)
def test_each_kind_is_kept_as_text_and_shown_again(client_of, resident, kind, typed, kept):
    field = make_field(kind)
    client = client_of(resident)
    client.post(PROFILE, posted(resident, **{field.name: typed}))
    assert answers(resident) == {field.name: kept}
    form = client.get(PROFILE).context["form"]
    assert f'value="{kept}"' in str(form[field.name])
    client.post(PROFILE, posted(resident, **{field.name: kept}))
    assert AuditEntry.objects.filter(action="person.profile_changed").count() == 1


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("text", "x" * 501),
        ("text", "a\0b"),
        ("number", "NaN"),
        ("number", "1e999"),
        ("number", "twelve"),
        ("date", "2026-02-30"),
        ("date", "0020-02-03"),
        ("choice", "west"),
        ("yes_no", "maybe"),
    ],
)
def test_what_does_not_fit_the_kind_is_refused_at_the_field(client_of, resident, kind, typed):
    field = make_field(kind)
    response = client_of(resident).post(PROFILE, posted(resident, **{field.name: typed}))
    assert set(response.context["form"].errors) == {field.name}
    assert answers(resident) == {}


def test_empty_answer_is_none_and_the_log_names_fields_only(client_of, resident):
    field = make_field()
    client = client_of(resident)
    client.post(PROFILE, posted(resident, **{field.name: "secret words"}))
    client.post(PROFILE, posted(resident, **{field.name: ""}))
    assert answers(resident) == {}
    entries = AuditEntry.objects.filter(action="person.profile_changed")
    assert [entry.facts for entry in entries] == [{"fields": [field.name]}] * 2


def test_label_help_and_choices_speak_the_readers_language_and_are_no_markup(client_of, resident):
    make_field(label="Desk", help_text={"en": "<b>Where</b> you sit"}, group="employee")
    make_field("choice", label="Campus")
    page = client_of(resident).get(PROFILE).content.decode()
    assert "&lt;b&gt;Where&lt;/b&gt; you sit" in page
    assert "<b>Where" not in page
    assert "North campus" in page
    client = client_of(resident)
    client.cookies["language"] = "fr-ca"
    assert "Campus nord" in client.get(PROFILE).content.decode()


def test_hidden_and_greyed_out_fields_ignore_what_is_posted(client_of, resident):
    hidden, grey = make_field(state="hidden"), make_field(is_editable=False)
    answer(resident, grey, "from the office")
    client = client_of(resident)
    page = client.get(PROFILE)
    assert hidden.name not in page.context["form"].fields
    assert "disabled" in str(page.context["form"][grey.name])
    client.post(PROFILE, posted(resident, **{hidden.name: "x", grey.name: "forged"}))
    assert answers(resident) == {grey.name: "from the office"}


def test_required_one_stands_in_the_gate(client_of, resident):
    field = make_field("yes_no", state="required")
    client = client_of(resident)
    assert client.get("/vehicles/").url == PROFILE
    assert set(client.post(PROFILE, posted(resident)).context["form"].errors) == {field.name}
    assert client.post(PROFILE, posted(resident, **{field.name: "no"})).url == "/vehicles/"
    assert client.get("/vehicles/").status_code == 200


def test_required_and_greyed_out_is_never_asked_of_the_person(client_of, resident, clerk):
    """The office finds those in whom it is empty."""
    field = make_field(state="required", is_editable=False)
    filled = make_user()
    answer(filled, field, "x")
    assert missing_fields(resident) == []
    client = client_of(resident)
    assert client.get("/vehicles/").status_code == 200
    assert client.post(PROFILE, posted(resident)).status_code == 302
    listed = client_of(clerk).get("/admin/accounts/user/?profile=task").context["cl"].queryset
    assert resident in listed
    assert filled not in listed


def test_what_the_identity_provider_fills_is_greyed_out_while_filled(client_of, resident):
    field = make_field(state="required")
    provider = make_provider()
    resident.set_unusable_password()
    resident.login_source = "sso"
    resident.save()
    resident.socialaccount_set.create(provider=provider.code, uid="17")
    AttributeRule.objects.create(identity_provider=provider, attribute="desk", field_name=field.name)
    client = client_of(resident)
    assert client.get("/").url == PROFILE
    answer(resident, field, "from there")
    assert client.get("/").status_code == 200
    client.post(PROFILE, posted(resident, **{field.name: "forged"}))
    assert answers(resident) == {field.name: "from there"}


def test_asked_at_registration(anonymous):
    asked = make_field(is_asked_at_registration=True, state="required")
    grey = make_field(is_asked_at_registration=True, is_editable=False)
    later = make_field()
    page = anonymous.get("/register").context["form"]
    assert asked.name in page.fields
    assert not {grey.name, later.name} & set(page.fields)
    assert set(register(anonymous, "nia@example.org").context["form"].errors) == {asked.name}
    register(anonymous, "nia@example.org", **{asked.name: "yes", grey.name: "x", later.name: "x"})
    assert answers(User.objects.get(email="nia@example.org")) == {asked.name: "yes"}


def test_gate_costs_one_query_more_only_with_own_required_fields(rf, resident, django_assert_num_queries):
    request = rf.get("/vehicles/")
    request.user, request.htmx = resident, False
    gate = ProfileGateMiddleware(lambda request: None)
    make_field()
    asked_fields()
    with django_assert_num_queries(0):
        assert gate.process_view(request, lambda request: None, (), {}) is None
    for _number in range(3):
        answer(resident, make_field(state="required"), "x")
        asked_fields()
        with django_assert_num_queries(1):
            assert gate.process_view(request, lambda request: None, (), {}) is None


def count_profile_queries(client):
    asked_fields()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(PROFILE).status_code == 200
    return len(captured)


def test_profile_page_costs_the_same_with_one_and_three_fields(client_of, resident):
    client = client_of(resident)
    client.get(PROFILE)
    counts = []
    for number in (1, 2, 3):
        answer(resident, make_field("choice" if number == 2 else "text"), "north")
        counts.append(count_profile_queries(client))
    assert len(set(counts)) == 1, counts


def test_answers_of_a_field_that_is_gone_are_passed_over(resident):
    save_profile(person=resident, values={"own_gone": "x", "city": "Ottawa"})
    assert resident.city == "Ottawa"
    assert answers(resident) == {}


# The office makes them


def new_field(**changes):
    labels = {"label_en": "Faculty or desk", "label_fr_ca": "Faculté", "help_text_en": "", "help_text_fr_ca": ""}
    lines = {"choice_lines_en": "", "choice_lines_fr_ca": ""}
    how = {"kind": "text", "group": "employee", "state": "visible", "is_editable": "on", "position": 40}
    return {**labels, **lines, **how, **changes}


def change_url(field):
    return reverse("admin:accounts_profilefield_change", args=[field.pk])


def test_office_makes_a_choice(client_of, administrator, resident, django_capture_on_commit_callbacks):
    client_of(resident).get(PROFILE)
    lines = {"choice_lines_en": "arts = Arts & Letters\r\nLife Sciences\r\n", "choice_lines_fr_ca": "arts = Lettres"}
    with django_capture_on_commit_callbacks(execute=True):
        response = client_of(administrator).post(ADD, new_field(kind="choice", **lines))
    assert response.status_code == 302, response.context["errors"]
    field = ProfileField.objects.get(name="own_faculty_or_desk")
    assert field.choices == [
        {"code": "arts", "label": {"en": "Arts & Letters", "fr-ca": "Lettres"}},
        {"code": "life-sciences", "label": {"en": "Life Sciences"}},
    ]
    assert "Arts &amp; Letters" in client_of(resident).get(PROFILE).content.decode()
    assert AuditEntry.objects.get(action="profilefield.added").actor == administrator
    page = client_of(administrator).get(change_url(field)).content.decode()
    assert "arts = Arts &amp; Letters" in page


def test_new_field_stands_last(client_of, administrator):
    make_field(position=70)
    assert client_of(administrator).get(ADD).context["adminform"].form["position"].value() == 80


def test_two_fields_of_one_label_have_names_of_their_own(client_of, administrator):
    for _time in range(2):
        client_of(administrator).post(ADD, new_field())
    client_of(administrator).post(ADD, new_field(label_en="校园"))
    names = list(ProfileField.objects.filter(name__startswith="own_").values_list("name", flat=True))
    assert len(set(names)) == 3
    assert "own_field" in names


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"label_en": ""}, "label"),
        ({"kind": "built_in"}, "kind"),
        ({"kind": "choice"}, "choice_lines"),
        ({"kind": "choice", "choice_lines_en": "a = A\na = B"}, "choice_lines"),
        ({"kind": "choice", "choice_lines_en": "a = "}, "choice_lines"),
        ({"kind": "choice", "choice_lines_en": "a = A", "choice_lines_fr_ca": "b = B"}, "choice_lines"),
        ({"kind": "choice", "choice_lines_en": "校园"}, "choice_lines"),
        ({"state": "required", "is_editable": ""}, "is_editable"),
    ],
)
def test_what_the_office_cannot_make(client_of, administrator, changes, wrong):
    response = client_of(administrator).post(ADD, new_field(**changes))
    assert response.status_code == 200
    assert wrong in response.context["adminform"].form.errors
    assert not ProfileField.objects.filter(name__startswith="own_").exists()


def test_answered_field_keeps_its_kind_and_its_choices_and_stays(client_of, administrator, resident):
    field = make_field("choice")
    answer(resident, field, "north")
    office = client_of(administrator)
    lost = office.post(change_url(field), new_field(choice_lines_en="south = South"))
    assert "Somebody has chosen north: it must stay." in str(lost.context["adminform"].form.errors)
    kept = new_field(choice_lines_en="north = North\neast = East", kind="text")
    assert office.post(change_url(field), kept).status_code == 302
    field.refresh_from_db()
    assert field.kind == "choice"
    assert [choice["code"] for choice in field.choices] == ["north", "east"]
    assert office.post(change_url(field).replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert ProfileField.objects.filter(pk=field.pk).exists()


def test_only_unanswered_fields_of_the_office_are_deleted(client_of, administrator):
    office = client_of(administrator)
    built_in, filled, fresh = ProfileField.objects.get(name="city"), make_field(), make_field()
    AttributeRule.objects.create(identity_provider=make_provider(), attribute="a", field_name=filled.name)
    statuses = [
        office.post(change_url(one).replace("change", "delete"), {"post": "yes"}).status_code
        for one in (built_in, filled, fresh)
    ]
    assert statuses == [403, 403, 302]
    assert set(ProfileField.objects.filter(pk__in=[built_in.pk, filled.pk, fresh.pk])) == {built_in, filled}
    office.post("/admin/accounts/profilefield/", {"action": "delete_selected", "_selected_action": [built_in.pk]})
    assert ProfileField.objects.filter(pk=built_in.pk).exists()


def test_built_in_field_keeps_its_words(client_of, administrator):
    field = ProfileField.objects.get(name="city")
    client_of(administrator).post(change_url(field), new_field(kind="text", label_en="Town", group="other"))
    field.refresh_from_db()
    assert (str(field), field.kind, field.group, field.position) == ("city", "built_in", "address", 40)


def test_required_and_greyed_out_where_a_sign_in_fills_it(client_of, administrator):
    field = make_field()
    AttributeRule.objects.create(identity_provider=make_provider(), attribute="a", field_name=field.name)
    response = client_of(administrator).post(change_url(field), new_field(state="required", is_editable=""))
    assert response.status_code == 302
    field.refresh_from_db()
    assert (field.state, field.is_editable) == ("required", False)


# On the person's page


def person_url(person):
    return reverse("admin:accounts_user_change", args=[person.pk])


def of_office(person, **changes):
    names = ["first_name", "last_name", "email", "language", "employee_number", "student_number", "licence_number"]
    names += ["street", "unit", "city", "region", "postal_code", "country"]
    return {
        **{name: getattr(person, name) or "" for name in names},
        "mobile_phone": "",
        "is_active": "on",
        **NO_LETTERS,
        **changes,
    }


def test_office_fills_answers_in_on_the_persons_page(client_of, clerk, resident):
    day, hidden, choice = make_field("date"), make_field(state="hidden"), make_field("choice", state="required")
    answer(resident, day, "2026-02-03")
    office = client_of(clerk)
    assert 'value="2026-02-03"' in str(office.get(person_url(resident)).context["adminform"].form[day.name])
    given = {day.name: "2026-02-03", hidden.name: "for us only", choice.name: ""}
    assert office.post(person_url(resident), of_office(resident, **given)).status_code == 302
    assert answers(resident) == {day.name: "2026-02-03", hidden.name: "for us only"}
    entry = AuditEntry.objects.get(action="person.changed")
    assert entry.facts["fields"] == [hidden.name]
    wrong = office.post(person_url(resident), of_office(resident, **{choice.name: "west"}))
    assert choice.name in wrong.context["adminform"].form.errors


def test_who_only_looks_reads_the_answers_in_words(client_of, resident):
    answer(resident, make_field("choice", label="Campus"), "north")
    auditor = make_user(role=AUDITOR)
    page = client_of(auditor).get(person_url(resident)).content.decode()
    assert "Campus" in page
    assert "North campus" in page


def test_persons_page_costs_the_same_with_one_and_three_fields(client_of, clerk, resident):
    office, counts = client_of(clerk), []
    office.get(person_url(resident))
    for _number in range(3):
        answer(resident, make_field(), "x")
        asked_fields()
        with CaptureQueriesContext(connection) as captured:
            office.get(person_url(resident))
        counts.append(len(captured))
    assert len(set(counts)) == 1, counts


def test_language_stands_under_users_settings(client_of, resident):
    groups = dict(client_of(resident).get(PROFILE).context["form"].groups())
    assert [field.name for field in groups["Users Settings"]] == ["language"]
    assert next(iter(groups)) == "Personal Information"
    set_field("language", state="hidden")
    assert "Users Settings" not in dict(client_of(resident).get(PROFILE).context["form"].groups())
