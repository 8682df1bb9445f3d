"""The office at its desk."""

import pytest

from accounts.roles import CASHIER
from tests.factories.accounts import make_user


@pytest.fixture
def cashier(db):
    """Somebody who may give money back."""
    return make_user(role=CASHIER, first_name="Carl", last_name="Till", email="carl.till@example.org")


@pytest.fixture
def page_of(client_of):
    """Open an address as somebody, and return the page's text."""

    def open_page(person, address: str, **query: object) -> str:
        response = client_of(person).get(address, query, follow=True)
        assert response.status_code == 200
        return response.content.decode()

    return open_page
