"""Redis or the mail server being away: the purchase completes, and nothing is lost."""

import time
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from opscom.core.cache import ForgivingRedisCache
from opscom.messaging import services
from opscom.messaging import tasks as messaging_tasks
from opscom.messaging.models import Message, MessageStatus
from payments import tasks
from payments.models import Order, OrderStatus, Payment, ReceiptDocument
from permits.models import Permit, PermitStatus
from tests.factories.messaging import free_port, mail_server
from tests.factories.payments import pay_at_bank
from tests.factories.permits import make_sale, offer_demo_bank, reserve
from tests.races.together import assert_books_and_numbers_are_right

# Real transactions: what follows a commit must really follow it.
pytestmark = pytest.mark.django_db(transaction=True)
APPROVED = "4242424242424242"


@pytest.fixture
def no_redis(monkeypatch, settings) -> Iterator[None]:
    """Have this process's Celery and cache talk to a port on which nobody listens."""
    app = tasks.finish_order.app
    url, before = f"redis://127.0.0.1:{free_port()}/0", app.conf.broker_url
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    monkeypatch.setattr(services._broker, "away_until", 0.0)
    monkeypatch.setattr(cache._connections, "settings", {"default": {**settings.CACHES["default"], "LOCATION": url}})
    if hasattr(cache._connections._connections, "default"):
        del cache._connections["default"]
    app.conf.broker_url = url
    yield
    app.conf.broker_url = before
    if hasattr(cache._connections._connections, "default"):
        del cache._connections["default"]


def buy_by_clicks(browser: Client, permit: Permit) -> Payment:
    checkout = browser.post("/payments/", {"selected": [f"permit:{permit.pk}"]}).url
    assert browser.post(checkout, {"method": "demo-bank"}).status_code == 302
    payment = Payment.objects.get()
    pay_at_bank(payment, APPROVED)
    response = browser.get(f"/payments/return/{payment.reference}/", follow=True)
    assert response.status_code == 200
    assert "Thank you" in response.content.decode()
    return payment


def assert_bought(permit: Permit) -> None:
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE
    order = Order.objects.get()
    assert order.status == OrderStatus.PAID
    assert order.finished_at
    assert_books_and_numbers_are_right()


@pytest.mark.usefixtures("no_redis")
def test_without_redis_the_purchase_completes_and_the_receipt_waits(client_of, settings) -> None:
    assert isinstance(cache._connections["default"], ForgivingRedisCache)
    assert cache.get("anything") is None
    offer_demo_bank()
    permit = reserve(make_sale())
    browser = client_of(permit.holder)
    start = time.monotonic()
    payment = buy_by_clicks(browser, permit)
    # Five pages, each of which may wait a moment for Redis; minutes would mean that somebody retries.
    assert time.monotonic() - start < 30
    assert_bought(permit)
    letter = Message.objects.get(template="payments/receipt")
    assert letter.status == MessageStatus.QUEUED
    assert services._broker.away_until > 0, "it must have noticed"
    # The PDF's page does not fail either, and the sweeps make up for every lost task.
    assert browser.get(f"/payments/receipt/{payment.order.code}/pdf/").status_code == 200
    tasks.finish_paid_orders()
    assert ReceiptDocument.objects.count() == 1
    with mail_server(settings) as server:
        messaging_tasks.sweep_outbox()
    assert len(server.mails) == 1


def test_without_a_mail_server_the_receipt_waits_and_is_sent_once(client_of, settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    offer_demo_bank()
    permit = reserve(make_sale())
    buy_by_clicks(client_of(permit.holder), permit)
    assert_bought(permit)
    letter = Message.objects.get(template="payments/receipt")
    messaging_tasks.deliver_message(letter.pk)
    letter.refresh_from_db()
    assert (letter.status, letter.attempts) == (MessageStatus.QUEUED, 1)
    Message.objects.update(not_before=letter.created_at)
    with mail_server(settings) as server:
        messaging_tasks.sweep_outbox()
        messaging_tasks.sweep_outbox()
    assert len(server.mails) == 1
