"""The list of what is due and of what was paid."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.holds import running_holds
from accounts.requests import SignedIn
from opscom.core.errors import DomainError
from payments import selectors
from payments.forms import SelectionForm
from payments.services.orders import place_order
from payments.services.settling import explain_review
from payments.views.checkout import begin_payment

ORDERS_PER_PAGE = 10


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
            return begin_payment(request, order, {}) if is_free else redirect("payments:checkout", order.code)
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
