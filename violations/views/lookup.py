"""To be written."""

from django.http import Http404, HttpRequest, HttpResponse


def lookup(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def found(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
