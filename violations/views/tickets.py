"""The tab `Appeals`: one's tickets, and each one's page."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.decorators import profile_not_required
from accounts.requests import SignedIn
from violations import selectors
from violations.forms.appeals import OwnSearchForm
from violations.models import Ticket

PAGE_SIZE = 20


@never_cache
@require_safe
def ticket_list(request: SignedIn) -> HttpResponse:
    """Show the tickets that are linked to this account, the newest first."""
    form = OwnSearchForm(request.GET)
    search = form.cleaned_data["q"] if form.is_valid() else ""
    page = Paginator(selectors.tickets_of(request.user, search=search), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [selectors.view_ticket(ticket, request.user) for ticket in page]
    return render(request, "violations/ticket_list.html", {"form": form, "search": search, "page": page, "rows": rows})


# Paying a ticket never waits for a complete profile.
@profile_not_required  # type: ignore[type-var]
@never_cache
@require_safe
def ticket(request: SignedIn, code: str) -> HttpResponse:
    """Show one ticket: what it costs and when, what happened, and where its appeal stands."""
    found = get_object_or_404(selectors.load_ticket(Ticket.objects.visible_to(request.user)), code=code)
    view = selectors.view_ticket(found, request.user)
    appeals = [one for one in found.appeals.all() if one.person_id == request.user.pk]
    context = {
        "view": view,
        "ticket": found,
        "appeals": appeals,
        "ownership": selectors.own_vehicle(found, request.user),
        "link": selectors.live_link(found, request.user),
        # Who pays for whom is decided in the cart; somebody else's appeal is nobody's business here.
        "may_pay": view.is_payable and Ticket.objects.payable_by(request.user).filter(pk=found.pk).exists(),
    }
    return render(request, "violations/ticket.html", context)
