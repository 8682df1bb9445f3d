"""Signing in by OpenID Connect, against a provider that others wrote."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.urls import reverse

from accounts.models import LoginSource, User
from opscom.core.models import AuditEntry
from tests.accounts.helpers import is_signed_in
from tests.accounts.sso.oidc import begin, sign_in

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
