"""One way into a session for everybody: allauth's, which changes the session's key and lets later steps stand between."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login, perform_password_login
from allauth.account.models import Login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.models import User


def sign_in_by_password(request: HttpRequest, *, email: str, password: str, target: str) -> HttpResponse:
    """Sign in and return the way on; raises ValidationError with the same words for every cause, or 'too many'."""
    credentials = {"username": email, "password": password}
    person = get_adapter().authenticate(request, **credentials)
    if person is None:
        raise ValidationError(_("The e-mail or the password is not right."), code="wrong")
    return perform_password_login(request, credentials, Login(user=person, email=email, redirect_url=target))


def sign_in_registered(request: HttpRequest, *, person: User, target: str) -> HttpResponse:
    """Sign in somebody who registered a moment ago, in the provider's auto-login mode."""
    return perform_login(request, Login(user=person, signup=False, redirect_url=target))
