"""The holder ends a permit before its last day: what goes back stands on the page before the button."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.requests import SignedIn
from opscom.core.errors import DomainError
from opscom.core.money import format_money
from payments.models import Refund, RefundStatus
from permits.forms import ShownSumForm
from permits.models import Permit
from permits.price_words import describe_money_back
from permits.services.ending import can_end_early, end_early, quote_early_end
from permits.views.own import own_permit


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: SignedIn, code: str) -> HttpResponse:
    """Show what would go back, and how that was made; on POST end the permit, unless the sum is another one meanwhile."""
    permit = own_permit(request, code)
    may = can_end_early(permit, timezone.now())
    form = ShownSumForm(request.POST)
    if request.method != "POST" or not may.is_allowed or not form.is_valid():
        return _ask(request, permit, may)
    try:
        refund = end_early(permit=permit, actor=request.user, shown=form.cleaned_data["shown"])
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("permits:end", permit.code)
    messages.success(request, _say(permit, refund))
    return redirect("permits:detail", permit.code)


def _ask(request: SignedIn, permit: Permit, may: Any) -> HttpResponse:
    money = quote_early_end(permit, timezone.now())
    context = {"permit": permit, "may": may, "money": money, "lines": describe_money_back(money)}
    return render(request, "permits/permit_end.html", context, status=422 if request.method == "POST" else 200)


def _say(permit: Permit, refund: Refund | None) -> str:
    if refund is None:
        return _("%(number)s has ended. Nothing goes back for it.") % {"number": permit.number}
    values = {"number": permit.number, "amount": format_money(Decimal(refund.amount))}
    if refund.status == RefundStatus.PROPOSED:
        return _("%(number)s has ended. %(amount)s goes back once a second person in the office has agreed.") % values
    return _("%(number)s has ended. %(amount)s goes back to where it came from.") % values
