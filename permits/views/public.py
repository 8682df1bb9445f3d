"""What anybody may ask who scans a permit's QR code."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from permits import selectors
from permits.closures import closures_for
from permits.models import NumberChange
from permits.validity import describe_validity


@login_not_required
@never_cache
@require_safe
def status(request: HttpRequest, public_code: str) -> HttpResponse:
    """Say to anyone who scans the QR code whether the permit is valid: no names, no plates."""
    permit = selectors.load_permits().filter(public_code=public_code).first()
    if permit is None:
        change = get_object_or_404(NumberChange, old_public_code=public_code)
        return render(request, "permits/permit_status_replaced.html", {"change": change, "now": timezone.now()})
    now = timezone.now()
    closures = closures_for(permit, now)
    context = {
        "permit": permit,
        "closures": closures,
        "is_valid_now": selectors.is_valid_now(permit, now, closures=closures),
        "payment_words": selectors.explain_payment(permit),
        "places": describe_validity(permit.permit_type, permit.lot),
        "now": now,
    }
    return render(request, "permits/permit_status.html", context)
