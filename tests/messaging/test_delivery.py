"""The outbox against a real mail server: whatever breaks, nothing is lost, and nothing is sent that should not be."""

import datetime as dt

import pytest
from django.db import transaction
from django.utils import timezone

from opscom.core import secrets
from opscom.messaging import delivery, services, tasks
from opscom.messaging.models import Lane, Message, MessageStatus
from tests.factories.messaging import free_port, mail_server, make_message, make_sms, use_mail_server

pytestmark = pytest.mark.django_db


def lapse(message: Message, **changes) -> None:
    """Let time pass for one row: its back-off is over and its lease has run out."""
    past = timezone.now() - dt.timedelta(seconds=1)
    Message.objects.filter(pk=message.pk).update(not_before=past, **changes)
    Message.objects.filter(pk=message.pk, leased_until__isnull=False).update(leased_until=past)
    message.refresh_from_db()


def test_sends_and_keeps_what_was_sent(settings):
    message = make_message()
    with mail_server(settings) as server:
        assert delivery.deliver(message.pk) == "sent"
    (mail,) = server.mails
    assert mail["Subject"] == "Hello Maya O'Neill"
    assert mail["To"] == "maya@example.org"
    assert [part.get_content_type() for part in mail.walk()][1:] == ["text/plain", "text/html"]
    message.refresh_from_db()
    assert message.subject == "Hello Maya O'Neill"
    assert "Dear Maya O'Neill" in message.body
    assert "Dear Maya O&#x27;Neill" in message.html
    assert message.sent_at is not None
    assert message.leased_until is None


def test_a_sent_message_is_not_sent_again(settings):
    message = make_message()
    with mail_server(settings) as server:
        delivery.deliver(message.pk)
        assert delivery.deliver(message.pk) is None
        tasks.sweep_outbox()
    assert len(server.mails) == 1


def test_closed_port_loses_nothing(settings):
    message = make_message()
    use_mail_server(settings, free_port())
    before = timezone.now()
    assert delivery.deliver(message.pk) == "queued"
    message.refresh_from_db()
    assert message.status == "queued"
    assert "refused" in message.last_error
    assert message.not_before >= before + delivery.FIRST_DELAY
    assert delivery.deliver(message.pk) is None, "the back-off must be waited for"
    with mail_server(settings) as server:
        lapse(message)
        tasks.sweep_outbox()
    assert len(server.mails) == 1


def test_connection_killed_midway_is_tried_again_under_the_same_message_id(settings):
    message = make_message()
    seen = []

    def hang_up(server, envelope):
        seen.append(envelope.content)
        server.transport.abort()
        return "250 too late"

    with mail_server(settings, hang_up):
        assert delivery.deliver(message.pk) == "queued"
    lapse(message)
    with mail_server(settings) as server:
        assert delivery.deliver(message.pk) == "sent"
    first = next(line for line in seen[0].decode().splitlines() if line.startswith("Message-ID"))
    assert first == f"Message-ID: {server.mails[0]['Message-ID']}"


@pytest.mark.parametrize(
    ("answer", "status"),
    [("451 greylisted", "queued"), ("550 no such mailbox", "failed"), ("552 too big", "failed")],
)
def test_the_servers_answer_decides(settings, answer, status):
    message = make_message()
    with mail_server(settings, lambda server, envelope: answer):
        assert delivery.deliver(message.pk) == status
    message.refresh_from_db()
    assert message.status == status
    assert answer[4:] in message.last_error


def test_worker_dies_between_claim_and_send(settings):
    message = make_message()
    assert delivery.claim(message_id=message.pk) is not None
    with mail_server(settings) as server:
        tasks.sweep_outbox()
        assert server.mails == [], "the lease must be respected"
        lapse(message)
        tasks.sweep_outbox()
    assert len(server.mails) == 1
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("sent", 2)


def test_a_worker_that_comes_back_late_does_not_undo_the_next_ones_mark(settings):
    message = make_message()
    late = delivery.claim(message_id=message.pk)
    lapse(message)
    current = delivery.claim(message_id=message.pk)
    use_mail_server(settings, free_port())
    delivery.send_claimed(late)
    message.refresh_from_db()
    assert message.status == "sending", "the second worker is still at it"
    with mail_server(settings) as server:
        delivery.send_claimed(current)
    assert len(server.mails) == 1
    message.refresh_from_db()
    assert message.status == "sent"


def test_attempts_have_a_limit(settings):
    message = make_message()
    lapse(message, attempts=delivery.MAX_ATTEMPTS - 1)
    use_mail_server(settings, free_port())
    assert delivery.deliver(message.pk) == "failed"
    assert delivery.deliver(message.pk) is None


def test_a_message_that_kills_every_worker_is_left_to_the_office():
    message = make_message()
    delivery.claim(message_id=message.pk)
    lapse(message, attempts=delivery.MAX_ATTEMPTS)
    assert delivery.claim() is None
    message.refresh_from_db()
    assert message.status == "failed"


def test_all_attempts_span_more_than_a_day():
    delays = [delivery.backoff(attempt) for attempt in range(1, delivery.MAX_ATTEMPTS)]
    assert delays[:3] == [dt.timedelta(seconds=15), dt.timedelta(seconds=30), dt.timedelta(seconds=60)]
    assert sum(delays, dt.timedelta()) > dt.timedelta(days=1)


def test_broken_template_fails_and_stops_nobody_else(settings):
    broken = make_message(template="trial/broken", lane=Lane.URGENT)
    missing = make_message(template="trial/no_such", lane=Lane.URGENT)
    whole = make_message()
    with mail_server(settings) as server:
        tasks.sweep_outbox()
    assert len(server.mails) == 1
    statuses = Message.objects.in_bulk([broken.pk, missing.pk, whole.pk])
    assert [statuses[m.pk].status for m in (broken, missing, whole)] == ["failed", "failed", "sent"]
    assert "TemplateDoesNotExist" in statuses[missing.pk].last_error


def test_urgent_goes_first_and_later_waits(settings):
    bulk = make_message(to="bulk@example.org")
    urgent = make_message(to="urgent@example.org", lane=Lane.URGENT)
    make_message(to="later@example.org", not_before=timezone.now() + dt.timedelta(hours=1))
    with mail_server(settings) as server:
        tasks.sweep_outbox()
    assert [mail["To"] for mail in server.mails] == [urgent.to, bulk.to]


def test_a_sweep_gives_up_early_when_the_peer_is_away(settings):
    for _number in range(5):
        make_message()
    use_mail_server(settings, free_port())
    assert delivery.deliver_due() == 3
    assert Message.objects.filter(status=MessageStatus.QUEUED).count() == 5


def test_one_dedupe_key_is_one_message():
    first = make_message(dedupe_key="permit:1:active")
    assert make_message(dedupe_key="permit:1:active", to="other@example.org").pk == first.pk


def test_secret_is_sent_then_wiped_and_masked(settings):
    message = make_message(secret_context={"link": "/password/abc&def/"})
    assert b"abc" not in bytes(message.secret_context)
    with mail_server(settings) as server:
        delivery.deliver(message.pk)
    text, html = (part.get_payload(decode=True).decode() for part in server.mails[0].get_payload())
    assert "/password/abc&def/" in text
    assert "/password/abc&amp;def/" in html
    message.refresh_from_db()
    assert message.secret_context is None
    assert "abc" not in message.body + message.html + message.subject + message.last_error + str(message.context)
    assert "[secret]" in message.body
    assert "[secret]" in message.html


def test_secret_survives_a_failure_and_is_wiped_days_later(settings):
    message = make_message(secret_context={"link": "/password/abc/"})
    with mail_server(settings, lambda server, envelope: "550 no"):
        delivery.deliver(message.pk)
    message.refresh_from_db()
    assert secrets.decrypt(message.secret_context) == {"link": "/password/abc/"}
    assert "abc" not in message.body
    Message.objects.update(created_at=timezone.now() - dt.timedelta(days=4))
    tasks.sweep_outbox()
    message.refresh_from_db()
    assert message.secret_context is None


def test_sms_goes_to_the_named_backend_only(settings):
    settings.SMS_BACKEND = ""
    message = make_sms()
    assert delivery.deliver(message.pk) == "failed"
    message.refresh_from_db()
    assert message.last_error == "SMS is not configured."
    settings.SMS_BACKEND = "demo.mail.DemoSms"
    message = make_sms()
    assert delivery.deliver(message.pk) == "sent"
    message.refresh_from_db()
    assert message.body == "Hello Maya, code 1234"


@pytest.mark.parametrize("address", ["no-at-sign", "a@b@c d", "x@example.org\nBcc: y@example.org"])
def test_bad_address_fails_at_once(settings, address):
    message = make_message(to=address)
    with mail_server(settings) as server:
        assert delivery.deliver(message.pk) == "failed"
    assert server.mails == []


def test_rolled_back_deed_sends_nothing(settings):
    with transaction.atomic():
        make_message()
        transaction.set_rollback(True)
    assert Message.objects.count() == 0


def test_send_again(settings, django_capture_on_commit_callbacks):
    failed, sent = make_message(), make_message()
    with mail_server(settings, lambda server, envelope: "550 no"):
        delivery.deliver(failed.pk)
    with mail_server(settings) as server:
        delivery.deliver(sent.pk)
        assert services.send_again(message=failed, actor=None).pk == failed.pk
        copy = services.send_again(message=sent, actor=None)
        assert services.send_again(message=sent, actor=None).pk != copy.pk
        tasks.sweep_outbox()
    assert len(server.mails) == 4
    assert len({mail["Message-ID"] for mail in server.mails}) == 4


def test_a_wiped_secret_is_not_sent_again(settings):
    message = make_message(secret_context={"link": "/password/abc/"})
    assert services.can_send_again(message).code == "waiting"
    with mail_server(settings):
        delivery.deliver(message.pk)
    message.refresh_from_db()
    assert services.can_send_again(message).code == "secret_gone"


def test_cancelled_message_is_not_sent(settings):
    message = make_message(secret_context={"link": "/password/abc/"})
    services.cancel_message(message=message)
    with mail_server(settings) as server:
        assert delivery.deliver(message.pk) is None
        tasks.sweep_outbox()
    assert server.mails == []


def test_task_names_are_those_of_the_schedule(settings):
    from opscom.celery import app

    app.loader.import_default_modules()
    assert settings.CELERY_BEAT_SCHEDULE["send what the outbox still holds"]["task"] in app.tasks
    assert "messaging.deliver_message" in app.tasks
