"""Does the identity provider answer, and is it the one that the office means? Asked when its page is saved."""

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.saml.utils import fetch_metadata_url_config
from django.core.cache import cache
from django.utils.translation import gettext as _
from lxml.etree import LxmlError
from onelogin.saml2.errors import OneLogin_Saml2_Error
from requests import RequestException

from accounts.models import IdentityProvider, Protocol
from accounts.sso.adapter import saml_settings

DISCOVERY = "/.well-known/openid-configuration"


def find_trouble(provider: IdentityProvider) -> str:
    """Return what is wrong, as a sentence for the office; empty when all is well. Waits for a few seconds at the most."""
    try:
        return _ask_oidc(provider) if provider.protocol == Protocol.OIDC else _ask_saml(provider)
    except (RequestException, OSError):
        return _("It does not answer. Is the address right, and may this server reach it?")
    except (KeyError, ValueError, TypeError, AttributeError, LxmlError, OneLogin_Saml2_Error):
        return _("What it answers is not what an identity provider says. Is the address right?")


def _ask_oidc(provider: IdentityProvider) -> str:
    server = provider.server_url.rstrip("/")
    with get_adapter().get_requests_session() as session:
        answer = session.get(server if "/.well-known/" in server else server + DISCOVERY)
        answer.raise_for_status()
    said = answer.json()
    wanted = server.partition("/.well-known/")[0]
    if said["issuer"].rstrip("/") != wanted:
        return _("It calls itself %(issuer)s. The issuer must be written exactly so.") % {"issuer": said["issuer"]}
    said["authorization_endpoint"], said["token_endpoint"]
    return ""


def _ask_saml(provider: IdentityProvider) -> str:
    if not provider.metadata_url:
        return ""
    # What was read before may be out of date: a new certificate, perhaps, is why the office is here.
    cache.delete(f"saml.metadata.{provider.metadata_url}.{provider.entity_id}")
    found = fetch_metadata_url_config(saml_settings(provider)["idp"])["idp"]
    if not found.get("singleSignOnService") or not (found.get("x509cert") or found.get("x509certMulti")):
        return _("Its metadata name no sign-in address or no certificate for this entity id.")
    return ""
