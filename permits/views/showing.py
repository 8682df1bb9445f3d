"""A permit to carry: as an event of a calendar, and on the phone's screen."""

import segno
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.requests import SignedIn
from opscom.provider.selectors import get_provider
from permits import selectors
from permits.calendar_files import CONTENT_TYPE, write_calendar
from permits.closures import closures_for
from permits.views.own import own_permit


@require_safe
def calendar(request: SignedIn, code: str) -> HttpResponse:
    """Give the permit as a calendar's event, with an alarm before its end."""
    permit = own_permit(request, code)
    name = f'attachment; filename="{permit.code}.ics"'
    return HttpResponse(write_calendar(permit), content_type=CONTENT_TYPE, headers={"Content-Disposition": name})


@require_safe
# Not no-store: a phone without a signal may show again the page that it had open, which says when it was checked.
@cache_control(private=True, no_cache=True)
def phone(request: SignedIn, code: str) -> HttpResponse:
    """Show the permit as big as the screen: valid or not, number, plates, until when, and the QR code. No script, no menu."""
    permit = own_permit(request, code)
    status_url = settings.SITE_URL + reverse("permits:status", args=[permit.public_code])
    now = timezone.now()
    qr = segno.make(f"{status_url}?lang={permit.language}", error="m").svg_inline(scale=4, border=2, omitsize=True)
    closures = closures_for(permit, now)
    context = {
        "permit": permit,
        "closures": closures,
        "provider": get_provider(),
        "is_valid_now": selectors.is_valid_now(permit, now, closures=closures),
        "payment_words": selectors.explain_payment(permit),
        "replacements": permit.replacement_cars.running_at(now).select_related("vehicle", "stands_in_for"),
        "qr": mark_safe(qr),  # noqa: S308 - drawn by segno from an address of ours
        "now": now,
    }
    return render(request, "permits/permit_phone.html", context)
