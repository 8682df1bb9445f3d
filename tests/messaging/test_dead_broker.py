"""A broker that is away costs a page a moment, and no message."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from opscom.messaging import services, tasks
from opscom.messaging.tasks import deliver_message
from tests.factories.messaging import free_port, mail_server, make_message

ANNOUNCE = """
import time, django
django.setup()
from opscom.messaging.services import announce
start = time.monotonic()
try:
    announce(1, "urgent")
except Exception as error:
    print(type(error).__name__)
for number in range(4):
    announce(number, "urgent")
print(time.monotonic() - start)
"""


@contextmanager
def silent_server() -> Iterator[int]:
    """Listen, and never answer: a Redis that was stopped, not ended."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(20)
        yield server.getsockname()[1]


@contextmanager
def nobody() -> Iterator[int]:
    yield free_port()


@pytest.mark.parametrize("peer", [nobody, silent_server])
def test_a_page_waits_for_a_dead_broker_once_and_briefly(peer):
    with peer() as port:
        environment = os.environ | {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}
        command = [sys.executable, "-c", ANNOUNCE]
        output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout
    name, seconds = output.split()
    assert name == "OperationalError"
    # Patience is under a second for each step; without it this takes the half minute that workers wait.
    assert float(seconds) < 15


@pytest.fixture
def dead_broker(monkeypatch) -> Iterator[None]:
    """Have this process's Celery talk to a port on which nobody listens."""
    app = deliver_message.app
    before = app.conf.broker_url
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    monkeypatch.setattr(services._broker, "away_until", 0.0)
    app.conf.broker_url = f"redis://127.0.0.1:{free_port()}/0"
    yield
    app.conf.broker_url = before


@pytest.mark.django_db
@pytest.mark.usefixtures("dead_broker")
def test_what_could_not_be_announced_is_swept(settings, django_capture_on_commit_callbacks, caplog):
    with django_capture_on_commit_callbacks(execute=True):
        message = make_message()
    assert services._broker.away_until > 0, "it must have noticed"
    with mail_server(settings) as server:
        tasks.sweep_outbox()
    assert len(server.mails) == 1
    message.refresh_from_db()
    assert message.status == "sent"
