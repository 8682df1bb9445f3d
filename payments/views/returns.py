"""Back from the gateway: what became of the payment."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.requests import SignedIn
from payments.models import OrderStatus, Payment, PaymentStatus
from payments.services.attempts import return_path
from payments.services.confirming import confirm_payment, leave_page
from payments.services.settling import explain_review
from payments.views.checkout import back_to_pay


@never_cache
@require_safe
def return_page(request: SignedIn, reference: str) -> HttpResponse:
    """Ask the gateway what became of the payment, and lead on; while there is no answer, wait here."""
    payments = Payment.objects.visible_to(request.user).select_related("order")
    payment = get_object_or_404(payments, reference=reference)
    if "left" in request.GET:
        leave_page(payment)
    confirm_payment(payment)
    payment.refresh_from_db()
    onward = _after_payment(request, payment)
    if request.htmx:
        return HttpResponseClientRedirect(onward.url) if onward else HttpResponse(status=204)
    if onward:
        return onward
    return render_waiting(request, payment)


def render_waiting(request: HttpRequest, payment: Payment) -> HttpResponse:
    """Show that the bank's answer is awaited, or that the office looks at the money."""
    context = {
        "payment": payment,
        "order": payment.order,
        "own_path": return_path(payment),
        "review_words": explain_review(),
    }
    return render(request, "payments/waiting.html", context)


def _after_payment(request: SignedIn, payment: Payment) -> HttpResponseRedirect | None:
    """Return where the payer goes; None while the answer is awaited, or the office looks at the money."""
    if payment.order.status == OrderStatus.PAID:
        return redirect("payments:receipt", payment.order.code)
    words = explain_end(payment)
    return back_to_pay(request, payment.order, words) if words else None


def explain_end(payment: Payment) -> str | None:
    """Return why the payment came to nothing; None while its answer is awaited, or once it is approved."""
    asks_holder = _(
        "Your bank wants to ask you about this payment, so your stored card was not charged. Please pay on the payment "
        "page, where your bank can ask you."
    )
    return {
        PaymentStatus.DECLINED: asks_holder
        if payment.needs_customer
        else _("The payment did not go through, and nothing was charged. Please try again, or use another card."),
        PaymentStatus.EXPIRED: _(
            "The payment page closed before anything was paid. Nothing was charged; please try again."
        ),
        PaymentStatus.FAILED: _("The payment did not begin, and nothing was charged. Please try again."),
    }.get(PaymentStatus(payment.status))
