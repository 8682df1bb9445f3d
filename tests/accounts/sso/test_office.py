"""The office sets identity providers up."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.urls import reverse

from accounts.models import AttributeRule, IdentityProvider, Protocol, UserTypeRule
from accounts.sso.certificates import clean_certificate
from opscom.core.models import AuditEntry
from opscom.core.secrets import decrypt
from tests.accounts.sso.oidc import free_port
from tests.accounts.sso.saml import make_pair
from tests.factories.accounts import make_user, make_user_type
from tests.factories.sso import make_provider

pytestmark = pytest.mark.django_db
ADD = "/admin/accounts/identityprovider/add/"
NO_RULES = {
    f"{prefix}-{name}": value
    for prefix in ("attribute_rules", "user_type_rules")
    for name, value in {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0"}.items()
}


def page_of(provider):
    """Return the address of its page."""
    return reverse("admin:accounts_identityprovider_change", args=[provider.pk])


def values_of(provider, **changes):
    """Return what the page's form holds."""
    names = ["server_url", "client_id", "entity_id", "metadata_url", "sign_in_url", "sign_out_url", "certificate"]
    names += ["signing_certificate", "user_type_attribute", "position"]
    return {
        **{name: getattr(provider, name) for name in names},
        "button_text_en": "Campus login",
        "button_text_fr_ca": "Campus (français)",
        "trusted_domains": "\n".join(provider.trusted_domains),
        "is_on": "on",
        **NO_RULES,
        **changes,
    }


def errors_of(response):
    """Return the errors of the form that came back."""
    assert response.status_code == 200
    return response.context["adminform"].form.errors


def test_from_a_name_to_a_working_provider(client_of, administrator, oidc_server):
    office = client_of(administrator)
    response = office.post(
        ADD, {"protocol": "oidc", "code": "campus", "button_text_en": "Campus login", "button_text_fr_ca": ""}
    )
    provider = IdentityProvider.objects.get(code="campus")
    assert response.url == page_of(provider)
    page = office.get(page_of(provider)).content.decode()
    assert "http://localhost:8000/sso/campus/callback" in page
    staff = make_user_type("staff")
    changes = {
        "server_url": oidc_server.url,
        "client_id": "portal",
        "new_client_secret": "very secret",
        "trusted_domains": "Uni.example\n@müller.example\n",
        "user_type_attribute": "groups",
        "attribute_rules-TOTAL_FORMS": "1",
        "attribute_rules-0-attribute": "given_name",
        "attribute_rules-0-field_name": "first_name",
        "user_type_rules-TOTAL_FORMS": "1",
        "user_type_rules-0-value": "employees",
        "user_type_rules-0-user_type": staff.pk,
    }
    response = office.post(page_of(provider), values_of(provider, **changes), follow=True)
    provider.refresh_from_db()
    assert provider.is_on
    assert provider.trusted_domains == ["uni.example", "xn--mller-kva.example"]
    assert decrypt(provider.client_secret) == "very secret"
    assert AttributeRule.objects.get().field_name == "first_name"
    assert UserTypeRule.objects.get().user_type == staff
    assert [str(message) for message in response.context["messages"] if message.level_tag == "warning"] == []


def test_secrets_are_never_shown_and_stay_when_left_empty(client_of, administrator):
    provider = make_provider()
    office = client_of(administrator)
    office.post(page_of(provider), values_of(provider, new_client_secret="very secret", server_url="not an address"))
    response = office.post(page_of(provider), values_of(provider, new_client_secret="very secret", client_id=""))
    assert "very secret" not in response.content.decode()
    assert office.post(page_of(provider), values_of(provider, new_client_secret="very secret")).status_code == 302
    assert office.post(page_of(provider), values_of(provider)).status_code == 302
    provider.refresh_from_db()
    assert b"very secret" not in bytes(provider.client_secret)
    assert decrypt(provider.client_secret) == "very secret"
    assert "very secret" not in office.get(page_of(provider)).content.decode()
    assert "very secret" not in str(list(AuditEntry.objects.values_list("facts", flat=True)))


def test_every_save_is_written_down_with_its_rules(client_of, administrator):
    provider = make_provider()
    rule = {
        "attribute_rules-TOTAL_FORMS": "1",
        "attribute_rules-0-attribute": "sn",
        "attribute_rules-0-field_name": "last_name",
    }
    client_of(administrator).post(page_of(provider), values_of(provider, client_id="another", **rule))
    entry = AuditEntry.objects.get(action="identityprovider.changed")
    assert entry.actor == administrator
    assert "Client id" in entry.facts["fields"]
    assert entry.facts["rules"] == ["added: sn → last_name"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"server_url": ""}, "server_url"),
        ({"client_id": ""}, "client_id"),
        ({"server_url": "ftp://idp.example"}, "server_url"),
        ({"server_url": "file:///etc/passwd"}, "server_url"),
        ({"trusted_domains": "not a domain"}, "trusted_domains"),
        ({"trusted_domains": "uni.example, evil.example"}, "trusted_domains"),
    ],
)
def test_openid_connect_is_checked(client_of, administrator, changes, field):
    provider = make_provider()
    assert field in errors_of(client_of(administrator).post(page_of(provider), values_of(provider, **changes)))


def test_http_is_for_a_portal_without_https_only(client_of, administrator, settings):
    provider = make_provider()
    settings.SITE_URL = "https://parking.example.edu"
    values = values_of(provider, server_url="http://idp.example.edu")
    assert "server_url" in errors_of(client_of(administrator).post(page_of(provider), values, secure=True))


def make_saml(**fields):
    """Return a SAML provider that is being set up."""
    empty = {"server_url": "", "client_id": "", "client_secret": None}
    return make_provider(protocol=Protocol.SAML, **{**empty, "is_on": False, "entity_id": "urn:campus", **fields})


def test_saml_page_says_what_the_other_side_needs(client_of, administrator):
    provider = make_saml(code="campus")
    page = client_of(administrator).get(page_of(provider)).content.decode()
    for path in ("metadata", "acs", "sls"):
        assert f"http://localhost:8000/sso/campus/{path}" in page


def test_saml_certificates_are_checked(client_of, administrator):
    provider, (certificate, key), (other, _key) = make_saml(), make_pair(), make_pair()
    office = client_of(administrator)
    sign_in = {"sign_in_url": "https://idp.example/sso"}
    wrong = [
        ({}, "sign_in_url"),
        (sign_in, "certificate"),
        ({**sign_in, "certificate": "nonsense!"}, "certificate"),
        ({**sign_in, "certificate": key}, "certificate"),
        ({**sign_in, "certificate": certificate[:200]}, "certificate"),
        ({**sign_in, "certificate": certificate, "new_signing_key": key}, "new_signing_key"),
        ({"signing_certificate": other, "new_signing_key": key}, "new_signing_key"),
        ({"signing_certificate": certificate, "new_signing_key": "nonsense"}, "new_signing_key"),
    ]
    for changes, field in wrong:
        assert field in errors_of(office.post(page_of(provider), values_of(provider, **changes))), changes
    bare = "".join(certificate.splitlines()[1:-1])
    right = {**sign_in, "certificate": bare, "signing_certificate": certificate, "new_signing_key": key}
    assert office.post(page_of(provider), values_of(provider, **right)).status_code == 302
    provider.refresh_from_db()
    assert provider.certificate.strip() == clean_certificate(certificate)
    assert decrypt(provider.signing_key) == key.strip()
    assert "PRIVATE KEY" not in office.get(page_of(provider)).content.decode()


def warnings_of(response):
    """Return the warnings on the page after a save."""
    return [str(message) for message in response.context["messages"] if message.level_tag == "warning"]


def test_office_is_warned_of_what_does_not_answer(client_of, administrator):
    provider, (expired, _key) = make_provider(), make_pair(days=-1)
    office = client_of(administrator)
    values = values_of(provider, server_url=f"http://127.0.0.1:{free_port()}")
    assert [
        "It does not answer" in text for text in warnings_of(office.post(page_of(provider), values, follow=True))
    ] == [True]
    saml = make_saml()
    values = values_of(saml, sign_in_url="https://idp.example/sso", certificate=expired)
    assert warnings_of(office.post(page_of(saml), values, follow=True)) == ["A certificate has expired."]


def test_another_organisation_cannot_take_the_place_of_one_in_use(client_of, administrator):
    provider = make_provider()
    SocialAccount.objects.create(user=make_user(password=None), provider=provider.code, uid="17")
    office = client_of(administrator)
    values = values_of(provider, server_url="https://another.example.edu")
    assert "server_url" in errors_of(office.post(page_of(provider), values))
    delete = reverse("admin:accounts_identityprovider_delete", args=[provider.pk])
    assert office.post(delete, {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [provider.pk], "post": "yes"}
    office.post(reverse("admin:accounts_identityprovider_changelist"), data)
    assert IdentityProvider.objects.filter(pk=provider.pk).exists()


def test_code_and_protocol_stay(client_of, administrator):
    provider = make_provider(code="campus")
    client_of(administrator).post(page_of(provider), values_of(provider, code="other", protocol="saml"))
    provider.refresh_from_db()
    assert (provider.code, provider.protocol) == ("campus", "oidc")


def test_clerks_do_not_decide_who_comes_in(client_of, clerk):
    provider = make_provider()
    assert client_of(clerk).get(page_of(provider)).status_code == 403
    assert client_of(clerk).post(page_of(provider), values_of(provider)).status_code == 403
