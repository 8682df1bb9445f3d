"""Marks on views."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.languages import is_choice_due

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def profile_not_required(view: View) -> View:
    """Leave the view open to people whose profile is not complete. Public views are open anyway."""
    view.profile_required = False  # type: ignore[attr-defined]
    return view


def code_not_required(view: View) -> View:
    """Leave the view open to a session that still owes its one-time password. Public views are open anyway."""
    view.code_required = False  # type: ignore[attr-defined]
    return view


def language_chosen(view: View) -> Callable[..., HttpResponseBase]:
    """Ask a device for its language before it sees one of the front doors; never in the middle of something."""

    @wraps(view)
    def ask_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method in ("GET", "HEAD") and is_choice_due(request):
            return redirect(f"{reverse('accounts:language')}?{urlencode({'next': request.get_full_path()})}")
        return view(request, *args, **kwargs)

    return ask_first


def own_hands_only(view: View) -> Callable[..., HttpResponseBase]:
    """Close the view to who acts for the person: sign-in secrets and stored cards are the owner's own."""

    @wraps(view)
    def ask_whose_hands(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if getattr(request, "acting_person", None):
            return refuse_foreign_hands(request)
        return view(request, *args, **kwargs)

    return ask_whose_hands


def refuse_foreign_hands(request: HttpRequest) -> HttpResponse:
    """Say why this page is closed to who acts for somebody, with the way back to their own account."""
    return render(request, "accounts/own_hands.html", status=403)
