"""Addresses of the office's site that name no record: nothing is found there, and nothing breaks."""

import re

import pytest
from django.urls import get_resolver

from tests.security.test_url_table import walk

pytestmark = pytest.mark.django_db
WITH_ID = sorted(path for namespace, _name, path in walk(get_resolver()) if namespace == "admin:" and "<path:" in path)


@pytest.fixture
def root(client_of, administrator):
    """A browser of somebody to whom every address is open, and that gets faults as pages."""
    administrator.is_superuser = True
    administrator.save()
    client = client_of(administrator)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("forged", ["abc", "-1", "1.5", "%00", "9" * 30, "9" * 5000, "%D9%A1", "_31", "None", "1/x"])
def test_a_forged_number_finds_nothing(root, forged):
    assert len(WITH_ID) > 100
    addresses = [re.sub("<[^>]+>", forged, path) for path in WITH_ID]
    answers = {address: (root.get(address).status_code, root.post(address).status_code) for address in addresses}
    assert {address[:80]: found for address, found in answers.items() if found != (404, 404)} == {}


@pytest.mark.parametrize("number", ["0", "9" * 18, "9" * 19])
def test_a_number_that_no_record_has_breaks_nothing(root, number):
    for path in WITH_ID:
        address = re.sub("<[^>]+>", number, path)
        answers = (root.get(address).status_code, root.post(address).status_code)
        assert set(answers) <= {302, 403, 404}, (address, answers)
