"""`Waitlist`: join, see one's position, leave; and what is offered: look at it, decline it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import SignedIn
from opscom.core.errors import DomainError
from opscom.provider.selectors import get_provider
from permits import selectors
from permits.forms import ReserveForm
from permits.models import EntryStatus, PermitStatus, Sale, WaitlistEntry, WaitlistOffer
from permits.price_words import describe_price
from permits.services.ending import quote_early_end
from permits.services.offering import MOST_LAPSES, decline_offer
from permits.services.waiting import join_waitlist, leave_waitlist
from permits.views.shop import step_before
from permits.waitlists import standings_of
from vehicles.selectors import active_vehicles_of


def _back_to(sale_code: str) -> str:
    return f"{reverse('permits:list')}?open={sale_code}#waitlist-{sale_code}"


@require_POST
def join(request: SignedIn, sale_code: str) -> HttpResponse:
    """Stand at the end of the line; a refusal is said above the lots."""
    sale = get_object_or_404(Sale.objects.select_related("lot", "permit_type"), code=sale_code)
    ownerships = list(active_vehicles_of(request.user))
    if before := step_before(request, ownerships):
        return before
    choices = selectors.vehicle_choices(sale, ownerships)
    form = ReserveForm(request.POST, sale=sale, ownerships=choices)
    if choices and not form.is_valid():
        messages.error(request, "; ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect(_back_to(sale.code))
    # Without a vehicle of the right kind one may wait; an offer then asks for one.
    vehicle = form.chosen_vehicles()[0] if choices else None
    try:
        join_waitlist(person=request.user, sale=sale, vehicle=vehicle, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("You are on the waitlist. We write to you when a permit can be offered."))
    return redirect(_back_to(sale.code))


def own_entry(request: SignedIn, code: str) -> WaitlistEntry:
    """Return the person's place behind the code; a stranger's is not found."""
    entries = WaitlistEntry.objects.visible_to(request.user)
    return get_object_or_404(entries.select_related("waitlist__lot", "waitlist__permit_type", "person"), code=code)


@never_cache
@require_safe
def standing(request: SignedIn, code: str) -> HttpResponse:
    """Return the live position, for the page that asks again and again; once an offer came, a line that leads to it."""
    entry = own_entry(request, code)
    entries = WaitlistEntry.objects.filter(pk=entry.pk)
    is_shown = get_provider().is_waitlist_rank_shown and entry.status == EntryStatus.WAITING
    place = standings_of(entries, timezone.now()).get(entry.pk) if is_shown else None
    return render(request, "permits/_standing.html", {"entry": entry, "standing": place, "is_live": True})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: SignedIn, code: str) -> HttpResponse:
    """Ask once, then leave the list."""
    entry = own_entry(request, code)
    if request.method != "POST":
        return render(request, "permits/waitlist_leave.html", {"entry": entry})
    try:
        leave_waitlist(entry=entry, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("You have left the waitlist."))
    return redirect("permits:list")


def own_offer(request: SignedIn, code: str) -> WaitlistOffer:
    """Return the offer of the person's permit behind the code; a stranger's is not found."""
    offers = WaitlistOffer.objects.filter(permit__in=selectors.load_permits().visible_to(request.user))
    offers = offers.select_related(
        "permit__sale__lot", "permit__sale__permit_type", "gives_back__sale__lot", "gives_back__sale__permit_type"
    )
    return get_object_or_404(offers.select_related("entry__waitlist", "entry__person"), permit__code=code)


@never_cache
@require_safe
def offer(request: SignedIn, code: str) -> HttpResponse:
    """Show what is offered until when, what it costs, and which permit is given back for it with how much money."""
    found = own_offer(request, code)
    permit, now = found.permit, timezone.now()
    if permit.status != PermitStatus.RESERVED:
        return redirect("permits:detail", code)
    old = found.gives_back
    context = {
        "offer": found,
        "permit": permit,
        "lines": describe_price(permit.price_parts),
        "money_back": quote_early_end(old, now).amount if old and get_provider().refunds_on_exchange else None,
        "is_last": found.entry.lapses + 1 >= MOST_LAPSES,
    }
    return render(request, "permits/offer.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def decline(request: SignedIn, code: str) -> HttpResponse:
    """Ask whether to keep waiting, then let the number go to the next in line."""
    found = own_offer(request, code)
    if request.method != "POST":
        return render(request, "permits/offer_decline.html", {"offer": found, "permit": found.permit})
    try:
        decline_offer(offer=found, stays="stays" in request.POST, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The offer is declined: it goes to the next in line."))
    return redirect("permits:list")
