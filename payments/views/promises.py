"""What somebody promised to bring to the office: its page, and the way out of it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.requests import SignedIn
from opscom.core.errors import DomainError
from payments import selectors
from payments.models import OrderStatus, Promise
from payments.services.promising import cancel_promise


def own_promise(request: SignedIn, code: str) -> Promise:
    """Return the person's promise behind the order's code; a stranger's is not found."""
    promises = Promise.objects.visible_to(request.user).select_related("order", "method")
    return get_object_or_404(promises.prefetch_related("order__lines"), order__code=code)


@never_cache
@require_safe
def promised(request: SignedIn, code: str) -> HttpResponse:
    """Show what was promised, until when, and what is held or valid until then; once it is paid, the receipt."""
    promise = own_promise(request, code)
    if promise.order.status == OrderStatus.PAID:
        return redirect("payments:receipt", code)
    quotes = selectors.current_quotes(promise.order) if promise.is_running else []
    context = {
        "promise": promise,
        "order": promise.order,
        "notes": [] if isinstance(quotes, DomainError) else [quote for quote in quotes if quote.promise_note],
        "taxes": selectors.tax_sums(promise.order),
    }
    return render(request, "payments/promised.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: SignedIn, code: str) -> HttpResponse:
    """Ask once, then call the promise off."""
    promise = own_promise(request, code)
    if request.method != "POST":
        if not promise.is_running:
            return redirect("payments:promised", code)
        return render(request, "payments/promise_cancel.html", {"promise": promise, "order": promise.order})
    try:
        cancel_promise(promise=promise, actor=request.user)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("payments:promised", code)
    messages.success(request, _("Your promise to pay is cancelled. Nothing is owed for it."))
    return redirect("payments:due")
