"""Locks against the one order are refused in tests, before two people can wait for each other in a circle."""

import pytest
from django.db import transaction

from opscom.core.locks import LockOrderError, note_lock

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lock_against_the_order_is_refused():
    with transaction.atomic():
        note_lock("product", "permit")
        with pytest.raises(LockOrderError):
            note_lock("order")
        with pytest.raises(LockOrderError):
            note_lock("product", "locker")
        note_lock("slot")


def test_a_savepoint_that_rolls_back_gives_its_locks_back():
    with transaction.atomic():
        note_lock("order")
        with transaction.atomic():
            note_lock("slot")
            transaction.set_rollback(True)
        note_lock("payment")


def test_the_next_transaction_begins_with_none():
    for _time in range(2):
        with transaction.atomic():
            note_lock("slot")
    with transaction.atomic():
        note_lock("waitlist")
