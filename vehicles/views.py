"""A person's vehicles: the list with its switches, add, edit, remove."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.models import User
from accounts.requests import SignedIn
from opscom.core.errors import DomainError, Refused
from opscom.core.htmx import choose_template
from opscom.core.redirects import safe_next
from opscom.provider.selectors import get_provider, needs_agreement
from vehicles import services
from vehicles.entitlements import list_linked
from vehicles.forms import VehicleForm
from vehicles.models import Ownership
from vehicles.selectors import active_limit, active_vehicles_of, can_add_vehicle, can_remove, count_active, vehicles_of

PAGE_SIZE = 20
LIST = "vehicles:list"


@require_safe
def show_list(request: SignedIn) -> HttpResponse:
    """Show the person's vehicles; `next` is where they were sent from for want of one."""
    page = Paginator(vehicles_of(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    came_from = safe_next(request)
    context = {
        **count_facts(request.user),
        "page": page,
        "linked": list_linked(request.user),
        "next": came_from,
        "add_url": reverse("vehicles:add") + (f"?{urlencode({'next': came_from})}" if came_from else ""),
        "can_go_on": bool(came_from) and active_vehicles_of(request.user).exists(),
    }
    return render(request, "vehicles/vehicle_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: SignedIn) -> HttpResponse:
    """Add a vehicle: the disclaimer first, then the form, then back to where one came from."""
    if needs_agreement(request.user, "vehicle"):
        return redirect(f"{reverse('provider:agree', args=['vehicle'])}?{urlencode({'next': request.get_full_path()})}")
    form = VehicleForm(request.POST or None, provider=get_provider())
    if form.is_bound and form.is_valid():
        try:
            ownership = services.add_vehicle(owner=request.user, data=form.to_data(), actor=request.user)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(plate)s is in your list.") % {"plate": ownership.label})
            return redirect(safe_next(request, reverse(LIST)))
    context = {"form": form, "can_add": can_add_vehicle(request.user), "next": safe_next(request)}
    return render(request, "vehicles/vehicle_add.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedIn, code: str) -> HttpResponse:
    """Change a vehicle; another plate is a new one from now on."""
    ownership = own_vehicle(request, code)
    form = VehicleForm(request.POST or None, provider=get_provider(), ownership=ownership)
    if form.is_bound and form.is_valid():
        try:
            changed = services.change_vehicle(ownership=ownership, data=form.to_data(), actor=request.user)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(plate)s is saved.") % {"plate": changed.label})
            return redirect(safe_next(request, reverse(LIST)))
    context = {"form": form, "ownership": ownership, "next": safe_next(request)}
    return render(request, "vehicles/vehicle_edit.html", context)


@require_POST
@vary_on_headers("HX-Request")
def set_active(request: SignedIn, code: str) -> HttpResponse:
    """Switch a vehicle on or off: the form says which, so that a second click does not undo the first."""
    ownership = own_vehicle(request, code)
    refusal = None
    try:
        is_active = request.POST.get("is_active") == "1"
        ownership = services.set_vehicle_active(ownership=ownership, is_active=is_active, actor=request.user)
    except DomainError as error:
        refusal = Refused("refused", str(error))
    if choose_template(request, "full", "part") == "part":
        context = {
            **count_facts(request.user),
            "ownership": own_vehicle(request, code),
            "refusal": refusal,
            "return_to": safe_next(request),
        }
        return render(request, "vehicles/_switched.html", context)
    if refusal:
        messages.error(request, str(refusal.reason))
    return redirect(safe_next(request, reverse(LIST)))


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: SignedIn, code: str) -> HttpResponse:
    """Ask once, then take the vehicle out of the list; where that may not be, say why."""
    ownership = own_vehicle(request, code)
    decision = can_remove(ownership)
    if request.method == "POST":
        try:
            services.remove_vehicle(ownership=ownership, actor=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("%(plate)s is removed.") % {"plate": ownership.label})
        return redirect(LIST)
    return render(request, "vehicles/vehicle_remove.html", {"ownership": ownership, "decision": decision})


def own_vehicle(request: SignedIn, code: str) -> Ownership:
    """Return the person's vehicle behind the code; a stranger's is not found."""
    return get_object_or_404(vehicles_of(request.user), code=code)


def count_facts(user: User) -> dict[str, Any]:
    """Return what the head of the list and each row say besides the vehicles: all that a switch changes."""
    return {
        "can_add": can_add_vehicle(user),
        "active_count": count_active(user),
        "limit": active_limit(user),
        "is_deletion_on": get_provider().is_vehicle_deletion_on,
    }
