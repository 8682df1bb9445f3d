"""What follows a commit must not spoil it."""

import pytest
from django.db import transaction

from opscom.core.hooks import after_commit


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_in_transaction", [True, False])
def test_a_failure_after_the_commit_is_logged_only(caplog, is_in_transaction):
    def explode(number: int) -> None:
        raise ConnectionError(number)

    if is_in_transaction:
        with transaction.atomic():
            after_commit(explode, 7)
    else:
        after_commit(explode, 7)
    assert "explode" in caplog.text
