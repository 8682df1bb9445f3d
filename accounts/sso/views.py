"""The few addresses of single sign-on. All are public: who comes here is not signed in yet."""

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

import requests
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.openid_connect.views import callback
from allauth.socialaccount.providers.saml.views import acs
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe
from lxml.etree import LxmlError
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError

from accounts.decorators import refuse_foreign_hands
from accounts.models import IdentityProvider, Protocol
from accounts.sign_in import sign_in_by_provider
from accounts.sso.adapter import make_app
from accounts.sso.identity import read_identity
from accounts.sso.refusals import NotAdmitted, Why
from accounts.sso.saml import LONGEST_RESPONSE, FinishView, SignOutView, our_metadata
from accounts.sso.services import admit_person
from accounts.throttles import may_use_provider
from accounts.views.common import HOME
from opscom.core.redirects import is_own_path, safe_next

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]
# What comes from the other side may be anything, and the libraries stumble in their own ways.
NETWORK = (requests.RequestException, OSError)
NONSENSE = (
    *(KeyError, ValueError, TypeError, AttributeError, PermissionDenied, ImproperlyConfigured),
    *(LxmlError, OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError),
)


def step(protocol: Protocol | None = None) -> Callable[[View], View]:
    """Mark a view as one step of a single sign-on: public, counted, and with a page of ours for whatever goes wrong.

    Its second argument is the code of an identity provider that is switched on; of this protocol, where one is given.
    """

    def mark(view: View) -> View:
        @login_not_required
        @never_cache
        @wraps(view)
        def guarded(request: HttpRequest, **named: str) -> HttpResponse:
            if getattr(request, "acting_person", None):
                return refuse_foreign_hands(request)
            # allauth has a name of its own for it in each protocol.
            (code,) = named.values()
            offered = IdentityProvider.objects.filter(is_on=True)
            provider = get_object_or_404(offered.filter(protocol=protocol) if protocol else offered, code=code)
            # allauth reads the header itself, and very old clients send none.
            request.META.setdefault("HTTP_HOST", request.get_host())
            try:
                require_room(request)
                response = talk(view, request, provider)
                login = getattr(request, "verified_login", None)
                return come_in(request, login) if login else response
            except NotAdmitted as refused:
                return show_refusal(request, provider, refused)

        return guarded

    return mark


def require_room(request: HttpRequest) -> None:
    """Count this step; raises NotAdmitted when there were too many."""
    if not may_use_provider(request):
        raise NotAdmitted(Why.TOO_MANY)


def talk(view: View, request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """Let the libraries talk to the other side; whatever comes of its silence or nonsense is NotAdmitted."""
    try:
        return view(request, provider)
    except NETWORK as error:
        raise NotAdmitted(Why.UNREACHABLE) from error
    except NONSENSE as error:
        raise NotAdmitted(Why.FAILED) from error


def show_refusal(request: HttpRequest, provider: IdentityProvider, refused: NotAdmitted) -> HttpResponse:
    """Say why somebody does not come in, and what to do; the log names the cause, and nobody's data."""
    cause = refused.__cause__
    logger.warning("Single sign-on by %s: %s (%s)", provider.code, refused.why, type(cause).__name__ if cause else "-")
    context = {"provider_name": str(provider), "reason": str(refused)}
    return render(request, "accounts/sso_refused.html", context, status=refused.status)


@require_POST
@step()
def start(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """Send somebody to their identity provider, by a page of ours.

    Not by a redirect: a browser holds the policy of the page with the form against every address that a redirect leads
    to, and an identity provider may hand on to a third one, which nobody here knows.
    """
    target = safe_next(request, reverse(HOME))
    if request.user.is_authenticated:
        return redirect(target)
    # Built from nothing but `next`: allauth's own view also takes the process, the scope and more from the request.
    leaving = make_app(provider).get_provider(request).redirect(request, process=AuthProcess.LOGIN, next_url=target)
    if leaving.status_code != 302:
        raise NotAdmitted(Why.FAILED)
    return render(request, "accounts/sso_start.html", {"provider_name": str(provider), "url": leaving["Location"]})


@require_safe
@step(Protocol.OIDC)
def oidc_callback(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """Back from an OpenID Connect provider, with a code that allauth exchanges."""
    return callback(request, provider.code)


@csrf_exempt
@require_POST
@sensitive_post_parameters("SAMLResponse")
@step(Protocol.SAML)
def saml_acs(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """Back from a SAML provider: its form brings no session cookie, so allauth keeps it until the next request does."""
    if not 0 < len(request.POST.get("SAMLResponse", "")) <= LONGEST_RESPONSE:
        raise NotAdmitted(Why.FAILED)
    return acs(request, provider.code)


@require_safe
@step(Protocol.SAML)
def saml_finish(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """Verify what was kept, and let the person in."""
    return FinishView.as_view()(request, provider.code)


@csrf_exempt
@step(Protocol.SAML)
def saml_sign_out(request: HttpRequest, provider: IdentityProvider) -> HttpResponse:
    """The person signed out at the SAML provider: a signed message ends the session here, too."""
    names = {"SAMLRequest", "SAMLResponse"}
    if not names & set(request.GET) and not names & set(request.POST):
        raise Http404
    response = SignOutView.as_view()(request, provider.code)
    if response.status_code == HTTPStatus.BAD_REQUEST:
        raise NotAdmitted(Why.FAILED)
    return response


@login_not_required
@require_safe
def saml_metadata(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Our side for the SAML provider, to be read also before it is switched on."""
    provider = get_object_or_404(IdentityProvider, protocol=Protocol.SAML, code=organization_slug)
    return HttpResponse(our_metadata(request, make_app(provider)), content_type="application/samlmetadata+xml")


def come_in(request: HttpRequest, login: SocialLogin) -> HttpResponse:
    """Let in whom allauth has verified; raises NotAdmitted. The row is read again: it may have been switched off."""
    provider = IdentityProvider.objects.filter(is_on=True, code=login.account.provider).first()
    if provider is None:
        raise NotAdmitted(Why.FAILED)
    claims: Any = login.claims  # type: ignore[attr-defined]
    person = admit_person(identity=read_identity(login, provider, claims), language=get_language() or "en")
    target = login.state.get("next") or ""
    target = target if is_own_path(target) else reverse(HOME)
    return sign_in_by_provider(request, person=person, provider=provider.code, target=target)
