"""Signing in by SAML: what is taken from the provider, and what is not."""

import base64

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.urls import reverse
from lxml import etree
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names

from accounts.models import IdentityProvider, Protocol, User
from tests.accounts.helpers import is_signed_in
from tests.accounts.sso.oidc import free_port
from tests.accounts.sso.saml import ENTITY, Answer, Idp, ask, make_pair, post
from tests.factories.accounts import make_user
from tests.factories.sso import make_provider

pytestmark = pytest.mark.django_db
JANE = {"mail": ["jane.doe@uni.example"], "givenName": ["Jane"], "sn": ["Doe"]}


@pytest.fixture(scope="module")
def idp():
    """A provider with its key."""
    return Idp(*make_pair())


@pytest.fixture
def saml(db, idp):
    """The provider as the office has set it up."""
    return make_provider(
        {"first_name": "givenName", "last_name": "sn"},
        code="saml",
        protocol=Protocol.SAML,
        server_url="",
        client_id="",
        client_secret=None,
        entity_id=ENTITY,
        sign_in_url="https://idp.example/sso",
        sign_out_url="https://idp.example/slo",
        certificate=idp.certificate,
    )


def test_person_comes_in_and_is_the_same_the_next_time(anonymous, client_of, idp, saml):
    response = post(anonymous, idp.answer(Answer(ask(anonymous, next="/vehicles/"), attributes=JANE)))
    assert response.url == "/vehicles/"
    assert is_signed_in(anonymous)
    jane = User.objects.get(email="jane.doe@uni.example")
    assert (jane.first_name, jane.last_name, jane.is_email_proved) == ("Jane", "Doe", True)
    assert SocialAccount.objects.get(user=jane).extra_data == {}
    again = client_of()
    post(again, idp.answer(Answer(ask(again), attributes={**JANE, "sn": ["Roe"]})))
    jane.refresh_from_db()
    assert jane.last_name == "Roe"
    assert User.objects.count() == 1


def refused(client, response):
    """Say whether this answer lets nobody in, and says so on a page."""
    answer = post(client, response)
    assert answer.status_code == 403, answer
    assert "You are not signed in" in answer.content.decode()
    return not is_signed_in(client) and not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"audience": "https://another.example/metadata"},
        {"audience": None},
        {"issuer": "urn:example:another"},
        {"acs": "http://testserver/sso/other/acs"},
        {"acs": "https://another.example/acs"},
        {"minutes": -1},
        {"minutes": 25},
        {"confirmed": None},
        {"confirmed": "_another"},
        {"format": Names.NAMEID_TRANSIENT},
        {"name_id": ""},
    ],
    ids=str,
)
def test_assertion_for_something_else_is_refused(anonymous, idp, saml, changes):
    assert refused(anonymous, idp.answer(Answer(ask(anonymous), attributes=JANE, **changes)))


def test_unsigned_assertion_is_refused(anonymous, idp, saml):
    assert refused(anonymous, idp.answer(Answer(ask(anonymous), attributes=JANE), is_signed=False))


def test_assertion_signed_by_somebody_else_is_refused(anonymous, saml):
    stranger = Idp(*make_pair())
    assert refused(anonymous, stranger.answer(Answer(ask(anonymous), attributes=JANE)))


def test_assertion_changed_after_it_was_signed_is_refused(anonymous, idp, saml):
    answer = Answer(ask(anonymous), attributes=JANE)
    signed = idp.sign(answer.assertion()).replace("jane.doe@", "john.doe@")
    assert refused(anonymous, answer.response(signed))


def test_second_assertion_beside_the_signed_one_is_refused(anonymous, idp, saml):
    """Wrapping: the signature is over one assertion, and another one is offered to be read."""
    question = ask(anonymous)
    real, forged = Answer(question, attributes=JANE), Answer(question, name_id="admin", attributes=JANE)
    for pair in ((forged.assertion(), idp.sign(real.assertion())), (idp.sign(real.assertion()), forged.assertion())):
        assert refused(anonymous, real.response("".join(pair)))


def test_signed_response_around_an_unsigned_assertion_is_refused(anonymous, idp, saml):
    answer = Answer(ask(anonymous), attributes=JANE)
    whole = base64.b64decode(answer.response(answer.assertion())).decode()
    assert refused(anonymous, base64.b64encode(idp.sign(whole).encode()).decode())


def test_answer_is_used_once(anonymous, client_of, idp, saml):
    response = idp.answer(Answer(ask(anonymous), attributes=JANE))
    assert post(anonymous, response).status_code == 302
    anonymous.post(reverse("account_logout"))
    assert post(anonymous, response).status_code == 403
    assert post(client_of(), response).status_code == 403
    assert not is_signed_in(anonymous)


def test_assertion_is_used_once_even_if_its_question_still_stands(anonymous, idp, saml):
    """The cache is the second lock, and works alone."""
    first = Answer(ask(anonymous), attributes=JANE)
    post(anonymous, idp.answer(first))
    anonymous.post(reverse("account_logout"))
    again = Answer(ask(anonymous), attributes=JANE, id=first.id)
    assert post(anonymous, idp.answer(again)).status_code == 403
    cache.clear()
    again = Answer(ask(anonymous), attributes=JANE, id=first.id)
    assert post(anonymous, idp.answer(again)).status_code == 302


def test_answer_to_a_question_of_another_browser_is_refused(anonymous, client_of, idp, saml):
    """Else an attacker could sign a victim in to the attacker's account."""
    attacker = client_of()
    response = idp.answer(Answer(ask(attacker), attributes=JANE))
    ask(anonymous)
    assert refused(anonymous, response)


@pytest.mark.parametrize("relay", ["https://evil.example/", "/security"])
def test_answer_that_nobody_asked_for_is_refused(anonymous, idp, saml, relay):
    response = post(anonymous, idp.answer(Answer(None, attributes=JANE)), RelayState=relay)
    assert response.status_code == 403
    assert not is_signed_in(anonymous)


def test_stolen_assertion_does_not_fit_the_thiefs_question(anonymous, idp, saml):
    """The response is not signed, so its InResponseTo is the thief's to write; the assertion's own is not."""
    stolen = idp.sign(Answer(None, attributes=JANE).assertion())
    assert refused(anonymous, Answer(ask(anonymous)).response(stolen))


@pytest.mark.parametrize("relay", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_relay_state_leads_nowhere(anonymous, idp, saml, relay):
    response = post(anonymous, idp.answer(Answer(ask(anonymous), attributes=JANE)), RelayState=relay)
    assert response.url == reverse("home:home")


def test_provider_cannot_open_what_is_not_its_own(anonymous, idp, saml):
    holder = make_user(email="jane@other.example")
    post(anonymous, idp.answer(Answer(ask(anonymous), attributes={"mail": ["jane@other.example"]})))
    assert SocialAccount.objects.get().user != holder


@pytest.mark.parametrize("response", ["", "x", "%%%", "PHg+", base64.b64encode(b"<a/>").decode(), "A" * 400_000])
def test_nonsense_is_a_page_not_a_fault(anonymous, saml, response):
    assert post(anonymous, response).status_code == 403


def test_entities_are_not_expanded(anonymous, saml):
    bomb = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    assert post(anonymous, base64.b64encode(bomb).decode()).status_code == 403


def test_finish_without_an_answer_is_a_page_not_a_fault(anonymous, saml):
    assert anonymous.get(reverse("saml_finish_acs", args=["saml"])).status_code == 403


def test_metadata_that_cannot_be_fetched_is_a_page_not_a_fault(anonymous, idp, saml):
    IdentityProvider.objects.update(metadata_url=f"http://127.0.0.1:{free_port()}/metadata")
    response = anonymous.post(reverse("sso_start", args=["saml"]))
    assert response.status_code == 503
    assert "does not answer" in response.content.decode()
    assert anonymous.get(reverse("saml_metadata", args=["saml"])).status_code == 200


def test_switched_off_provider_opens_nothing(anonymous, idp, saml):
    response = idp.answer(Answer(ask(anonymous), attributes=JANE))
    kept = anonymous.post(reverse("saml_acs", args=["saml"]), {"SAMLResponse": response})
    IdentityProvider.objects.update(is_on=False)
    assert anonymous.get(kept.url).status_code == 404
    assert anonymous.post(reverse("saml_acs", args=["saml"]), {"SAMLResponse": response}).status_code == 404


def test_our_metadata_ask_for_signed_assertions(anonymous, saml):
    root = etree.fromstring(anonymous.get(reverse("saml_metadata", args=["saml"])).content)
    assert root.get("entityID") == "http://localhost:8000/sso/saml/metadata"
    assert root.find(".//{*}SPSSODescriptor").get("WantAssertionsSigned") == "true"


def test_protocols_do_not_take_each_others_addresses(anonymous, saml):
    make_provider(code="oidc")
    assert anonymous.get(reverse("openid_connect_callback", args=["saml"])).status_code == 404
    assert anonymous.post(reverse("saml_acs", args=["oidc"]), {"SAMLResponse": "x"}).status_code == 404
    assert anonymous.get(reverse("saml_metadata", args=["oidc"])).status_code == 404


def test_unsigned_sign_out_ends_no_session(client_of, resident, idp, saml):
    import zlib

    request = (
        f'<samlp:LogoutRequest xmlns:samlp="{Names.NS_SAMLP}" xmlns:saml="{Names.NS_SAML}" ID="_1" Version="2.0" '
        f'IssueInstant="2030-01-01T00:00:00Z" Destination="http://testserver/sso/saml/sls">'
        f"<saml:Issuer>{ENTITY}</saml:Issuer><saml:NameID>jane</saml:NameID></samlp:LogoutRequest>"
    )
    packed = base64.b64encode(zlib.compress(request.encode())[2:-4]).decode()
    client = client_of(resident)
    assert client.get(reverse("saml_sls", args=["saml"]), {"SAMLRequest": packed}).status_code == 403
    assert is_signed_in(client)
    assert client.get(reverse("saml_sls", args=["saml"])).status_code == 404
