"""The cast of all tests: one person of each kind, and a browser for each. Fixtures; tests/conftest.py brings them in."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client

from accounts.mfa import state
from accounts.models import User
from accounts.roles import ADMINISTRATOR, CLERK, ENFORCEMENT_OFFICER
from tests.factories.accounts import make_user
from tests.factories.companies import give_company, make_company

__all__ = [
    "administrator",
    "anonymous",
    "clerk",
    "client_of",
    "manager",
    "officer",
    "other_resident",
    "resident",
    "show_code",
    "unproved_resident",
]


@pytest.fixture
def resident(db: None) -> User:
    """Somebody with a complete profile and a proved address."""
    return make_user(first_name="Maya", last_name="Chen", email="maya.chen@example.org")


@pytest.fixture
def other_resident(db: None) -> User:
    """A stranger to `resident`."""
    return make_user(first_name="Luc", last_name="Tremblay", email="luc.tremblay@example.org")


@pytest.fixture
def unproved_resident(db: None) -> User:
    """Somebody who registered a moment ago."""
    return make_user(first_name="Noor", last_name="Haddad", email="noor.haddad@example.org", is_proved=False)


@pytest.fixture
def manager(resident: User) -> User:
    """The manager of the company to which `resident` belongs."""
    company = make_company(resident, name="Northbuild")
    return give_company(company, first_name="Priya", last_name="Raman", email="priya.raman@example.org")


@pytest.fixture
def officer(db: None) -> User:
    """An enforcement officer."""
    return make_user(role=ENFORCEMENT_OFFICER, first_name="Omar", last_name="Field", email="omar.field@example.org")


@pytest.fixture
def clerk(db: None) -> User:
    """A clerk of the parking office."""
    return make_user(role=CLERK, first_name="Clara", last_name="Desk", email="clara.desk@example.org")


@pytest.fixture
def administrator(db: None) -> User:
    """An administrator of the parking office (by role, not a superuser)."""
    return make_user(role=ADMINISTRATOR, first_name="Ada", last_name="Office", email="ada.office@example.org")


@pytest.fixture
def client_of() -> Callable[..., Client]:
    """Return a browser in which this person is signed in, on a device that has chosen English.

    They have shown a one-time password there, in case one is asked of them, unless `is_verified` is False.
    """

    def sign_in(user: User | None = None, *, is_verified: bool = True) -> Client:
        client = Client()
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
        if user is not None:
            client.force_login(user)
            if is_verified:
                show_code(client, user)
        return client

    return sign_in


def show_code(client: Client, user: User) -> None:
    """Let the browser's session be one in which this person has shown a one-time password."""
    session = client.session
    state.mark(session, user, "otp_email.emaildevice/0")
    session.save()


@pytest.fixture
def anonymous(client_of: Callable[..., Client], db: None) -> Client:
    """A browser of nobody in particular, on a device that has chosen English."""
    return client_of()
