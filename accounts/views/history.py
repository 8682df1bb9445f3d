"""`User History`."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.forms.history import HistoryForm
from accounts.history import HistoryPage, first_instant, history_kinds, read_history
from accounts.requests import SignedIn
from opscom.core.htmx import choose_template
from opscom.provider.selectors import get_provider


@vary_on_headers("HX-Request")
@require_safe
def history(request: SignedIn) -> HttpResponse:
    """What happened on one's account, newest first, as far back as the provider shows."""
    person = request.user
    form = HistoryForm(request.GET, kinds=history_kinds(person))
    is_right = form.is_valid()
    page = read_history(person, form.window(oldest=first_instant())) if is_right else HistoryPage([])
    template = choose_template(request, "accounts/history.html", "accounts/_history.html")
    context = {"form": form, "page": page, "months": get_provider().history_months}
    return render(request, template, context, status=200 if is_right else 422)
