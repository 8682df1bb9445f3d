"""To be written."""

from django.http import Http404, HttpRequest, HttpResponse


def ticket_list(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def ticket(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
