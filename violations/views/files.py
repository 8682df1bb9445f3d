"""Photos and evidence, handed out to those who may see them."""

from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.requests import SignedIn
from opscom.core.downloads import send_attachment
from violations.models import Evidence, Ticket, TicketPhoto

THUMBNAIL = "image/jpeg"


@require_safe
def photo(request: SignedIn, code: str, file_code: str) -> HttpResponseBase:
    """An officer's photo, or with `?small` its thumbnail: to whoever may see the ticket."""
    ticket = get_object_or_404(Ticket.objects.visible_to(request.user), code=code)
    return send_file(get_object_or_404(TicketPhoto, ticket=ticket, code=file_code), small="small" in request.GET)


@require_safe
def evidence(request: SignedIn, code: str, file_code: str) -> HttpResponseBase:
    """One's own evidence, or with `?small` its thumbnail; nobody else's, whoever may see the ticket."""
    mine = Evidence.objects.visible_to(request.user).filter(ticket__code=code)
    return send_file(get_object_or_404(mine, code=file_code), small="small" in request.GET)


def send_file(row: Any, *, small: bool) -> HttpResponseBase:
    """Return the stored file, or its thumbnail, for saving; 404 when there is none."""
    file = row.thumbnail if small else row.file
    if not file:
        raise Http404
    try:
        content = file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    return send_attachment(content, name=row.name, content_type=THUMBNAIL if small else row.content_type)
