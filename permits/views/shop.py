"""What is for sale for this person, and reserving it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.holds import can_buy
from accounts.requests import SignedIn
from opscom.core.errors import DomainError
from opscom.provider.selectors import needs_agreement
from permits import selectors
from permits.forms import ReserveForm
from permits.models import Sale
from permits.services.reserving import reserve_permit
from permits.waiting_room import must_wait
from vehicles.models import Ownership
from vehicles.selectors import active_vehicles_of


@require_safe
def permit_list(request: SignedIn) -> HttpResponse:
    """Show what this person holds and what they may buy; first the disclaimer, then, without a vehicle, `Vehicles`."""
    ownerships = list(active_vehicles_of(request.user))
    return step_before(request, ownerships) or _render_list(request, ownerships)


def step_before(request: SignedIn, ownerships: list[Ownership]) -> HttpResponse | None:
    """Return the way to what comes first: a vehicle, then the disclaimer; None when both are there."""
    here = urlencode({"next": request.get_full_path() if request.method == "GET" else reverse("permits:list")})
    if not ownerships:
        messages.info(request, _("Permits belong to vehicles: add yours first, then choose a lot."))
        return redirect(f"{reverse('vehicles:list')}?{here}")
    if needs_agreement(request.user, "permit"):
        return redirect(f"{reverse('provider:agree', args=['permit'])}?{here}")
    return None


def _render_list(request: SignedIn, ownerships: list[Ownership], failed: ReserveForm | None = None) -> HttpResponse:
    """`failed` is the bound form of the sale that was refused: its card stands open with the reason."""
    buying = can_buy(request.user, timezone.now())
    cards = selectors.lot_cards(request.user, buying=buying)
    opened = request.GET.get("open", "")
    rows = [(card, [_offer_row(offer, ownerships, failed, opened) for offer in card.offers]) for card in cards]
    context = {
        "rows": rows,
        "opened": opened,
        "permits": selectors.live_permits_of(request.user),
        "failed": failed,
        "buying": buying,
    }
    return render(request, "permits/permit_list.html", context, status=422 if failed else 200)


def _offer_row(
    offer: selectors.Offer, ownerships: list[Ownership], failed: ReserveForm | None, opened: str
) -> dict[str, Any]:
    sale = offer.sale
    choices = selectors.vehicle_choices(sale, ownerships)
    form = failed if failed and failed.prefix == sale.code else ReserveForm(sale=sale, ownerships=choices)
    return {
        "offer": offer,
        "form": form,
        "waiting_form": ReserveForm(sale=sale, ownerships=choices, auto_id="wait_%s", prefers_first=True),
        "is_open": form is failed or sale.code == opened,
        "has_choice": bool(choices),
    }


@require_POST
def reserve(request: SignedIn, sale_code: str) -> HttpResponse:
    """Hold a number, then on to the payments; a refusal stands on the lot's card."""
    sale = get_object_or_404(Sale.objects.select_related("lot", "permit_type"), code=sale_code)
    ownerships = list(active_vehicles_of(request.user))
    before = step_before(request, ownerships)
    if before:
        return before
    if must_wait(sale, request.user, timezone.now()):
        return redirect("permits:queue", sale.code)
    form = ReserveForm(request.POST, sale=sale, ownerships=selectors.vehicle_choices(sale, ownerships))
    if form.is_valid():
        try:
            permit = reserve_permit(holder=request.user, sale=sale, vehicles=form.chosen_vehicles(), actor=request.user)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request, _("%(number)s is held for you. Pay to make it yours.") % {"number": permit.number}
            )
            return redirect("payments:due")
    return _render_list(request, ownerships, failed=form)
