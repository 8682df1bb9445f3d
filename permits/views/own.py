"""A permit's own page: its facts, its print, its hold."""

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import SignedIn
from opscom.core.errors import DomainError, NotAllowed
from permits import selectors
from permits.closures import closures_for
from permits.models import Permit, PermitStatus
from permits.price_words import describe_price, is_worth_explaining
from permits.rollover_panel import make_panel
from permits.services import documents, holding
from permits.services.ending import can_end_early
from permits.services.vehicles import can_change_vehicles
from permits.validity import describe_validity


def own_permit(request: SignedIn, code: str) -> Permit:
    """Return the person's permit behind the code; a stranger's is not found."""
    return get_object_or_404(selectors.load_permits().visible_to(request.user), code=code)


@never_cache
@require_safe
def detail(request: SignedIn, code: str) -> HttpResponse:
    """Show `Permit Information`, with what may be done now."""
    permit = own_permit(request, code)
    now = timezone.now()
    printed = documents.last_print(permit)
    is_printable = permit.status in documents.PRINTABLE
    closures = closures_for(permit, now)
    context = {
        "permit": permit,
        "closures": closures,
        "is_valid_now": selectors.is_valid_now(permit, now, closures=closures),
        "payment_words": selectors.explain_payment(permit),
        "is_held": permit.status == PermitStatus.RESERVED and permit.held_until is not None and permit.held_until > now,
        "places": describe_validity(permit.permit_type, permit.lot),
        "print_decision": documents.can_print(permit, now=now) if is_printable else None,
        "printed": printed,
        "is_fetchable": documents.is_fetchable(printed, now),
        "is_ready": is_printable and documents.has_document(permit),
        "rollover": None if request.htmx else make_panel(permit, now),  # type: ignore[attr-defined]
        "price_lines": describe_price(permit.price_parts) if is_worth_explaining(permit.price_parts) else [],
        "replacements": permit.replacement_cars.running_at(now).select_related("vehicle", "stands_in_for"),
        "deeds": {
            "vehicles": can_change_vehicles(permit).is_allowed,
            "replacement": permit.status == PermitStatus.ACTIVE and permit.permit_type.replacement_car_days > 0,
            "end": can_end_early(permit, now).is_allowed,
        },
    }
    part = "permits/_print.html" if request.htmx else "permits/permit_detail.html"  # type: ignore[attr-defined]
    return render(request, part, context)


@require_POST
def print_permit(request: SignedIn, code: str) -> HttpResponseBase:
    """Download the PDF and use one print; while the file is still being made, back to the page that waits for it."""
    permit = own_permit(request, code)
    try:
        document = documents.print_permit(permit=permit, actor=request.user)
    except NotAllowed as error:
        messages.error(request, str(error))
        return redirect("permits:detail", permit.code)
    if document is None:
        documents.ask_for_document(permit)
        return redirect("permits:detail", permit.code)
    name = f"{permit.number}.pdf"
    return FileResponse(document.file.open("rb"), as_attachment=True, filename=name, content_type="application/pdf")


@require_POST
def extend(request: SignedIn, code: str) -> HttpResponse:
    """Prolong the hold, once."""
    permit = own_permit(request, code)
    try:
        holding.extend_hold(permit=permit, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(number)s is held for you longer.") % {"number": permit.number})
    return redirect("payments:due")


@require_http_methods(["GET", "HEAD", "POST"])
def give_back(request: SignedIn, code: str) -> HttpResponse:
    """Ask once, then give the reservation back."""
    permit = own_permit(request, code)
    if request.method != "POST":
        return render(request, "permits/permit_give_back.html", {"permit": permit})
    try:
        holding.give_back_reservation(permit=permit, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(number)s is given back.") % {"number": permit.number})
    return redirect("permits:list")
