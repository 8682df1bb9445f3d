"""A rental's own page: where the locker is, how it opens, its hold and its end."""

import mimetypes

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import SignedIn
from lockers import selectors
from lockers.models import Area, Rental, RentalStatus
from lockers.services import holding
from lockers.services.closing import has_begun
from lockers.services.combinations import combination_for
from opscom.core.context import office_acts
from opscom.core.errors import DomainError


def own_rental(request: SignedIn, code: str) -> Rental:
    """Return the person's rental behind the code; a stranger's is not found."""
    return get_object_or_404(selectors.load_rentals().visible_to(request.user), code=code)


@never_cache
@sensitive_variables()
@require_safe
def detail(request: SignedIn, code: str) -> HttpResponse:
    """Show the rental, with the combination for who has paid and whose time has begun."""
    rental = own_rental(request, code)
    now = timezone.now()
    is_active = rental.status == RentalStatus.ACTIVE
    context = {
        "rental": rental,
        "area": rental.locker.area,
        "is_held": rental.status == RentalStatus.RESERVED and rental.held_until is not None and rental.held_until > now,
        "is_active": is_active,
        "has_begun": is_active and has_begun(rental, now),
        "combination": None if office_acts() else combination_for(rental, now),
        "office_acts": office_acts(),
        "renewal_sale": selectors.next_sale(rental, now),
    }
    return render(request, "lockers/detail.html", context)


@require_POST
def extend(request: SignedIn, code: str) -> HttpResponse:
    """Prolong the hold, once."""
    rental = own_rental(request, code)
    try:
        holding.extend_hold(rental=rental, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(number)s is held for you longer.") % {"number": rental.locker})
    return redirect("payments:due")


@require_http_methods(["GET", "HEAD", "POST"])
def give_back(request: SignedIn, code: str) -> HttpResponse:
    """Ask once, then give the reservation back, or the running rental before its time."""
    rental = own_rental(request, code)
    if request.method != "POST":
        return render(request, "lockers/give_back.html", {"rental": rental})
    is_active = rental.status == RentalStatus.ACTIVE
    try:
        if is_active:
            holding.leave_early(rental=rental, actor=request.user)
        else:
            holding.give_back(rental=rental, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Locker %(number)s is given back.") % {"number": rental.locker})
    return redirect("lockers:list")


@require_safe
def photo(request: SignedIn, code: str) -> FileResponse:
    """Show the photo of an area to anyone signed in; its content was checked when the office stored it."""
    area = get_object_or_404(Area.objects.exclude(photo=""), code=code)
    content_type = mimetypes.guess_type(area.photo.name or "")[0]
    if content_type not in {"image/png", "image/jpeg"}:
        raise Http404
    try:
        response = FileResponse(area.photo.open("rb"), content_type=content_type)
    except FileNotFoundError as error:
        raise Http404 from error
    response["Cache-Control"] = "private, max-age=600"
    response["Content-Disposition"] = "inline"
    return response
