"""Signing in by OpenID Connect, against a provider that others wrote."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.urls import reverse

from accounts.models import LoginSource, User
from opscom.core.models import AuditEntry
from tests.accounts.helpers import is_signed_in
from tests.accounts.mfa import enter, newest_code
from tests.accounts.sso.oidc import begin, sign_in
from tests.factories.provider import set_provider

pytestmark = pytest.mark.django_db
JANE = {"email": "Jane.Doe@uni.example", "email_verified": True, "given_name": "Jane", "family_name": "Doe"}


def test_new_person_comes_in_with_a_proved_address_and_filled_profile(anonymous, oidc_server, campus):
    oidc_server.make_person("jane-1", **JANE, staff_no="E-77")
    response = sign_in(anonymous, oidc_server, "jane-1", next=reverse("accounts:security"))
    assert response.url == reverse("accounts:security")
    assert is_signed_in(anonymous)
    jane = User.objects.get(email="jane.doe@uni.example")
    assert (jane.first_name, jane.last_name, jane.employee_number) == ("Jane", "Doe", "E-77")
    assert jane.login_source == LoginSource.SSO
    assert jane.is_email_proved
    assert not jane.has_usable_password()
    account = SocialAccount.objects.get(user=jane)
    assert (account.provider, account.uid, account.extra_data) == ("campus", "jane-1", {})
    deeds = AuditEntry.objects.filter(object_kind="accounts.user", object_id=jane.pk).values_list("action", flat=True)
    assert {"person.sso_entered", "person.signed_in", "person.email_proved"} <= set(deeds)


def test_second_time_it_is_the_same_person_with_fresh_data(anonymous, client_of, oidc_server, campus):
    oidc_server.make_person("jane-2", **JANE)
    sign_in(anonymous, oidc_server, "jane-2")
    oidc_server.make_person("jane-2", **{**JANE, "family_name": "Roe"})
    sign_in(client_of(), oidc_server, "jane-2")
    assert User.objects.get(email="jane.doe@uni.example").last_name == "Roe"


def test_code_exchange_is_protected_by_pkce(anonymous, campus):
    url = begin(anonymous)
    assert "code_challenge=" in url
    assert "code_challenge_method=S256" in url
    assert "openid" in url


def test_single_sign_on_spares_nobody_the_code(anonymous, oidc_server, campus):
    set_provider(mfa="required")
    oidc_server.make_person("jane-3", **JANE)
    sign_in(anonymous, oidc_server, "jane-3")
    assert anonymous.get(reverse("home:home")).url == reverse("accounts:one_time_password")
    enter(anonymous, newest_code())
    assert anonymous.get(reverse("accounts:security")).status_code == 200


def test_profile_gate_asks_for_what_nobody_said(anonymous, oidc_server, campus):
    oidc_server.make_person("jane-4", email="jane.doe@uni.example", email_verified=True, given_name="Jane")
    sign_in(anonymous, oidc_server, "jane-4", next="/vehicles/")
    assert anonymous.get("/vehicles/").url == reverse("accounts:profile")
    values = {"last_name": "Doe", "language": "en", "country": "CA"}
    assert anonymous.post(reverse("accounts:profile"), values).url == "/vehicles/"
