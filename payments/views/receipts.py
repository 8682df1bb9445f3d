"""The receipt, on a page and as a PDF."""

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import SignedIn
from payments import documents, receipt_parts, selectors
from payments.models import Order, OrderStatus


def own_receipt(request: SignedIn, code: str) -> Order:
    """Return the person's paid order behind the code; a stranger's is not found, nor one that is not paid."""
    return get_object_or_404(selectors.receipts().visible_to(request.user), code=code, status=OrderStatus.PAID)


@never_cache
@require_safe
def receipt(request: SignedIn, code: str) -> HttpResponse:
    """Show what was paid, with its confirmation code."""
    order = own_receipt(request, code)
    return render_receipt(request, order, pdf_path=reverse("payments:receipt-pdf", args=[code]))


def render_receipt(request: HttpRequest, order: Order, *, pdf_path: str) -> HttpResponse:
    """Show the receipt of an order that came from `selectors.receipts()`."""
    described = selectors.describe_receipt(order)
    context = {"receipt": described, "order": order, "pdf_path": pdf_path, "parts": receipt_parts.parts_of(order)}
    return render(request, "payments/receipt.html", context)


@never_cache
@require_safe
def receipt_pdf(request: SignedIn, code: str) -> HttpResponseBase:
    """Download the receipt; while a worker makes it, show that it is on its way."""
    order = own_receipt(request, code)
    return hand_out_pdf(request, order, receipt_path=reverse("payments:receipt", args=[code]))


def hand_out_pdf(request: HttpRequest, order: Order, *, receipt_path: str) -> HttpResponseBase:
    """Return the file of the paid order; while a worker makes it, a page that asks this same address again."""
    document = documents.current_document(order)
    is_htmx = bool(request.htmx)  # type: ignore[attr-defined]
    if document and not is_htmx:
        name = f"{order.code}.pdf"
        return FileResponse(document.file.open("rb"), as_attachment=True, filename=name, content_type="application/pdf")
    if not document:
        documents.ask_for_receipt(order)
        if is_htmx:
            return HttpResponse(status=204)
    template = "payments/_receipt_ready.html" if is_htmx else "payments/receipt_wait.html"
    return render(request, template, {"order": order, "pdf_path": request.path, "receipt_path": receipt_path})
