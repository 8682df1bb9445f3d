"""To be written."""

from django.http import Http404, HttpRequest, HttpResponse


def quick_pay(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def ticket(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def pay(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def photo(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
