"""What the views of this app share."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_http_methods

from opscom.provider.selectors import get_provider

form_page = require_http_methods(["GET", "HEAD", "POST"])


def needs_switch(name: str) -> Callable[..., Any]:
    """Close the view while this switch of the provider is off: then it is not there."""

    def wrap(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def ask(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not getattr(get_provider(), name):
                raise Http404
            return view(request, *args, **kwargs)

        return ask

    return wrap
