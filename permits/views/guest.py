"""The sign's QR code: parking for a while without an account. Plate, time, e-mail, card."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.views.common import too_many
from opscom.core.errors import DomainError
from opscom.core.middleware import allow_forms_to
from opscom.provider.models import Lot
from opscom.provider.selectors import current_disclaimer
from payments.forms.checkout import GuestPaymentForm
from payments.gateways.registry import form_origins
from payments.services.paying import pay_as_guest
from payments.views.checkout import go_to_gateway
from payments.views.guests import guest_choices
from permits import selectors
from permits.purchasable import PermitPurchase
from permits.services.temporary import Guest, Wish, reserve_temporary
from permits.stay_quotes import quote_stay
from permits.temporary_forms import GuestStayForm
from permits.throttles import may_buy_as_guest
from permits.views.temporary import find_temporary_sale, list_hidden, read_shown, stay_data


@login_not_required
@never_cache
@require_safe
def lot(request: HttpRequest, lot_code: str) -> HttpResponse:
    """What the lot sells by the sign: straight to it when it is one thing. Who is signed in buys with their account."""
    found = get_object_or_404(Lot.objects.visible(), code__iexact=lot_code)
    if request.user.is_authenticated:
        offers = [offer for card in selectors.lot_cards(request.user) if card.lot == found for offer in card.temporary]
    else:
        offers = selectors.guest_offers(found)
    address = "permits:temporary" if request.user.is_authenticated else "park:stay"
    if len(offers) == 1:
        return redirect(address, offers[0].sale.code)
    return render(request, "permits/guest_lot.html", {"lot": found, "offers": offers, "address": address})


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stay(request: HttpRequest, sale_code: str) -> HttpResponse:
    """Choose the time and the plate, see the price; a POST holds the space and leads to the gateway's page."""
    sale = find_temporary_sale(None, sale_code)
    if not sale.permit_type.is_for_guests:
        raise Http404
    now, kind = timezone.now(), sale.permit_type
    form = GuestStayForm(stay_data(request), sale=sale, now=now)
    context: dict[str, Any] = {"sale": sale, "kind": kind, "form": form, "disclaimer": current_disclaimer("permit")}
    if form.is_bound and form.is_valid():
        wish = Wish(sale, form.stay, form.find_vehicle(), form.is_by_hours)
        data = request.POST if request.method == "POST" else None
        payment = GuestPaymentForm(data, choices=guest_choices({PermitPurchase.kind}))
        if data is not None and payment.is_valid() and (onward := _pay(request, wish, payment)):
            return onward
        context |= {"quote": quote_stay(wish, now), "seen_at": form.seen_or_now, "hidden": list_hidden(form)}
        context["payment"] = payment
    response = render(request, "permits/guest_stay.html", context, status=_status(context))
    return allow_forms_to(response, form_origins())


def _status(context: dict[str, Any]) -> int:
    payment = context.get("payment")
    return 422 if context["form"].errors or (payment is not None and payment.errors) else 200


def _pay(request: HttpRequest, wish: Wish, form: GuestPaymentForm) -> HttpResponse | None:
    """Return the way to the gateway; what is refused becomes an error of the form."""
    if not may_buy_as_guest(request):
        form.add_error(None, too_many())
        return None
    guest = Guest(form.cleaned_data["email"], request.LANGUAGE_CODE)
    try:
        permit = reserve_temporary(
            Wish(wish.sale, wish.stay, wish.vehicle, wish.by_hours, guest=guest), shown=read_shown(request)
        )
        answer = pay_as_guest(
            selection={PermitPurchase.kind: [permit.pk]},
            method_code=form.cleaned_data["method"],
            email=guest.email,
            language=guest.language,
        )
    except DomainError as error:
        form.add_error(None, str(error))
        return None
    return go_to_gateway(answer)
