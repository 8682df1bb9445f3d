"""To be written."""

from django.http import Http404, HttpRequest, HttpResponse


def appeal(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def upload(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def remove_file(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def answer(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def withdraw(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404


def confirmation(request: HttpRequest, **kwargs: str) -> HttpResponse:
    raise Http404
