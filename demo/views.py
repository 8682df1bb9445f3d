"""The demo's own pages: what arrived for whom. They exist only while OPSCOM_DEMO is on, and ask for no sign-in."""

import base64

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from boots.models import Booting
from demo.data.boots import BOOTED_PLATE
from demo.data.tickets import STRANGERS_PLATE
from demo.models import ReceivedMessage
from violations.models import Ticket

PER_PAGE = 25
# A mail may style itself and show pictures of ours. It runs nothing, and its links open in the whole window.
LETTER_POLICY = {
    "default-src": [NONE],
    "style-src": ["'unsafe-inline'"],
    "img-src": [SELF, "data:"],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
}
# Inside the frame a link would open the portal in a corner of the page.
LINKS_LEAVE_THE_FRAME = '<base target="_top">'


@login_not_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Lead to the demo's stand-ins, and name a ticket of nobody's, as it would stand on its paper."""
    tickets = Ticket.objects.unpaid().filter(plate=STRANGERS_PLATE)
    boots = Booting.objects.unreleased().filter(ticket__plate=BOOTED_PLATE).select_related("boot")
    context = {"ticket": tickets.order_by("-issued_at").first(), "booting": boots.first(), "booted_plate": BOOTED_PLATE}
    return render(request, "demo/index.html", context)


@login_not_required
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """List what arrived, newest first; `?to=` shows one receiver only."""
    messages = ReceivedMessage.objects.defer("text", "html", "attachments")
    receiver = request.GET.get("to", "").replace("\0", "").strip()
    if receiver:
        messages = messages.filter(to__iexact=receiver)
    page = Paginator(messages, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "demo/inbox.html", {"page": page, "receiver": receiver})


@login_not_required
@require_safe
def message(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one e-mail or SMS, its links clickable."""
    return render(request, "demo/message.html", {"message": get_object_or_404(ReceivedMessage, pk=pk)})


@login_not_required
@require_safe
@xframe_options_sameorigin
@csp_replace(LETTER_POLICY)  # type: ignore[arg-type]
def message_html(request: HttpRequest, pk: int) -> HttpResponse:
    """Serve an e-mail's HTML for the sandboxed frame."""
    letter = get_object_or_404(ReceivedMessage.objects.exclude(html=""), pk=pk)
    return HttpResponse(letter.html.replace("<head>", f"<head>{LINKS_LEAVE_THE_FRAME}", 1))


@login_not_required
@require_safe
def attachment(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Hand over one file of an e-mail."""
    files = get_object_or_404(ReceivedMessage, pk=pk).attachments
    if number >= len(files):
        raise Http404
    response = HttpResponse(base64.b64decode(files[number]["content"]), content_type=files[number]["type"])
    response.headers["Content-Disposition"] = f'attachment; filename="{pk}-{number}"'
    return response
