"""Six workers at one message, and six sweepers at ten: each is sent once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from opscom.messaging import delivery
from opscom.messaging.models import Message
from tests.factories.messaging import mail_server, make_message
from tests.messaging.conftest import trial_templates  # noqa: F401 - a fixture for every test here

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
WORKERS = 6


def together(deed: Callable[[], object]) -> list[object]:
    """Do it in six threads that start at one moment."""
    gate = Barrier(WORKERS)

    def run(_number: int) -> object:
        try:
            connection.ensure_connection()
            gate.wait(timeout=10)
            return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(run, range(WORKERS)))


def test_six_workers_send_one_message_once(settings):
    message = make_message()
    with mail_server(settings) as server:
        results = together(lambda: delivery.deliver(message.pk))
    assert len(server.mails) == 1
    assert sorted(results, key=str) == [None] * 5 + ["sent"]


def test_six_workers_take_over_a_lapsed_lease_once(settings):
    message = make_message()
    delivery.claim(message_id=message.pk)
    Message.objects.update(leased_until=timezone.now())
    with mail_server(settings) as server:
        together(lambda: delivery.deliver(message.pk))
    assert len(server.mails) == 1
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("sent", 2)


def test_six_sweepers_send_ten_messages_once_each(settings):
    sent = {make_message(to=f"person{number}@example.org").to for number in range(10)}
    with mail_server(settings) as server:
        counts = together(delivery.deliver_due)
    assert sorted(mail["To"] for mail in server.mails) == sorted(sent)
    assert sum(counts) == 10
