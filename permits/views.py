"""Permits: what is for sale, reserve, the permit's own page, print, and the public status behind the QR code."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.holds import can_buy
from accounts.requests import SignedIn
from opscom.core.errors import DomainError, NotAllowed
from opscom.provider.selectors import needs_agreement
from permits import selectors
from permits.forms import ReserveForm
from permits.models import Permit, PermitStatus, Sale
from permits.services import documents, holding
from permits.services.reserving import reserve_permit
from permits.validity import describe_validity
from vehicles.models import Ownership
from vehicles.selectors import active_vehicles_of


@require_safe
def permit_list(request: SignedIn) -> HttpResponse:
    """Show what this person holds and what they may buy; first the disclaimer, then, without a vehicle, `Vehicles`."""
    ownerships = list(active_vehicles_of(request.user))
    return _step_before(request, ownerships) or _render_list(request, ownerships)


def _step_before(request: SignedIn, ownerships: list[Ownership]) -> HttpResponse | None:
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
    context = {"rows": rows, "permits": selectors.live_permits_of(request.user), "failed": failed, "buying": buying}
    return render(request, "permits/permit_list.html", context, status=422 if failed else 200)


def _offer_row(
    offer: selectors.Offer, ownerships: list[Ownership], failed: ReserveForm | None, opened: str
) -> dict[str, Any]:
    sale = offer.sale
    choices = selectors.vehicle_choices(sale, ownerships)
    form = failed if failed and failed.prefix == sale.code else ReserveForm(sale=sale, ownerships=choices)
    return {"offer": offer, "form": form, "is_open": form is failed or sale.code == opened, "has_choice": bool(choices)}


@require_POST
def reserve(request: SignedIn, sale_code: str) -> HttpResponse:
    """Hold a number, then on to the payments; a refusal stands on the lot's card."""
    sale = get_object_or_404(Sale.objects.select_related("lot", "permit_type"), code=sale_code)
    ownerships = list(active_vehicles_of(request.user))
    before = _step_before(request, ownerships)
    if before:
        return before
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
    context = {
        "permit": permit,
        "is_valid_now": selectors.is_valid_now(permit, now),
        "payment_words": selectors.explain_payment(permit),
        "is_held": permit.status == PermitStatus.RESERVED and permit.held_until is not None and permit.held_until > now,
        "places": describe_validity(permit.permit_type, permit.lot),
        "print_decision": documents.can_print(permit, now=now) if is_printable else None,
        "printed": printed,
        "is_fetchable": documents.is_fetchable(printed, now),
        "is_ready": is_printable and documents.has_document(permit),
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


@login_not_required
@never_cache
@require_safe
def status(request: HttpRequest, public_code: str) -> HttpResponse:
    """Say to anyone who scans the QR code whether the permit is valid: no names, no plates."""
    permit = get_object_or_404(selectors.load_permits(), public_code=public_code)
    context = {
        "permit": permit,
        "is_valid_now": selectors.is_valid_now(permit),
        "payment_words": selectors.explain_payment(permit),
        "places": describe_validity(permit.permit_type, permit.lot),
        "now": timezone.now(),
    }
    return render(request, "permits/permit_status.html", context)
