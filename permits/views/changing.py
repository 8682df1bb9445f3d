"""The holder puts other vehicles on a permit, or lets another car stand in for one of them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.requests import SignedIn
from opscom.core.errors import DomainError
from permits import selectors
from permits.models import Permit, ReplacementCar
from permits.services.vehicles import (
    add_replacement_car,
    can_change_vehicles,
    can_have_replacement,
    change_vehicles,
    end_replacement_car,
)
from permits.vehicle_forms import ChangeVehiclesForm, ReplacementCarForm
from permits.views.own import own_permit
from vehicles.selectors import active_vehicles_of


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def vehicles(request: SignedIn, code: str) -> HttpResponse:
    """Show which vehicles the permit is for, and let its holder choose others of their own."""
    permit = own_permit(request, code)
    may = can_change_vehicles(permit)
    choices = selectors.vehicle_choices(permit.sale, active_vehicles_of(request.user))
    form = ChangeVehiclesForm(request.POST if request.method == "POST" else None, permit=permit, ownerships=choices)
    if may.is_allowed and form.is_valid():
        try:
            change_vehicles(permit=permit, vehicles=form.chosen_vehicles(), actor=request.user)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The vehicles of %(number)s are saved.") % {"number": permit.number})
            return redirect("permits:detail", permit.code)
    context = {"permit": permit, "may": may, "form": form}
    return render(request, "permits/permit_vehicles.html", context, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def replacement(request: SignedIn, code: str) -> HttpResponse:
    """Show the replacement cars that run or are planned, and let the holder name one more."""
    permit = own_permit(request, code)
    form = ReplacementCarForm(request.POST if request.method == "POST" else None, permit=permit)
    if form.is_valid() and _added(request, permit, form):
        return redirect("permits:replacement", permit.code)
    now = timezone.now()
    cars = permit.replacement_cars.filter(ends_at__gt=now).select_related("vehicle", "stands_in_for")
    context = {"permit": permit, "may": can_have_replacement(permit, starts_at=now), "form": form, "cars": cars}
    return render(request, "permits/permit_replacement.html", context, status=422 if form.is_bound else 200)


def _added(request: SignedIn, permit: Permit, form: ReplacementCarForm) -> bool:
    values = {name: form.cleaned_data[name] for name in ("plate", "region", "first_day", "last_day")}
    try:
        car = add_replacement_car(permit=permit, stands_in_for=form.chosen_vehicle(), actor=request.user, **values)
    except DomainError as error:
        form.add_error(None, str(error))
        return False
    messages.success(
        request, _("%(plate)s may park with %(number)s.") % {"plate": car.vehicle, "number": permit.number}
    )
    return True


@require_POST
def end_replacement(request: SignedIn, code: str, car_code: str) -> HttpResponse:
    """The permit's own car is back."""
    permit = own_permit(request, code)
    car = get_object_or_404(ReplacementCar.objects.visible_to(request.user).filter(permit=permit), code=car_code)
    try:
        end_replacement_car(car=car, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(plate)s does not park with this permit any more.") % {"plate": car.vehicle})
    return redirect("permits:replacement", permit.code)
