"""`Get Temp Permit`: choose the time and the vehicle, `Check Availability`, `Reserve Permit`."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.requests import SignedIn
from accounts.selectors import current_user_type
from opscom.core.errors import DomainError
from opscom.provider.selectors import local_date
from permits import selectors
from permits.eligibility import is_shown, sale_conditions
from permits.models import Sale, TermKind
from permits.services.temporary import Wish, reserve_temporary
from permits.stay_quotes import quote_stay
from permits.temporary_forms import StayForm, TemporaryForm
from permits.views.shop import step_before
from vehicles.selectors import active_vehicles_of


def find_temporary_sale(user: User | None, sale_code: str) -> Sale:
    """Return the temporary sale behind the code; what the portal does not show to this person (None: a guest) is not found."""
    sales = selectors.load_sales().filter(permit_type__term_kind=TermKind.TEMPORARY)
    sale = get_object_or_404(sales, code=sale_code)
    user_type = current_user_type(user, local_date()) if user else None
    spaces = sale.lot.temporary_spaces
    if not is_shown(sale_conditions(sale, user_type, now=timezone.now(), allotted=spaces, free=spaces)):
        raise Http404
    return sale


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def temporary(request: SignedIn, sale_code: str) -> HttpResponse:
    """Show the form; with its fields in the address, what they cost and what is free; a POST reserves that."""
    sale = find_temporary_sale(request.user, sale_code)
    ownerships = list(active_vehicles_of(request.user))
    if before := step_before(request, ownerships):
        return before
    now, choices = timezone.now(), selectors.vehicle_choices(sale, ownerships)
    form = TemporaryForm(stay_data(request), sale=sale, now=now, ownerships=choices)
    context: dict[str, Any] = {"sale": sale, "kind": sale.permit_type, "form": form, "has_choice": bool(choices)}
    if form.is_bound and form.is_valid():
        wish = Wish(sale, form.stay, form.chosen_vehicle(), form.is_by_hours, holder=request.user)
        if request.method == "POST" and (onward := _reserve(request, wish)):
            return onward
        context |= {"quote": quote_stay(wish, now), "seen_at": form.seen_or_now, "hidden": list_hidden(form)}
    return render(request, "permits/temporary.html", context, status=422 if form.errors else 200)


def stay_data(request: HttpRequest) -> QueryDict | None:
    """Return what was typed: from the address when it is looked up, from the body when it is reserved."""
    if request.method == "POST":
        return request.POST
    return request.GET if "way" in request.GET else None


def list_hidden(form: StayForm) -> list[tuple[str, str]]:
    """Return the form's fields as typed, so that what was checked is what is reserved."""
    return [(name, form.data.get(name, "")) for name in form.fields if name != "seen_at"]


def read_shown(request: HttpRequest) -> Decimal:
    """Return the price that the page showed; one that nobody charges when it is missing or is no number."""
    try:
        shown = Decimal(request.POST.get("price", ""))
    except InvalidOperation:
        return Decimal(-1)
    return shown if shown.is_finite() else Decimal(-1)


def _reserve(request: SignedIn, wish: Wish) -> HttpResponse | None:
    """Hold the space, then on to the payments; a refusal stands above what is shown anew."""
    try:
        permit = reserve_temporary(wish, shown=read_shown(request), actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
        return None
    messages.success(request, _("%(number)s is held for you. Pay to make it yours.") % {"number": permit.number})
    return redirect("payments:due")
