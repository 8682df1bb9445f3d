"""A real OpenID Connect provider, written by others, as a process of its own."""

from collections.abc import Iterator

import pytest

from tests.accounts.sso.oidc import OidcServer, running_oidc
from tests.factories.sso import make_provider


@pytest.fixture(scope="session")
def oidc_server() -> Iterator[OidcServer]:
    """The provider, for as long as this worker runs."""
    with running_oidc() as server:
        yield server


@pytest.fixture
def campus(db: None, oidc_server: OidcServer):
    """The provider as the office has set it up: it vouches for uni.example and fills names and the employee number."""
    rules = {"first_name": "given_name", "last_name": "family_name", "employee_number": "staff_no"}
    return make_provider(rules, code="campus", server_url=oidc_server.url)
