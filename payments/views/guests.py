"""A guest's order: back from the gateway, waiting, and the receipt. The signed address is the key to it."""

from collections.abc import Collection

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from payments import documents, selectors
from payments.choices import Choice, explain_method
from payments.gateways.base import Embedded, Redirect
from payments.guests import guest_path, read_token
from payments.models import MethodKind, Order, OrderStatus, Payment
from payments.offers import offered_methods
from payments.services.confirming import confirm_payment, leave_page
from payments.services.settling import explain_review
from payments.views.returns import explain_end


def guest_choices(kinds: Collection[str]) -> list[Choice]:
    """Return how a guest may pay for these kinds of things: at once, on a gateway's page. Guests promise nothing."""
    methods = [one for one in offered_methods(payer=None, kinds=kinds) if one.kind == MethodKind.CARD]
    return [Choice(method.code, str(method), explain_method(method)) for method in methods]


def go_to_gateway(answer: Redirect | Embedded) -> HttpResponseRedirect:
    """Lead a guest to the gateway's own page."""
    if not isinstance(answer, Redirect):
        raise TypeError("There is no page yet for a gateway's embedded form.")
    return HttpResponseRedirect(answer.url)


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
    context = {"payment": payment, "order": order, "review_words": explain_review(), "own_path": guest_path(order)}
    return render(request, "payments/guest_waiting.html", context)


def _receipt(request: HttpRequest, order: Order) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(guest_path(order))
    described = selectors.describe_receipt(order)
    context = {"receipt": described, "order": order, "pdf_path": guest_path(order, "guest-pdf")}
    return render(request, "payments/receipt.html", context)


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
    document = documents.current_document(order)
    is_htmx = request.htmx  # type: ignore[attr-defined]
    if document and not is_htmx:
        name = f"{order.code}.pdf"
        return FileResponse(document.file.open("rb"), as_attachment=True, filename=name, content_type="application/pdf")
    if not document:
        documents.ask_for_receipt(order)
        if is_htmx:
            return HttpResponse(status=204)
    template = "payments/_receipt_ready.html" if is_htmx else "payments/receipt_wait.html"
    paths = {"pdf_path": guest_path(order, "guest-pdf"), "receipt_path": guest_path(order)}
    return render(request, template, {"order": order, **paths})
