"""SAML where allauth leaves something open: what an assertion must say beyond its signature, and our own metadata."""

from typing import Any

from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.saml.provider import SAMLProvider
from allauth.socialaccount.providers.saml.utils import build_sp_config
from allauth.socialaccount.providers.saml.views import FinishACSView, SLSView
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from onelogin.saml2.constants import OneLogin_Saml2_Constants
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from accounts.sso.adapter import SUBJECTS
from accounts.sso.refusals import NotAdmitted, Why

LONGEST_RESPONSE = 300_000
CONFIRMED = "//saml:Assertion/saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData"
AUDIENCES = "//saml:Assertion/saml:Conditions/saml:AudienceRestriction/saml:Audience"
DAY = 86_400


class StrictProvider(SAMLProvider):
    """Reads a response that python3-saml has verified, unless it could have been made for another purpose."""

    def sociallogin_from_response(self, request: HttpRequest, response: Any) -> SocialLogin:
        """Return allauth's login; raises NotAdmitted."""
        require_answer(response, self.app.settings["sp"]["entity_id"])
        require_fresh(response)
        return super().sociallogin_from_response(request, response)

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        """Return what was said, under the names and under the friendly ones: `sn` is what the office knows it by."""
        return {**(data.get_friendlyname_attributes() or {}), **data.get_attributes()}

    def extract_uid(self, data: Any) -> str:
        """Return who it is: a name made anew for each sign-in would make a new person each time."""
        attributes = data.get_attributes()
        is_transient = data.get_nameid_format() == OneLogin_Saml2_Constants.NAMEID_TRANSIENT
        if is_transient and not any(attributes.get(name) for name in SUBJECTS):
            raise NotAdmitted(Why.FAILED)
        return str(super().extract_uid(data) or "")


def require_answer(auth: Any, audience: str) -> None:
    """Raise NotAdmitted unless the assertion itself, which is signed, names our question and us.

    python3-saml lets an assertion pass that names neither. One that was made for another site, or that nobody asked for,
    could then be put into a response that somebody else writes: the response around it need not be signed.
    """
    document = OneLogin_Saml2_XML.to_etree(auth.get_last_response_xml())
    answered = {node.get("InResponseTo") for node in OneLogin_Saml2_XML.query(document, CONFIRMED)}
    audiences = {(node.text or "").strip() for node in OneLogin_Saml2_XML.query(document, AUDIENCES)}
    if answered != {auth.get_last_response_in_response_to()} or None in answered or audience not in audiences:
        raise NotAdmitted(Why.FAILED)


def require_fresh(auth: Any) -> None:
    """Raise NotAdmitted when this assertion has been used. Its question is used up as well, so this is the second lock."""
    until = auth.get_last_assertion_not_on_or_after() or 0
    seconds = min(max(int(until - timezone.now().timestamp()), 0) + 600, DAY)
    if not cache.add(f"sso:assertion:{auth.get_last_assertion_id()}", True, seconds):
        raise NotAdmitted(Why.FAILED)


class FinishView(FinishACSView):
    """allauth's view, with the strict provider."""

    def get_provider(self, organization_slug: str) -> StrictProvider:
        return StrictProvider(self.request, app=self.get_app(organization_slug))


class SignOutView(SLSView):
    """allauth's view; only signed messages end a session, and only where the office has named a sign-out address."""

    def get_provider(self, organization_slug: str) -> StrictProvider:
        app: SocialApp = self.get_app(organization_slug)
        app.settings["advanced"]["want_message_signed"] = True
        return StrictProvider(self.request, app=app)


def our_metadata(request: HttpRequest, app: SocialApp) -> bytes:
    """Return our side as XML; needs nothing of the identity provider's, which may not know us yet."""
    advanced = app.settings["advanced"]
    security = {
        "authnRequestsSigned": advanced.get("authn_request_signed", False),
        "wantAssertionsSigned": True,
        "allowSingleLabelDomains": True,
    }
    config = {"strict": True, "security": security, "sp": build_sp_config(request, app.settings, app.client_id)}
    made = OneLogin_Saml2_Settings(config, sp_validation_only=True).get_sp_metadata()
    return made if isinstance(made, bytes) else made.encode()
