"""The profile, the gate before everything else, and the language."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from accounts.middleware import ProfileGateMiddleware
from accounts.models import ProfileField, User
from accounts.profile import BUILT_IN
from accounts.selectors import current_user_type, missing_fields
from opscom.core.models import AuditEntry
from opscom.provider.selectors import local_date
from tests.factories.accounts import make_registered, make_user, make_user_type, set_field
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db
GATE = "You'll need to finish your profile before exploring."
PROFILE = "/profile"


HOME_ADDRESS = "/addresses/home"


def profile_of(user, **changes):
    fields = ["first_name", "last_name", "mobile_phone", "language"]
    return {**{name: str(getattr(user, name)) for name in fields}, **changes}


def address_of(user, **changes):
    fields = ["street", "unit", "city", "region", "postal_code", "country"]
    return {**{name: str(getattr(user, name)) for name in fields}, **changes}


@pytest.fixture
def unfinished(db):
    """Somebody whose required mobile phone is missing."""
    set_field("mobile_phone", state="required")
    return make_user()


def test_gate_leads_to_the_profile_and_then_on(client_of, unfinished):
    client = client_of(unfinished)
    response = client.get("/vehicles/?page=1")
    assert response.url == PROFILE
    assert GATE in client.get(PROFILE).content.decode()
    response = client.post(PROFILE, profile_of(unfinished, mobile_phone="613-555-0123"))
    assert response.url == "/vehicles/?page=1"
    assert client.get(response.url).status_code == 200
    unfinished.refresh_from_db()
    assert unfinished.mobile_phone.as_e164 == "+16135550123"
    assert GATE not in client.get(PROFILE).content.decode()


def test_gate_holds_post_and_htmx_too(client_of, unfinished):
    client = client_of(unfinished)
    assert client.post("/vehicles/add/").url == PROFILE
    response = client.get("/vehicles/", headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == PROFILE
    assert client.post(PROFILE, profile_of(unfinished, mobile_phone="")).status_code == 200


@pytest.mark.parametrize("name", ["accounts:security", "accounts:language", "accounts:change_password"])
def test_gate_leaves_open(client_of, unfinished, name):
    assert client_of(unfinished).get(reverse(name)).status_code == 200


def test_gate_leaves_sign_out_proof_and_payments_open(client_of, unfinished):
    client = client_of(unfinished)
    assert client.post(reverse("accounts:send_link")).url == reverse("accounts:security")
    client.raise_request_exception = False
    assert getattr(client.get("/payments/return/none/"), "url", "") != PROFILE
    assert client.post(reverse("account_logout")).url == reverse("account_login")


def test_gate_does_not_stop_the_office(client_of, unfinished):
    User.objects.filter(pk=unfinished.pk).update(is_staff=True)
    assert client_of(unfinished).get("/admin/").status_code == 200


def test_gate_remembers_no_foreign_place(client_of, unfinished):
    client = client_of(unfinished)
    session = client.session
    session["after_profile"] = "https://evil.example/"
    session.save()
    response = client.post(PROFILE, profile_of(unfinished, mobile_phone="6135550123"))
    assert response.url == PROFILE


def test_gate_costs_one_query_and_then_none(rf, resident, django_assert_num_queries):
    request = rf.get("/vehicles/")
    request.user, request.htmx = resident, False
    gate = ProfileGateMiddleware(lambda request: None)
    for queries in (1, 0):
        with django_assert_num_queries(queries):
            assert gate.process_view(request, lambda request: None, (), {}) is None


def test_every_built_in_field_has_its_row():
    assert set(ProfileField.objects.values_list("name", flat=True)) == {field.name for field in BUILT_IN}


def test_greyed_out_field_ignores_what_is_posted(client_of, resident):
    set_field("last_name", state="visible", is_editable=False)
    client = client_of(resident)
    assert "disabled" in str(client.get(PROFILE).context["form"]["last_name"])
    client.post(PROFILE, profile_of(resident, first_name="May", last_name="Forged"))
    resident.refresh_from_db()
    assert (resident.first_name, resident.last_name) == ("May", "Chen")


def test_hidden_fields_and_others_cannot_be_posted(client_of, resident):
    client_of(resident).post(PROFILE, profile_of(resident, student_number="S1", is_staff="on", email="x@example.org"))
    resident.refresh_from_db()
    assert (resident.student_number, resident.is_staff, resident.email) == ("", False, "maya.chen@example.org")


@pytest.mark.parametrize(
    ("country", "region", "code", "wrong"),
    [
        ("CA", "ON", "k1a 0b1", None),
        ("CA", "ON", "90210", "postal_code"),
        ("US", "CA", "90210", None),
        ("US", "ON", "90210", "region"),
        ("FR", "", "75001", None),
    ],
)
def test_postal_code_and_region_follow_the_country(client_of, resident, country, region, code, wrong):
    response = client_of(resident).post(
        HOME_ADDRESS, address_of(resident, country=country, region=region, postal_code=code)
    )
    if wrong:
        assert set(response.context["form"].errors) == {wrong}
    else:
        assert response.status_code == 302
        resident.refresh_from_db()
        assert resident.postal_code == {"k1a 0b1": "K1A 0B1"}.get(code, code)


def test_required_region_is_not_asked_where_there_is_none(resident):
    set_field("region", state="required")
    assert missing_fields(resident) == ["region"]
    resident.country = "FR"
    assert missing_fields(resident) == []


def test_bad_phone_stands_at_the_field(client_of, resident):
    response = client_of(resident).post(PROFILE, profile_of(resident, mobile_phone="12"))
    assert set(response.context["form"].errors) == {"mobile_phone"}


def test_saving_is_recorded_once_and_only_when_something_changed(client_of, resident):
    client = client_of(resident)
    client.post(PROFILE, profile_of(resident))
    client.post(PROFILE, profile_of(resident, first_name="May"))
    (entry,) = AuditEntry.objects.filter(action="person.profile_changed")
    assert entry.facts == {"fields": ["first_name"]}
    assert entry.actor == resident


def test_profile_speaks_the_language_just_chosen(client_of, resident):
    client = client_of(resident)
    response = client.post(PROFILE, profile_of(resident, language="fr-ca"))
    assert response.cookies["language"].value == "fr-ca"
    assert client.get(PROFILE).headers["Content-Language"] == "fr-ca"


# Language


def test_first_visit_asks_for_the_language_and_keeps_it_for_a_year(db):
    client = Client()
    response = client.get("/login?next=/profile")
    assert response.url.startswith("/language?next=")
    page = client.get(response.url)
    assert "Choose your language" in page.content.decode()
    response = client.post("/language", {"language": "fr-ca", "next": page.context["next"]})
    assert response.url == "/login?next=/profile"
    assert response.cookies["language"]["max-age"] == 365 * 24 * 3600
    assert client.get(response.url).headers["Content-Language"] == "fr-ca"


def test_one_language_is_not_asked_for(db):
    set_provider(languages=["en"])
    assert Client().get("/login").status_code == 200


def test_link_brings_its_language_and_the_device_keeps_its_own(db):
    client = Client()
    response = client.get("/login?lang=fr-ca")
    assert response.status_code == 200
    assert response.headers["Content-Language"] == "fr-ca"
    assert client.get("/login?lang=en").headers["Content-Language"] == "fr-ca"


def test_unknown_language_is_refused(db):
    assert Client().post("/language", {"language": "tlh"}).status_code == 200
    assert Client().get("/login?lang=tlh").status_code == 302


def test_person_and_then_browser_decide_without_a_choice(resident):
    User.objects.filter(pk=resident.pk).update(language="fr-ca")
    client = Client()
    client.force_login(resident)
    assert client.get("/security").headers["Content-Language"] == "fr-ca"
    stranger = Client().get("/password/forgot/sent", headers={"Accept-Language": "fr-BE, en;q=0.5"})
    assert stranger.headers["Content-Language"] == "fr-ca"


def test_choice_of_somebody_signed_in_is_the_language_of_their_mail(client_of, resident):
    client_of(resident).post("/language", {"language": "fr-ca"})
    resident.refresh_from_db()
    assert resident.language == "fr-ca"


# User type


def test_user_type_has_its_dates_and_falls_back(resident):
    today = local_date()
    default, staff = make_user_type(is_default=True), make_user_type("staff")
    resident.user_type, resident.user_type_from = staff, today
    resident.user_type_until = today + dt.timedelta(days=10)
    days = {-1: default, 0: staff, 9: staff, 10: default}
    for offset, expected in days.items():
        assert current_user_type(resident, today + dt.timedelta(days=offset)) == expected


def test_people_are_visible_to_themselves_and_to_the_office(resident, other_resident, clerk, officer):
    assert set(User.objects.visible_to(resident)) == {resident}
    assert set(User.objects.visible_to(officer)) == {officer}
    assert {resident, other_resident, clerk} <= set(User.objects.visible_to(clerk))


def test_claim_shows_the_address_that_was_typed(client_of):
    claim = make_registered(email=None, claimed_email="nia@example.org")
    assert "nia@example.org" in client_of(claim).get("/security").content.decode()
