"""What is let, choosing a locker, and renewing one."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.holds import can_buy
from accounts.models import User
from accounts.requests import SignedIn
from accounts.selectors import current_user_type
from lockers import selectors
from lockers.forms import ChooseForm
from lockers.models import Locker, LockerSale, Rental
from lockers.rules import is_for, sale_decision
from lockers.services.reserving import reserve_locker
from opscom.core.errors import DomainError
from opscom.provider.disclaimers import disclaimer_required
from opscom.provider.selectors import get_provider, local_date


@disclaimer_required("locker")
@require_safe
def locker_list(request: SignedIn) -> HttpResponse:
    """Show what this person rents, and the locations in which they may."""
    own = selectors.own_rentals(request.user)
    if not get_provider().is_lockers_on and not own:
        raise Http404
    now = timezone.now()
    context = {
        "rentals": own,
        "cards": selectors.sale_cards(request.user, now) if get_provider().is_lockers_on else [],
        "buying": can_buy(request.user, now),
    }
    return render(request, "lockers/locker_list.html", context)


@never_cache
@disclaimer_required("locker")
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: SignedIn, sale_code: str) -> HttpResponse:
    """Show the area's lockers as they stand; a POST reserves the chosen one and leads to the payments."""
    sale = find_sale(request.user, sale_code)
    now = timezone.now()
    cells = selectors.lockers_of(sale, now)
    form = ChooseForm(request.POST if request.method == "POST" else None, cells=cells)
    if form.is_bound and form.is_valid():
        rental = reserve(request, form, sale, form.chosen())
        if rental:
            return to_payments(request, rental)
    free = sum(cell.is_free for cell in cells)
    context: dict[str, Any] = {
        "sale": sale,
        "price": selectors.shown_price(sale),
        "form": form,
        "cells": cells,
        "grid": selectors.as_grid(cells),
        "free": free,
        "as_list": request.GET.get("view") == "list",
        "decision": sale_decision(sale, current_user_type(request.user, local_date(now)), now, renews=False),
        "chosen": form["locker"].value(),
    }
    return render(request, "lockers/choose.html", context, status=422 if form.is_bound else 200)


def find_sale(user: User, code: str) -> LockerSale:
    """Return the sale that the portal shows to this person, or answer 404."""
    sale = get_object_or_404(selectors.load_sales(), code=code)
    if not get_provider().is_lockers_on or not is_for(sale, current_user_type(user, local_date())):
        raise Http404
    return sale


def reserve(request: SignedIn, form: ChooseForm, sale: LockerSale, locker: Locker) -> Rental | None:
    """Reserve the locker; a refusal stands on the form."""
    try:
        return reserve_locker(renter=request.user, sale=sale, locker=locker, actor=request.user)
    except DomainError as error:
        form.add_error(None, str(error))
        return None


def to_payments(request: SignedIn, rental: Rental) -> HttpResponse:
    """Lead to the page `Payments Due`, whose step is then named `Next`."""
    held = _("Locker %(number)s is held for you. Pay to make it yours.") % {"number": rental.locker}
    messages.success(request, held)
    return redirect(f"{reverse('payments:due')}?{urlencode({'from': 'lockers'})}")


@disclaimer_required("locker")
@require_POST
def renew(request: SignedIn, code: str) -> HttpResponse:
    """Reserve the same locker for the next term."""
    rental = get_object_or_404(selectors.load_rentals().visible_to(request.user), code=code)
    sale = selectors.next_sale(rental, timezone.now())
    try:
        if sale is None:
            messages.error(request, _("This locker cannot be renewed now."))
            return redirect("lockers:detail", rental.code)
        renewal = reserve_locker(renter=request.user, sale=sale, locker=rental.locker, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("lockers:detail", rental.code)
    return to_payments(request, renewal)
