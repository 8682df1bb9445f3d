"""A guest's order: back from the gateway, waiting, and the receipt. The signed address is the key to it."""

from collections.abc import Collection

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from payments import selectors
from payments.choices import Choice, explain_method
from payments.guests import guest_path, read_token
from payments.models import Order, OrderStatus, Payment
from payments.offers import offered_methods
from payments.services.confirming import confirm_payment, leave_page
from payments.views.receipts import hand_out_pdf, render_receipt
from payments.views.returns import explain_end, render_waiting


def guest_choices(kinds: Collection[str]) -> list[Choice]:
    """Return how a guest may pay for these kinds of things: by card alone, as the database has it for guests' methods."""
    methods = offered_methods(payer=None, kinds=kinds)
    return [Choice(method.code, str(method), explain_method(method)) for method in methods]


def guest_order(token: str) -> Order:
    """Return the order behind a guest's address; not found when we did not sign it, or when it is somebody's own."""
    pk = read_token(token)
    if pk is None:
        raise Http404
    return get_object_or_404(selectors.receipts(), pk=pk, payer=None)


@login_not_required
@never_cache
@require_safe
def order_page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask the gateway what became of the guest's payment; the confirmation once it is paid, a page that waits until then."""
    order = guest_order(token)
    payment = order.payments.order_by("pk").last()
    if order.status != OrderStatus.PAID and payment:
        if "left" in request.GET:
            leave_page(payment)
        confirm_payment(payment)
        order, payment = guest_order(token), Payment.objects.get(pk=payment.pk)
    if order.status == OrderStatus.PAID:
        return _receipt(request, order)
    words = explain_end(payment) if payment else None
    if words or payment is None:
        messages.error(request, words or "")
        return _go(request, next((line.url for line in order.lines.all() if line.url), reverse("account_login")))
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    return render_waiting(request, payment)


def _receipt(request: HttpRequest, order: Order) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(guest_path(order))
    return render_receipt(request, order, pdf_path=guest_path(order, "guest-pdf"))


def _go(request: HttpRequest, path: str) -> HttpResponse:
    return HttpResponseClientRedirect(path) if request.htmx else redirect(path)  # type: ignore[attr-defined]


@login_not_required
@never_cache
@require_safe
def receipt_pdf(request: HttpRequest, token: str) -> HttpResponseBase:
    """The guest's receipt as a PDF; while a worker makes it, a page that waits."""
    order = guest_order(token)
    if order.status != OrderStatus.PAID:
        raise Http404
    return hand_out_pdf(request, order, receipt_path=guest_path(order))
