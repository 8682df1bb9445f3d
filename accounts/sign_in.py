"""One way into a session for everybody: allauth's, which changes the session's key and lets later steps stand between."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login, perform_password_login, record_authentication
from allauth.account.models import Login
from django.contrib.auth import logout
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.models import LoginSource, User


class PasswordBackend(ModelBackend):
    """Passwords, for those whose login source they are. Rights and sessions are Django's."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the person, or None; one who signs in by single sign-on is none here, whatever stands in the row."""
        person = super().authenticate(request, username=username, password=password, **kwargs)
        return person if isinstance(person, User) and person.login_source == LoginSource.LOCAL else None


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


def sign_in_by_provider(request: HttpRequest, *, person: User, provider: str, target: str) -> HttpResponse:
    """Sign in somebody whom an identity provider (by its code) has sent, in place of whoever is signed in here."""
    if request.user.is_authenticated:
        logout(request)
    record_authentication(request, person, method="socialaccount", provider=provider)
    return perform_login(request, Login(user=person, email=person.email, redirect_url=target))
