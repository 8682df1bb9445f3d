"""`Email Preferences`, signed in."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.requests import SignedIn
from accounts.views.common import SECURITY, form_page
from opscom.messaging import preferences
from opscom.messaging.views import show_preferences


@never_cache
@form_page
def email_preferences(request: SignedIn) -> HttpResponse:
    """Which e-mails one gets. Only who has proved the address decides for it; others are led to where that is done."""
    if not preferences.are_on():
        raise Http404
    if not request.user.is_email_proved:
        messages.info(request, _("Confirm your e-mail address first."))
        return redirect(SECURITY)
    address = request.user.contact_email
    return show_preferences(request, address=address, shown_address=address)
