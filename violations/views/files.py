"""To be written."""

from django.http import Http404, HttpRequest, HttpResponse


def photo(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def evidence(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
