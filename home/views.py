"""The resident's first page, and the provider's colour as a style sheet."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.holds import running_holds
from accounts.requests import SignedIn
from home.colours import dark_brand, light_brand
from home.selectors import boots_out, home_cards, part_of_day
from opscom.provider.selectors import get_provider, get_time_zone
from payments.selectors import running_promises
from permits.waitlists import open_offers

A_YEAR = 365 * 24 * 3600


@require_safe
def home(request: SignedIn) -> HttpResponse:
    """Greet, and show this account's cards."""
    offers = open_offers(request.user)
    context = {
        "offers": offers,
        "offer_urls": [reverse("permits:offer", args=[permit.code]) for permit in offers],
        "cards": home_cards(request.user),
        "promises": running_promises(request.user),
        "boots_out": boots_out(request.user),
        "holds": running_holds(request.user, timezone.now()),
        "part_of_day": part_of_day(timezone.now().astimezone(get_time_zone())),
    }
    return render(request, "home/home.html", context)


@login_not_required
@require_safe
def provider_css(request: HttpRequest) -> HttpResponse:
    """Return the provider's colour as a small style sheet: a strict content policy allows no style in the page."""
    colour = get_provider().colour.lower()
    context = {"light": light_brand(colour), "dark": dark_brand(colour)}
    response = render(request, "home/provider.css", context, content_type="text/css")
    # For good under the address that names the colour; five minutes under any other.
    is_named = request.GET.get("v") == colour.lstrip("#")
    response["Cache-Control"] = f"public, max-age={A_YEAR}, immutable" if is_named else "public, max-age=300"
    return response
