"""`Permit Rollover`: one switch, on the permit's page and under `Manage Credit Cards`."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.decorators import own_hands_only
from accounts.requests import SignedIn
from opscom.core.errors import DomainError, Refused
from payments.stored import has_cards_page
from permits.models import Permit
from permits.rollover_panel import carrier_of, make_panel
from permits.services import rollover
from permits.views.own import own_permit


@own_hands_only
@require_POST
def switch(request: SignedIn, code: str) -> HttpResponse:
    """Switch the permit's rollover on or off; without anything that pays, on to where that is chosen."""
    permit = carrier_of(own_permit(request, code))
    back = redirect("payments:cards") if request.POST.get("back") == "cards" else redirect("permits:detail", code)
    if request.POST.get("on") != "yes":
        return _switch_off(request, permit, back)
    decision = rollover.can_switch_on(permit, timezone.now())
    if isinstance(decision, Refused):
        messages.error(request, str(decision.reason))
        needs_method = decision.code == "no_method" and has_cards_page(request.user)
        return redirect("payments:cards") if needs_method else back
    try:
        rollover.switch_on(permit=permit, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        text = _("Permit Rollover is on for %(number)s. We write to you before anything is charged.")
        messages.success(request, text % {"number": permit.number})
    return back


def _switch_off(request: SignedIn, permit: Permit, back: HttpResponse) -> HttpResponse:
    try:
        rollover.switch_off(permit=permit, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
        return back
    panel = make_panel(permit, timezone.now())
    day = date_format(panel.ends_after, "DATE_FORMAT") if panel else ""
    text = _("Permit Rollover is off: %(number)s ends after %(day)s.") if day else _("Permit Rollover is off.")
    messages.success(request, text % {"number": permit.number, "day": day})
    return back
