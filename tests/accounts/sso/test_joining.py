"""Which record somebody comes to who arrives for the first time, and what is written about them each time."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from accounts.models import (
    FieldKind,
    FieldState,
    LoginSource,
    ProfileAnswer,
    ProfileField,
    User,
    UserType,
    UserTypeRule,
)
from accounts.roles import CLERK
from accounts.selectors import forget_asked_fields
from accounts.sso.identity import Identity, flatten_claims
from accounts.sso.refusals import NotAdmitted, Why
from accounts.sso.services import admit_person, return_to_password
from opscom.core.errors import NotAllowed
from opscom.provider.selectors import local_date
from tests.accounts.helpers import is_signed_in, link_in, mails, sign_in
from tests.factories.accounts import PASSWORD, make_registered, make_user, make_user_type, set_field
from tests.factories.sso import make_provider

pytestmark = pytest.mark.django_db
ADDRESS = "jane.doe@uni.example"


def arrive(provider, uid="jane", email=ADDRESS, *, is_vouched=True, **claims):
    """Let somebody come in, as the views do once allauth has verified who it is."""
    lists = {name: value if isinstance(value, list) else [value] for name, value in claims.items()}
    return admit_person(identity=Identity(provider, uid, lists, email, is_vouched), language="en")


def why_not(provider, **arrival):
    """Return the rule that keeps somebody out."""
    with pytest.raises(NotAdmitted) as caught:
        arrive(provider, **arrival)
    return caught.value.why


# By address


def test_existing_account_joins_when_the_provider_vouches(client_of):
    provider, holder = make_provider(), make_user(email=ADDRESS)
    elsewhere = client_of(holder)
    assert arrive(provider) == holder
    holder.refresh_from_db()
    assert (holder.login_source, holder.has_usable_password()) == (LoginSource.SSO, False)
    assert not is_signed_in(elsewhere), "whoever knew the password is out"
    assert [mail.to for mail in mails("sso_joined")] == [ADDRESS]
    sign_in(client_of(), ADDRESS, PASSWORD)
    assert arrive(provider) == holder
    assert len(mails("sso_joined")) == 1


@pytest.mark.parametrize("kind", ["staff", "superuser", "role", "right"])
def test_account_of_the_office_is_never_joined(kind):
    """Else whoever runs the identity provider makes themselves an administrator here."""
    holder = make_user(
        email=ADDRESS, **{"staff": {"is_staff": True}, "superuser": {"is_superuser": True}}.get(kind, {})
    )
    if kind == "role":
        holder = make_user(email="other@uni.example", role=CLERK)
        User.objects.filter(pk=holder.pk).update(is_staff=False)
    if kind == "right":
        holder.user_permissions.add(Permission.objects.get(codename="view_user"))
    assert why_not(make_provider(), email=holder.email) == Why.OFFICE
    holder.refresh_from_db()
    assert holder.has_usable_password()
    assert not SocialAccount.objects.exists()


def test_who_became_the_offices_later_still_comes_in():
    provider = make_provider()
    person = arrive(provider)
    User.objects.filter(pk=person.pk).update(is_staff=True)
    assert arrive(provider) == person


def test_closed_account_is_neither_joined_nor_doubled():
    make_user(email=ADDRESS, is_active=False)
    assert why_not(make_provider()) == Why.CLOSED
    assert User.objects.count() == 1


def test_address_that_the_organisation_gave_to_somebody_else_opens_nothing():
    provider = make_provider()
    arrive(provider, "old-jane")
    assert why_not(provider, uid="new-jane") == Why.OTHER_IDENTITY


def test_second_provider_of_the_same_organisation_joins():
    """The campus moves from SAML to OpenID Connect: nobody gets a second record."""
    old, new = make_provider(), make_provider()
    assert arrive(old) == arrive(new, "another-name")


def test_who_only_typed_the_address_yields_it():
    typed = make_registered(email=ADDRESS)
    person = arrive(make_provider())
    typed.refresh_from_db()
    assert person != typed
    assert (person.email, person.is_email_proved) == (ADDRESS, True)
    assert (typed.email, typed.claimed_email) == (None, ADDRESS)


def test_address_that_the_office_entered_is_joined_and_proved():
    entered = make_user(email=ADDRESS, is_proved=False, password=None)
    assert arrive(make_provider()) == entered
    entered.refresh_from_db()
    assert entered.is_email_proved


def test_unvouched_address_is_proved_by_mail_without_a_password(client_of):
    person = arrive(make_provider(), is_vouched=False)
    assert (person.email, person.is_email_proved, person.login_source) == (ADDRESS, False, LoginSource.SSO)
    (letter,) = mails("confirm_address")
    browser, url = client_of(), None
    from opscom.messaging.rendering import render

    text = render(letter)[0].text
    url = text[text.index("/address/confirm/") :].split()[0]
    assert browser.get(url, follow=True).status_code == 200
    person.refresh_from_db()
    assert not person.is_email_proved, "mail scanners open links"
    assert browser.post(url).status_code == 302
    person.refresh_from_db()
    assert person.is_email_proved
    assert not person.has_usable_password()
    assert browser.get(url).status_code == 410


def test_unvouched_address_of_somebody_tells_its_owner_and_opens_nothing():
    holder = make_user(email=ADDRESS)
    person = arrive(make_provider(), is_vouched=False)
    assert person != holder
    assert (person.email, person.claimed_email) == (None, ADDRESS)
    assert [mail.to for mail in mails("account_exists")] == [ADDRESS]
    assert mails("confirm_address") == []


def test_security_sends_the_proof_again(client_of):
    person = arrive(make_provider(), is_vouched=False)
    client_of(person).post(reverse("accounts:send_link"))
    assert len(mails("confirm_address")) == 2
    assert mails("create_password") == []


def test_address_follows_the_organisation_and_the_old_one_is_told():
    provider = make_provider()
    person = arrive(provider)
    arrive(provider, email="jane.roe@uni.example")
    person.refresh_from_db()
    assert (person.email, person.is_email_proved) == ("jane.roe@uni.example", True)
    assert [mail.to for mail in mails("email_changed")] == [ADDRESS]
    make_user(email="taken@uni.example")
    arrive(provider, email="taken@uni.example")
    arrive(provider, email="unsure@uni.example", is_vouched=False)
    person.refresh_from_db()
    assert person.email == "jane.roe@uni.example"


@pytest.mark.parametrize("changes", [{}, {"email_proved_at": None}, {"email": None, "email_proved_at": None}])
def test_provider_cannot_move_where_the_codes_of_the_office_go(changes):
    """Else it would hold both factors of whoever joined first and was given a role later."""
    provider = make_provider()
    person = arrive(provider)
    User.objects.filter(pk=person.pk).update(is_staff=True, **changes)
    person.refresh_from_db()
    before = (person.email, person.email_proved_at)
    assert arrive(provider, email="thief@uni.example") == person
    person.refresh_from_db()
    assert (person.email, person.email_proved_at) == before


def test_second_organisation_does_not_replace_the_address_of_the_first():
    first, second = make_provider(), make_provider(trusted_domains=["other.example"])
    person = arrive(first)
    SocialAccount.objects.create(user=person, provider=second.code, uid="jane")
    assert arrive(second, email="jane@other.example") == person
    person.refresh_from_db()
    assert person.email == ADDRESS


def test_person_without_an_address_comes_in():
    person = arrive(make_provider(), email="", is_vouched=False)
    assert (person.email, person.claimed_email) == (None, "")


# By number


def make_at_counter(**fields):
    """Return somebody whom the office entered, without e-mail and without sign-in."""
    return make_user(email=None, is_proved=False, password=None, **fields)


@pytest.mark.parametrize("number", ["employee_number", "student_number"])
def test_record_of_the_counter_is_joined_by_its_number(number):
    entered = make_at_counter(**{number: "N-5"})
    person = arrive(make_provider({number: "no"}), no="N-5")
    assert person == entered
    entered.refresh_from_db()
    assert (entered.email, entered.is_email_proved, entered.login_source) == (ADDRESS, True, LoginSource.SSO)


def test_number_is_not_enough_where_no_rule_maps_it():
    entered = make_at_counter(employee_number="N-5")
    assert arrive(make_provider(), no="N-5") != entered


@pytest.mark.parametrize(
    "changes",
    [
        {"registered_at": timezone.now()},
        {"last_login": timezone.now()},
        {"password": PASSWORD},
        {"email": "somebody@else.example", "is_proved": True},
        {"login_source": LoginSource.SSO},
        {"is_active": False},
    ],
    ids=["registered", "signed in", "password", "address", "single sign-on", "switched off"],
)
def test_number_on_a_record_that_somebody_opened_proves_nothing(changes):
    """People type their numbers themselves: a stranger could wait with hers for Jane to come."""
    fields = {"email": None, "is_proved": False, "password": None, "employee_number": "N-5", **changes}
    trap = make_user(**fields)
    assert arrive(make_provider({"employee_number": "no"}), no="N-5") != trap


def test_two_records_with_the_number_are_the_offices_to_bring_together():
    pair = [make_at_counter(employee_number="N-5") for _n in range(2)]
    assert arrive(make_provider({"employee_number": "no"}), no="N-5") not in pair


def test_record_of_the_office_is_not_joined_by_a_number():
    make_at_counter(employee_number="N-5", is_staff=True)
    assert why_not(make_provider({"employee_number": "no"}), no="N-5") == Why.OFFICE


# What is written


def test_fields_are_refreshed_and_what_cannot_be_kept_is_left():
    rules = {"first_name": "given", "mobile_phone": "phone", "country": "c", "region": "r", "language": "lang"}
    provider = make_provider(rules)
    person = arrive(provider, given="Jane", phone="613-555-0101", c="CA", r="ON", lang="fr-ca")
    assert (person.first_name, str(person.mobile_phone), person.region, person.language) == (
        *("Jane", "+16135550101"),
        *("ON", "fr-ca"),
    )
    arrive(provider, given=["", "Janet"], phone="no phone", c="Canada", r="NY", lang="xx")
    person.refresh_from_db()
    assert (person.first_name, str(person.mobile_phone), person.region, person.country, person.language) == (
        *("Janet", "+16135550101"),
        *("ON", "CA", "fr-ca"),
    )
    arrive(provider)
    person.refresh_from_db()
    assert person.first_name == "Janet", "what is not said stays"


def test_own_fields_are_filled_by_their_kind():
    choices = [{"code": "north", "label": {"en": "North"}}]
    kinds = {
        "a": FieldKind.TEXT,
        "b": FieldKind.NUMBER,
        "c": FieldKind.DATE,
        "d": FieldKind.CHOICE,
        "e": FieldKind.YES_NO,
    }
    for name, kind in kinds.items():
        ProfileField.objects.create(name=name, kind=kind, choices=choices if kind == FieldKind.CHOICE else [])
    provider = make_provider({name: name for name in kinds})
    good = {"a": "Text", "b": "12", "c": "2026-02-28", "d": "north", "e": "true"}
    person = arrive(provider, **good)
    answers = dict(ProfileAnswer.objects.filter(person=person).values_list("field__name", "value"))
    assert answers == {**good, "e": "yes"}
    arrive(provider, b="many", c="2026-02-30", d="south", e="perhaps")
    assert dict(ProfileAnswer.objects.filter(person=person).values_list("field__name", "value")) == answers


def test_user_type_is_decided_at_every_sign_in():
    staff, student, public = (make_user_type(code) for code in ("staff", "student", "visitors"))
    provider = make_provider(user_type=public, user_type_attribute="groups")
    for value, user_type in (("employees", staff), ("students", student)):
        UserTypeRule.objects.create(identity_provider=provider, value=value, user_type=user_type)
    person = arrive(provider, groups=["other", "students"])
    assert (person.user_type, person.user_type_from) == (student, local_date())
    assert arrive(provider, groups=["students", "employees"]).user_type == staff, "the first rule that fits"
    assert arrive(provider, groups=[]).user_type == public


def test_without_any_rule_new_people_get_the_usual_type_and_others_keep_theirs():
    UserType.objects.update(is_default=False)
    usual, given = make_user_type("usual", is_default=True), make_user_type("given")
    provider = make_provider()
    person = arrive(provider)
    assert person.user_type == usual
    User.objects.filter(pk=person.pk).update(user_type=given)
    assert arrive(provider).user_type == given


def test_filled_fields_are_greyed_out_and_empty_ones_are_asked(client_of):
    set_field("employee_number", state=FieldState.REQUIRED)
    provider = make_provider({"first_name": "given", "employee_number": "no"})
    person = arrive(provider, given="Jane")
    browser = client_of(person)
    assert browser.get(reverse("home:home")).url == reverse("accounts:profile"), "the gate asks for what is missing"
    values = {"first_name": "Mallory", "last_name": "Doe", "employee_number": "E-1", "language": "en", "country": "CA"}
    form = browser.get(reverse("accounts:profile")).context["form"]
    assert form.fields["first_name"].disabled
    assert not form.fields["employee_number"].disabled
    browser.post(reverse("accounts:profile"), values)
    person.refresh_from_db()
    assert (person.first_name, person.last_name, person.employee_number) == ("Jane", "Doe", "E-1")
    assert browser.get(reverse("home:home")).status_code == 200
    forget_asked_fields()


def test_claims_become_text_whatever_they_are():
    provider = make_provider()
    raw = {
        "id_token": {"sub": "1", "name": "old"},
        "userinfo": {
            "name": "new",
            "n": 5,
            "yes": True,
            "none": None,
            "groups": ["a", "b"],
            "address": {"locality": "Ottawa"},
        },
    }
    assert flatten_claims(provider, raw) == {
        **{"sub": ["1"], "name": ["new"], "n": ["5"], "yes": ["true"]},
        **{"groups": ["a", "b"], "address.locality": ["Ottawa"]},
    }


# The way back


def test_office_gives_a_password_back(administrator, client_of):
    provider = make_provider()
    person = arrive(provider)
    page = client_of(administrator).post(
        reverse("admin:accounts_user_changelist"),
        {"action": "return_to_password", "_selected_action": [person.pk]},
        follow=True,
    )
    assert page.status_code == 200
    person.refresh_from_db()
    assert person.login_source == LoginSource.LOCAL
    assert not SocialAccount.objects.filter(user=person).exists()
    browser = client_of()
    fields = {"password": "another long password", "password_again": "another long password"}
    assert browser.post(link_in(mails("create_password")[-1]), fields).status_code == 302
    with pytest.raises(NotAllowed):
        return_to_password(person=person, actor=administrator)
