"""People come in with the account of their organisation, through providers that others wrote, each a process of its own."""

import shutil

import pytest
from playwright.sync_api import Page, expect

from accounts.models import AttributeRule, IdentityProvider, Protocol, User
from demo.data.people import ADMINISTRATOR
from tests.accounts.sso.oidc import running_oidc
from tests.accounts.sso.saml import running_saml
from tests.browser import steps
from tests.browser.device import DESK, PHONE
from tests.browser.steps import button, expect_heading, link
from tests.factories.sso import make_provider


@pytest.fixture
def switched_off_afterwards():
    """Leave the sign-in page as it was for the other tests."""
    yield
    IdentityProvider.objects.update(is_on=False)


def set_up_in_the_office(page: Page, url: str) -> None:
    """The office adds an OpenID Connect provider, with a name first and the rest on the page that follows."""
    page.goto("/admin/accounts/identityprovider/add/")
    page.get_by_label("Protocol").select_option(label="OpenID Connect")
    page.get_by_label("Code in addresses").fill("campus")
    page.locator("[name=button_text_en]").fill("Campus login")
    button(page, "Save").click()
    expect(page.get_by_text("/sso/campus/callback")).to_be_visible()
    page.get_by_label("Issuer").fill(url)
    page.get_by_label("Client id").fill("portal")
    page.get_by_label("Client secret").fill("a secret")
    page.get_by_label("E-mail domains that are its own").fill("uni.example")
    page.get_by_label("Offered on the sign-in page").check()
    button(page, "Save").click()
    expect(page.get_by_role("link", name="Campus login").first).to_be_visible()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_person_comes_in_by_openid_connect(device, width, switched_off_afterwards):
    with running_oidc() as server:
        sub = f"jane-{width}"
        address = f"{sub}@uni.example"
        server.make_person(sub, email=address, email_verified=True, given_name="Jane", family_name="Doe")
        if not IdentityProvider.objects.filter(code="campus").exists():
            set_up_in_the_office(device(person=ADMINISTRATOR).page, server.url)
            campus = IdentityProvider.objects.get(code="campus")
            for name, attribute in (("first_name", "given_name"), ("last_name", "family_name")):
                AttributeRule.objects.create(identity_provider=campus, attribute=attribute, field_name=name)
        IdentityProvider.objects.filter(code="campus").update(server_url=server.url, is_on=True)
        page = device(width=width).page
        # The provider's own page asks a server on the internet for its looks.
        page.route("https://cdn.jsdelivr.net/**", lambda route: route.fulfill(body="", content_type="text/css"))
        page.goto("/vehicles/")
        button(page, "Campus login").click()
        expect_heading(page, "Authorize Client")
        page.get_by_placeholder("sub").fill(sub)
        button(page, "Authorize").click()
        expect_heading(page, "Your Profile")
        expect(steps.field(page, "First name")).to_be_disabled()
        expect(steps.field(page, "First name")).to_have_value("Jane")
        steps.finish_profile(page)
        expect_heading(page, "Vehicles")
        page.goto("/security")
        expect(page.get_by_text("Campus login")).to_be_visible()
        expect(link(page, "Change Password")).to_have_count(0)
        forget_the_password(device(width=width).page, address)
    assert User.objects.get(email=address).is_email_proved


def forget_the_password(page: Page, address: str) -> None:
    """The answer is everybody's; the mail says where the password is."""
    page.goto("/password/forgot")
    expect(page.get_by_text("Only users with an OPSCOM login can use the “Forgot Password” option")).to_be_visible()
    steps.field(page, "Your Email Address").fill(address)
    button(page, "Send Reminder").click()
    steps.open_mail(page, address, "Your password")
    letter = page.frame_locator("iframe")
    expect(letter.get_by_text("you'll need to reset your password through your SSO provider")).to_be_visible()
    expect(letter.get_by_role("link", name="Reset Password")).to_have_count(0)


@pytest.mark.skipif(
    not shutil.which("xmlsec1"), reason="the SAML provider signs with xmlsec1: python -m demo.system xmlsec"
)
def test_person_comes_in_by_saml(device, site, tmp_path, switched_off_afterwards):
    rules = {"first_name": "givenName", "last_name": "sn"}
    nothing = {"server_url": "", "client_id": "", "client_secret": None}
    saml = make_provider(
        rules, code="saml", protocol=Protocol.SAML, is_on=False, button_text={"en": "Campus by SAML"}, **nothing
    )
    with running_saml(tmp_path, f"{site.url}/sso/saml/metadata") as metadata:
        IdentityProvider.objects.filter(pk=saml.pk).update(entity_id=metadata, metadata_url=metadata, is_on=True)
        page = device().page
        page.goto("/vehicles/")
        button(page, "Campus by SAML").click()
        page.get_by_label("Username").fill("jane")
        page.get_by_label("Password").fill("campus password")
        button(page, "Sign in at the campus").click()
        expect_heading(page, "Your Profile")
        expect(steps.field(page, "Last name")).to_have_value("Doe")
    assert User.objects.get(email="jane.doe@uni.example").is_email_proved
