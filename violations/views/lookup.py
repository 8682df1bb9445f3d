"""`Lookup All Tickets`: find a ticket of somebody else's vehicle, link the vehicle, and appeal."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.requests import SignedIn
from accounts.selectors import require_proved
from accounts.views.common import too_many
from opscom.core.errors import Decision, DomainError
from violations import selectors, throttles
from violations.forms.appeals import LookupForm
from violations.models import Ticket
from violations.services.associating import associate
from violations.views.common import form_page, needs_switch


@needs_switch("is_appeals_on")
@never_cache
@form_page
def lookup(request: SignedIn) -> HttpResponse:
    """Search by number and PIN, which opens the ticket, or by plate, which says only that one can be appealed."""
    decision = require_proved(request.user, "ticket_search")
    form = LookupForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _render(request, form, decision, status=422 if form.errors else 200)
    if not decision.is_allowed:
        return _render(request, form, decision, status=403)
    if not (throttles.may_search_plates(request.user.code) and throttles.may_look_up(request)):
        form.add_error("q", too_many())
        return _render(request, form, decision, status=429)
    typed = form.cleaned_data["q"]
    ticket = selectors.find_by_number(typed)
    if ticket:
        return redirect("violations:found", ticket.pay_code)
    context = {"found": selectors.appealable_of_plate(typed), "searched": typed}
    return _render(request, form, decision, **context)


def _render(
    request: SignedIn, form: LookupForm, decision: Decision, *, status: int = 200, **context: object
) -> HttpResponse:
    return render(request, "violations/lookup.html", {"form": form, "decision": decision, **context}, status=status)


@needs_switch("is_appeals_on")
@never_cache
@form_page
def found(request: SignedIn, pay_code: str) -> HttpResponse:
    """Show the ticket behind number and PIN; `Request Appeal` asks first, `Associate` links the vehicle."""
    ticket = get_object_or_404(selectors.load_ticket(Ticket.objects.all()), pay_code=pay_code)
    if Ticket.objects.visible_to(request.user).filter(pk=ticket.pk).exists():
        return redirect("violations:ticket", ticket.code)
    if request.method == "POST":
        try:
            associate(ticket=ticket, person=request.user)
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("violations:found", pay_code)
        messages.success(request, _("The vehicle is associated with your profile. You can appeal its ticket now."))
        # The page opens at the button that comes next.
        return redirect(f"{reverse('violations:ticket', args=[ticket.code])}#request-appeal")
    view = selectors.view_ticket(ticket, request.user)
    context = {"ticket": ticket, "view": view, "asks": "associate" in request.GET}
    return render(request, "violations/found.html", context)
