"""`Email Preferences` by the link in a mail."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from opscom.core.addresses import throttle_address
from opscom.core.throttles import allow
from opscom.messaging import preferences
from opscom.messaging.forms import PreferencesForm, mask_address

ONE_CLICK = "List-Unsubscribe"


# The link is the proof, whatever cookies come with it: a mail program's one click brings none, and no CSRF token.
@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show and save the preferences of the address that the link names. Opening it changes nothing."""
    if not preferences.are_on():
        raise Http404
    if not allow("preferences.client", throttle_address(request), limit=300, seconds=600):
        return render(request, "messaging/too_many.html", status=429)
    try:
        ticket = preferences.read_link(token)
    except preferences.LinkAltered as error:
        raise Http404 from error
    if request.method == "POST" and ONE_CLICK in request.POST:
        preferences.switch_off(address=ticket.address, category=ticket.category)
        return HttpResponse(_("You are unsubscribed."), content_type="text/plain; charset=utf-8")
    return show_preferences(request, address=ticket.address, shown_address=mask_address(ticket.address))


def show_preferences(request: HttpRequest, *, address: str, shown_address: str) -> HttpResponse:
    """Answer the page for this address: show it, tick all without saving, or save what is ticked."""
    actor = request.user if request.user.is_authenticated else None
    form = PreferencesForm(request.POST if request.method == "POST" else None, address=address)
    if form.is_bound and form.is_valid() and not form.is_toggled:
        preferences.save_choices(address=address, wanted=form.cleaned_data["wanted"], actor=actor)
        messages.success(request, _("Your e-mail preferences are saved."))
        return redirect(request.get_full_path())
    context = {"form": form, "address": shown_address, "essential": preferences.list_essential()}
    return render(request, "messaging/preferences.html", context)
