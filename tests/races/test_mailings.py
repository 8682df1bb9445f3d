"""Workers at one mailing at once, dead ones, and an office that calls it back: everybody gets it once, or not at all."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from accounts.models import Mailing, User
from accounts.services import mailings
from accounts.services.mailings import cancel_mailing, continue_mailing, continue_mailings, start_mailing
from opscom.core.errors import DomainError
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from tests.factories.accounts import make_user
from tests.factories.mailings import mails_of, make_mailing
from tests.races.together import together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
PEOPLE = 10


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch) -> None:
    monkeypatch.setattr(mailings, "CHUNK", 3)


@pytest.fixture
def writer() -> User:
    """One of the office, with nine more people."""
    people = [make_user() for _number in range(PEOPLE)]
    return people[0]


def begin(writer: User) -> Mailing:
    mailing = make_mailing(writer)
    start_mailing(mailing=mailing, actor=writer)
    return mailing


def assert_everybody_has_it_once(mailing: Mailing) -> None:
    mailing.refresh_from_db()
    assert (mailing.status, mailing.receivers) == ("sent", PEOPLE)
    assert set(mails_of(mailing)) == set(User.objects.values_list("email", flat=True))
    assert AuditEntry.objects.filter(action="mailing.sent", object_id=mailing.pk).count() == 1


@pytest.mark.parametrize("_round", range(3))
def test_workers_at_once_write_to_each_person_once(writer, _round):
    mailing = begin(writer)
    results = together([continue_mailings] * 4)
    assert not [result for result in results if isinstance(result, DomainError)]
    continue_mailings()
    assert_everybody_has_it_once(mailing)


def test_worker_leaves_a_chunk_alone_that_another_one_writes(writer):
    mailing = begin(writer)
    inside, go_on = threading.Event(), threading.Event()
    with held_at_first_mail(inside, go_on):
        thread = threading.Thread(target=lambda: closing(lambda: continue_mailing(mailing.pk)))
        thread.start()
        assert inside.wait(10)
        assert continue_mailing(mailing.pk) is False
        assert not Message.objects.exists()
        go_on.set()
        thread.join(10)
    continue_mailings()
    assert_everybody_has_it_once(mailing)


def test_cancelled_while_a_chunk_is_written(writer):
    mailing = begin(writer)
    inside, go_on, cancelled = threading.Event(), threading.Event(), threading.Event()

    def call_back() -> None:
        cancel_mailing(mailing=mailing, actor=writer)
        cancelled.set()

    with held_at_first_mail(inside, go_on):
        threads = [threading.Thread(target=lambda: closing(lambda: continue_mailing(mailing.pk)))]
        threads[0].start()
        assert inside.wait(10)
        threads.append(threading.Thread(target=lambda: closing(call_back)))
        threads[1].start()
        # The chunk is whole or not there: the office waits for it.
        assert not cancelled.wait(0.5)
        go_on.set()
        for thread in threads:
            thread.join(10)
    assert cancelled.is_set()
    assert continue_mailings() == 0
    mailing.refresh_from_db()
    assert (mailing.status, mailing.receivers, len(mails_of(mailing))) == ("cancelled", 3, 3)
    assert AuditEntry.objects.get(action="mailing.cancelled").facts["receivers"] == 3


def test_killed_between_chunks(writer):
    mailing = begin(writer)
    for chunks in (3, 6, 9):
        assert continue_mailing(mailing.pk)
        connection.close()
        assert len(mails_of(mailing)) == chunks
    continue_mailings()
    assert_everybody_has_it_once(mailing)


def test_killed_before_any_write(writer):
    """Each round dies one write later; the next worker alone brings it right."""
    for number in range(200):
        mailing = begin(writer)
        was_killed = killed_at(number, continue_mailings)
        mailing.refresh_from_db()
        # Cursor, number and mails agree at every moment.
        assert mailing.receivers == len(mails_of(mailing))
        continue_mailings()
        assert_everybody_has_it_once(mailing)
        if not was_killed:
            assert number > PEOPLE
            return
    raise AssertionError("It never ended.")


def test_start_and_cancel_at_once_are_one_of_them_or_both_in_turn(writer):
    mailing = make_mailing(writer)
    together(
        [
            lambda: start_mailing(mailing=mailing, actor=writer),
            lambda: start_mailing(mailing=mailing, actor=writer),
            lambda: cancel_mailing(mailing=mailing, actor=writer),
        ]
    )
    continue_mailings()
    mailing.refresh_from_db()
    assert AuditEntry.objects.filter(action="mailing.started").count() <= 1
    assert len(mails_of(mailing)) == (PEOPLE if mailing.status == "sent" else 0)
    assert AuditEntry.objects.filter(action="mailing.cancelled").exists() == (mailing.status == "cancelled")


def closing(deed: Callable[[], object]) -> None:
    try:
        deed()
    finally:
        connection.close()


class held_at_first_mail:  # noqa: N801
    """The first mail that any thread queues waits until `go_on`; our own threads go through the same door."""

    def __init__(self, inside: threading.Event, go_on: threading.Event) -> None:
        self.inside, self.go_on = inside, go_on
        self.real = mailings._context
        self.is_first = True

    def __enter__(self) -> None:
        def wait(*args):
            if self.is_first:
                self.is_first = False
                self.inside.set()
                self.go_on.wait(10)
            return self.real(*args)

        mailings._context = wait

    def __exit__(self, *args: object) -> None:
        mailings._context = self.real


def killed_at(number: int, deed: Callable[[], object]) -> bool:
    """Do it, dead before its write of this number; returns whether it was killed (else it had fewer)."""
    seen = -1

    def count(execute, sql, params, many, context):
        nonlocal seen
        seen += not sql.startswith("SELECT")
        if seen == number:
            raise Killed
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(count):
            deed()
    except Killed:
        connection.close()
        return True
    return False
