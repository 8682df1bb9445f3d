"""Pages about money: what is due, the checkout, the way back from the gateway, the receipt."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.holds import running_holds
from accounts.requests import SignedIn
from opscom.core.errors import DomainError
from opscom.core.middleware import allow_forms_to
from payments import documents, selectors
from payments.forms import PaymentForm, SelectionForm
from payments.gateways.base import NotSigned, Redirect
from payments.gateways.registry import form_origins, installed_gateways
from payments.models import Order, OrderStatus, Payment, PaymentStatus
from payments.offers import offered_methods
from payments.services.confirming import announce_event, confirm_payment, keep_event
from payments.services.orders import place_order
from payments.services.paying import name_receipt_address, pay_order
from payments.services.settling import explain_review

ORDERS_PER_PAGE = 10


# What is due


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def due(request: SignedIn) -> HttpResponse:
    """Show what is due and what was paid; a POST turns what is ticked into an order."""
    if request.method != "POST":
        return _render_due(request, None)
    form = SelectionForm(request.POST)
    if form.is_valid():
        try:
            order = place_order(
                payer=request.user,
                selection=form.cleaned_data["selected"],
                email=request.user.contact_email,
                language=request.LANGUAGE_CODE,
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            is_free = order.due == 0
            return _begin_payment(request, order, {}) if is_free else redirect("payments:checkout", order.code)
    return _render_due(request, form)


def _render_due(request: SignedIn, failed: SelectionForm | None) -> HttpResponse:
    rows = selectors.list_due(request.user, wanted=request.GET.getlist("pay"))
    context = {
        "form": failed,
        "holds": running_holds(request.user, timezone.now()),
        "rows": rows,
        "sum": selectors.sum_of_ticked(rows),
        "has_choice": any(not row.quote.lock_reason for row in rows),
        "under_way": selectors.payments_under_way(request.user),
        "review_words": explain_review(),
        "page": Paginator(selectors.paid_orders(request.user), ORDERS_PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "payments/due.html", context, status=422 if failed else 200)


# The checkout


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: SignedIn, code: str) -> HttpResponse:
    """Show `Payment Method`; a POST sends the payer to the gateway's own page, by a redirect."""
    order = get_object_or_404(Order.objects.visible_to(request.user).prefetch_related("lines"), code=code)
    if order.status == OrderStatus.PAID:
        return redirect("payments:receipt", order.code)
    quotes = selectors.current_quotes(order)
    if order.status != OrderStatus.OPEN or isinstance(quotes, DomainError):
        words = (
            str(quotes) if isinstance(quotes, DomainError) else _("This order is no longer open. Please start again.")
        )
        messages.error(request, words)
        return redirect("payments:due")
    form = PaymentForm(
        request.POST if request.method == "POST" else None,
        methods=offered_methods(payer=order.payer, kinds={line.kind for line in order.lines.all()}),
        is_email_known=bool(order.email),
        is_free=order.due == 0,
    )
    if request.method == "POST" and form.is_valid():
        return _begin_payment(request, order, form.cleaned_data)
    held = [quote.held_until for quote in quotes if quote.held_until]
    context = {"order": order, "form": form, "taxes": selectors.tax_sums(order), "held_until": min(held, default=None)}
    response = render(request, "payments/checkout.html", context, status=422 if form.errors else 200)
    return allow_forms_to(response, form_origins())


def _begin_payment(request: SignedIn, order: Order, chosen: dict[str, str]) -> HttpResponse:
    try:
        order = name_receipt_address(order=order, email=chosen.get("email", ""))
        answer = pay_order(order=order, method_code=chosen.get("method", ""))
    except DomainError as error:
        return _back_to_pay(request, order, str(error))
    if answer is None:
        return redirect("payments:receipt", order.code)
    if not isinstance(answer, Redirect):
        raise TypeError("There is no page yet for a gateway's embedded form.")
    return HttpResponseRedirect(answer.url)


def _back_to_pay(request: SignedIn, order: Order, words: str) -> HttpResponseRedirect:
    """Say what happened, at the same order while it can be paid, else at the list of what is due."""
    messages.error(request, words)
    order.refresh_from_db()
    if order.status == OrderStatus.OPEN and not isinstance(selectors.current_quotes(order), DomainError):
        return redirect("payments:checkout", order.code)
    return redirect("payments:due")


# Back from the gateway


@never_cache
@require_safe
def return_page(request: SignedIn, reference: str) -> HttpResponse:
    """Ask the gateway what became of the payment, and lead on; while there is no answer, wait here."""
    payments = Payment.objects.visible_to(request.user).select_related("order")
    payment = get_object_or_404(payments, reference=reference)
    confirm_payment(payment)
    payment.refresh_from_db()
    onward = _after_payment(request, payment)
    if request.htmx:
        return HttpResponseClientRedirect(onward.url) if onward else HttpResponse(status=204)
    if onward:
        return onward
    context = {"payment": payment, "order": payment.order, "review_words": explain_review()}
    return render(request, "payments/waiting.html", context)


def _after_payment(request: SignedIn, payment: Payment) -> HttpResponseRedirect | None:
    """Return where the payer goes; None while the answer is awaited, or the office looks at the money."""
    if payment.order.status == OrderStatus.PAID:
        return redirect("payments:receipt", payment.order.code)
    words = {
        PaymentStatus.DECLINED: _(
            "The payment did not go through, and nothing was charged. Please try again, or use another card."
        ),
        PaymentStatus.EXPIRED: _(
            "The payment page closed before anything was paid. Nothing was charged; please try again."
        ),
        PaymentStatus.FAILED: _("The payment did not begin, and nothing was charged. Please try again."),
    }.get(PaymentStatus(payment.status))
    return _back_to_pay(request, payment.order, words) if words else None


# The receipt


def own_receipt(request: SignedIn, code: str) -> Order:
    """Return the person's paid order behind the code; a stranger's is not found, nor one that is not paid."""
    return get_object_or_404(selectors.receipts().visible_to(request.user), code=code, status=OrderStatus.PAID)


@never_cache
@require_safe
def receipt(request: SignedIn, code: str) -> HttpResponse:
    """Show what was paid, with its confirmation code."""
    described = selectors.describe_receipt(own_receipt(request, code))
    return render(request, "payments/receipt.html", {"receipt": described, "order": described.order})


@never_cache
@require_safe
def receipt_pdf(request: SignedIn, code: str) -> HttpResponseBase:
    """Download the receipt; while a worker makes it, show that it is on its way."""
    order = own_receipt(request, code)
    document = documents.current_document(order)
    if document and not request.htmx:
        name = f"{order.code}.pdf"
        return FileResponse(document.file.open("rb"), as_attachment=True, filename=name, content_type="application/pdf")
    if not document:
        documents.ask_for_receipt(order)
        if request.htmx:
            return HttpResponse(status=204)
    template = "payments/_receipt_ready.html" if request.htmx else "payments/receipt_wait.html"
    return render(request, template, {"order": order})


# What gateways report


@csrf_exempt
@login_not_required
@require_POST
def webhook(request: HttpRequest, gateway: str) -> HttpResponse:
    """Take a gateway's report: verify, keep, answer; a worker then asks the gateway what is true."""
    adapter = installed_gateways().get(gateway)
    if adapter is None:
        raise Http404
    try:
        event = adapter.read_event(request.body, request.headers)
    except NotSigned:
        return HttpResponse(status=400)
    # What is not for us is taken all the same: a gateway stops reporting to an address that refuses.
    if event is not None:
        kept = keep_event(gateway_code=gateway, event=event, body=request.body)
        if kept.handled_at is None:
            announce_event(kept)
    return HttpResponse(status=204)
