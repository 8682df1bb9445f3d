"""The waiting room of a sale on its first day: take a number, see where one stands, go in when it is one's turn."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.requests import SignedIn
from permits import waiting_room
from permits.models import Sale, SlotState


def _sale(sale_code: str) -> Sale:
    sales = Sale.objects.select_related("lot", "permit_type").filter(is_active=True, lot__is_visible=True)
    return get_object_or_404(sales, code=sale_code)


def address_of(sale: Sale) -> str:
    """Return the sale's card on the page of lots."""
    return f"{reverse('permits:list')}?open={sale.code}#sale-{sale.code}"


@require_POST
def enter(request: SignedIn, sale_code: str) -> HttpResponse:
    """Take a number; without a line, straight to the sale."""
    sale = _sale(sale_code)
    if not waiting_room.must_wait(sale, request.user, timezone.now()):
        return redirect(address_of(sale))
    return redirect("permits:queue", sale.code)


@never_cache
@require_safe
def queue(request: SignedIn, sale_code: str) -> HttpResponse:
    """Show the number and the place, asked again every few seconds; when it is one's turn, on to the sale."""
    sale, now = _sale(sale_code), timezone.now()
    number = waiting_room.find_number(sale, request.user)
    if number is None or not waiting_room.has_line(sale, now):
        return redirect(address_of(sale))
    turn = waiting_room.turn_of(sale, number, now)
    if turn.is_in:
        return _go_in(request, sale)
    has_free = sale.slots.filter(state=SlotState.FREE).exists()
    context = {"sale": sale, "turn": turn, "is_open": sale.opens_at <= now, "has_free": has_free}
    part = "permits/_queue.html" if request.htmx else "permits/queue.html"  # type: ignore[attr-defined]
    return render(request, part, context)


def _go_in(request: SignedIn, sale: Sale) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(address_of(sale))
    return redirect(address_of(sale))
