from django.http import HttpRequest, HttpResponse


def permit_list(request: HttpRequest) -> HttpResponse:
    raise NotImplementedError


def status(request: HttpRequest, public_code: str) -> HttpResponse:
    raise NotImplementedError


def detail(request: HttpRequest, code: str) -> HttpResponse:
    raise NotImplementedError
