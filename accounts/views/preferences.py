"""`Email Preferences`, signed in."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from accounts.requests import SignedIn
from accounts.views.common import SECURITY, form_page
from opscom.messaging import preferences
from opscom.messaging.views import show_preferences


@never_cache
@form_page
def email_preferences(request: SignedIn) -> HttpResponse:
    """Which e-mails one gets; somebody without an address is led to where it stands."""
    if not preferences.are_on():
        raise Http404
    address = request.user.contact_email
    if not address:
        return redirect(SECURITY)
    return show_preferences(request, address=address, shown_address=address)
