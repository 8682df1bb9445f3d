"""The checkout: how to pay, and the way to the gateway."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.requests import SignedIn
from opscom.core.errors import DomainError
from opscom.core.middleware import allow_forms_to
from payments import selectors
from payments.choices import checkout_choices
from payments.forms import PaymentForm
from payments.gateways.base import Embedded, Redirect
from payments.gateways.registry import form_origins
from payments.guests import order_path
from payments.models import Order, OrderStatus, Payment
from payments.services.paying import name_receipt_address, pay_order
from payments.stored import method_that_asks

# A promised order may be paid online after all.
PAYABLE = (OrderStatus.OPEN, OrderStatus.PROMISED)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: SignedIn, code: str) -> HttpResponse:
    """Show `Payment Method`; a POST sends the payer to the gateway's own page, by a redirect."""
    order = get_object_or_404(Order.objects.visible_to(request.user).prefetch_related("lines"), code=code)
    if order.status == OrderStatus.PAID:
        return redirect("payments:receipt", order.code)
    quotes = selectors.current_quotes(order)
    if order.status not in PAYABLE or isinstance(quotes, DomainError):
        words = (
            str(quotes) if isinstance(quotes, DomainError) else _("This order is no longer open. Please start again.")
        )
        messages.error(request, words)
        return redirect("payments:due")
    form = PaymentForm(
        request.POST if request.method == "POST" else None,
        choices=checkout_choices(order, quotes),
        chosen=method_that_asks(order),
        is_email_known=bool(order.email),
        is_free=order.due == 0,
    )
    if request.method == "POST" and form.is_valid():
        return begin_payment(request, order, form.cleaned_data)
    held = [quote.held_until for quote in quotes if quote.held_until]
    context = {"order": order, "form": form, "taxes": selectors.tax_sums(order), "held_until": min(held, default=None)}
    response = render(request, "payments/checkout.html", context, status=422 if form.errors else 200)
    return allow_forms_to(response, form_origins())


def begin_payment(request: SignedIn, order: Order, chosen: dict[str, str]) -> HttpResponse:
    """Begin a payment with what was chosen, and lead to the gateway; to the receipt when nothing is owed."""
    try:
        order = name_receipt_address(order=order, email=chosen.get("email", ""))
        answer = pay_order(order=order, method_code=chosen.get("method", ""), actor=request.user)
    except DomainError as error:
        return back_to_pay(request, order, str(error))
    if answer is None:
        order.refresh_from_db()
        is_promised = order.status == OrderStatus.PROMISED
        return redirect("payments:promised" if is_promised else "payments:receipt", order.code)
    if isinstance(answer, Payment):
        return redirect("payments:return", answer.reference)
    return go_to_gateway(answer)


def go_to_gateway(answer: Redirect | Embedded | Order) -> HttpResponseRedirect:
    """Lead the payer to the gateway's own page; of an order for which nothing was due, to its receipt."""
    if isinstance(answer, Order):
        return HttpResponseRedirect(order_path(answer))
    if not isinstance(answer, Redirect):
        raise TypeError("There is no page yet for a gateway's embedded form.")
    return HttpResponseRedirect(answer.url)


def back_to_pay(request: SignedIn, order: Order, words: str) -> HttpResponseRedirect:
    """Say what happened, at the same order while it can be paid, else at the list of what is due; paid is paid."""
    order.refresh_from_db()
    if order.status == OrderStatus.PAID:
        return redirect("payments:receipt", order.code)
    messages.error(request, words)
    if order.status in PAYABLE and not isinstance(selectors.current_quotes(order), DomainError):
        return redirect("payments:checkout", order.code)
    return redirect("payments:due")
