"""Where allauth's single sign-on meets the house."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from requests import RequestException

from accounts.models import IdentityProvider, Protocol, User
from accounts.sso.refusals import NotAdmitted, Why
from opscom.core.errors import NotAllowed
from opscom.core.secrets import decrypt

# Where organisations usually keep these, beside allauth's own guesses.
SUBJECTS = ["urn:oasis:names:tc:SAML:attribute:subject-id", "urn:oasis:names:tc:SAML:attribute:pairwise-id"]
ADDRESSES = [
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "mail",
    "email",
]


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """allauth speaks the protocols; the identity providers are ours, and so is every decision about people."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Return the identity providers that are switched on, as allauth knows them. There are no others."""
        apps = [make_app(row) for row in IdentityProvider.objects.filter(is_on=True)]
        if provider:
            apps = [app for app in apps if provider in (app.provider, app.provider_id)]
        return [app for app in apps if not client_id or app.client_id == client_id]

    def new_user(self, request: HttpRequest, sociallogin: SocialLogin) -> User:
        return User()

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """Keep what was said for the length of this request only: the row stores who somebody is, not all about them."""
        raw = sociallogin.account.extra_data
        require_one_subject(raw)
        sociallogin.claims = raw
        sociallogin.account.extra_data = {}
        return sociallogin.user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Stop allauth where it has verified who comes: our view goes on from here.

        So allauth never connects accounts, never signs anybody up and never signs anybody in.
        """
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            raise NotAdmitted(Why.FAILED)
        request.verified_login = sociallogin  # type: ignore[attr-defined]
        raise ImmediateHttpResponse(HttpResponse())

    def on_authentication_error(self, request: HttpRequest, provider: Any, *args: Any, **kwargs: Any) -> None:
        """Answer with our page, in place of allauth's."""
        cause = kwargs.get("exception")
        if kwargs.get("error") == AuthError.CANCELLED:
            raise NotAdmitted(Why.CANCELLED)
        raise NotAdmitted(Why.UNREACHABLE if isinstance(cause, RequestException) else Why.FAILED) from cause

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def validate_disconnect(self, account: Any, accounts: Any) -> None:
        """Never: it would leave somebody without any way in. The office can give a password back."""
        raise NotAllowed("People who sign in by single sign-on are not disconnected.")


def make_app(row: IdentityProvider) -> SocialApp:
    """Return the row as allauth's app, not saved. Both protocols name the person's account by the row's code."""
    app = SocialApp(provider_id=row.code, name=str(row)[:40])
    if row.protocol == Protocol.SAML:
        app.provider, app.client_id, app.settings = "saml", row.code, saml_settings(row)
    else:
        app.provider, app.client_id = "openid_connect", row.client_id
        app.secret = decrypt(bytes(row.client_secret)) if row.client_secret else ""
        app.settings = {"server_url": row.server_url.rstrip("/"), "oauth_pkce_enabled": True}
    return app


def saml_settings(row: IdentityProvider) -> dict[str, Any]:
    """Return what python3-saml is told: assertions are signed, and answer a question that was asked here."""
    idp = {"entity_id": row.entity_id, "metadata_request_timeout": 5}
    if row.metadata_url:
        idp["metadata_url"] = row.metadata_url
    else:
        idp |= {"sso_url": row.sign_in_url, "slo_url": row.sign_out_url, "x509cert": row.certificate}
    advanced: dict[str, Any] = {
        "strict": True,
        "want_assertion_signed": True,
        "want_attribute_statement": False,
        "reject_idp_initiated_sso": True,
        "allow_single_label_domains": True,
    }
    if row.signing_key and row.signing_certificate:
        advanced |= {"private_key": decrypt(bytes(row.signing_key)), "x509cert": row.signing_certificate}
        advanced |= {"authn_request_signed": True, "logout_request_signed": True, "logout_response_signed": True}
    return {
        "idp": idp,
        "sp": {"entity_id": settings.SITE_URL + reverse("saml_metadata", args=[row.code])},
        "attribute_mapping": {"uid": SUBJECTS, "email": ADDRESSES},
        "advanced": advanced,
    }


def require_one_subject(raw: Any) -> None:
    """Raise OAuth2Error when the token and the userinfo are about two people: OpenID Connect asks for this check."""
    token, info = raw.get("id_token"), raw.get("userinfo")
    if isinstance(token, dict) and isinstance(info, dict) and token.get("sub") != info.get("sub"):
        raise OAuth2Error("The subjects of the id token and of the userinfo differ.")
