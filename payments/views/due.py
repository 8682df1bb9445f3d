"""The list of what is due and of what was paid."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.holds import running_holds
from accounts.requests import SignedIn
from opscom.core.errors import DomainError
from opscom.core.money import ZERO
from payments import history, selectors
from payments.forms import SelectionForm, YearForm
from payments.services.orders import Selection, complete_selection, place_order
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
                selection=complete_selection(_selection(request, form), payer=request.user),
                email=request.user.contact_email,
                language=request.LANGUAGE_CODE,
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            is_free = order.due == 0
            return begin_payment(request, order, {}) if is_free else redirect("payments:checkout", order.code)
    return _render_due(request, form)


def _selection(request: SignedIn, form: SelectionForm) -> Selection:
    chosen: Selection = form.cleaned_data["selected"]
    return selectors.everything_due(request.user) if form.cleaned_data["everything"] else chosen


def _render_due(request: SignedIn, failed: SelectionForm | None) -> HttpResponse:
    rows = selectors.list_due(request.user, wanted=request.GET.getlist("pay"))
    held = selectors.held_of(rows)
    context = {
        "form": failed,
        "holds": running_holds(request.user, timezone.now()),
        "rows": rows,
        "sum": selectors.sum_of_ticked(rows),
        "payable": sum(not row.quote.lock_reason for row in rows),
        "under_way": selectors.payments_under_way(request.user),
        "review_words": explain_review(),
        # The cart in the frame of the page counts the same rows: no need to ask for them twice.
        "held_quotes": held,
        "cart_sum": sum((quote.amount for quote in held), ZERO),
        **_history(request),
    }
    return render(request, "payments/due.html", context, status=422 if failed else 200)


def _history(request: SignedIn) -> dict[str, Any]:
    pages = Paginator(history.paid_orders(request.user), ORDERS_PER_PAGE)
    # Whose history fits on a page needs no years.
    is_long = pages.num_pages > 1 or "year" in request.GET
    years = YearForm(request.GET, years=history.years_of(request.user)) if is_long else None
    if years and years.chosen:
        pages = Paginator(history.paid_orders(request.user, year=years.chosen), ORDERS_PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    return {"page": page, "history": [history.describe_row(order) for order in page], "years": years}
