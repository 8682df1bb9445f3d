"""Mail down, the gateway late: the driver gets the code, and nobody pays for nothing."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from opscom.messaging import delivery
from opscom.messaging.models import Message
from payments.gateways.base import Event
from payments.guests import sign_order
from payments.models import Payment
from payments.services.confirming import handle_event, keep_event
from payments.tasks import reconcile_payments
from tests.factories.boots import TWENTY, make_booting, order_release, pay_for_release, set_policy
from tests.factories.messaging import free_port, mail_server, use_mail_server
from tests.factories.payments import go_to_bank, offer_method, pay_at_bank

pytestmark = pytest.mark.django_db
CODE = "6190-Z"


@pytest.fixture(autouse=True)
def policy(client) -> None:
    offer_method("demo-bank", is_for_guests=True)
    set_policy(deposit=TWENTY)
    client.cookies["language"] = "en"


def receipt_of(client, payment: Payment) -> str:
    return client.get(reverse("payments:guest", args=[sign_order(payment.order)])).content.decode()


def test_mail_is_down_and_the_code_stands_on_the_receipt(client, resident, settings):
    booting = make_booting(resident, code=CODE)
    use_mail_server(settings, free_port())
    payment = pay_for_release(booting)
    delivery.deliver_due()
    assert Message.objects.get(template="boots/code").status == "queued"
    assert CODE in receipt_of(client, payment)
    Message.objects.update(not_before=timezone.now() - dt.timedelta(seconds=1))
    with mail_server(settings) as server:
        delivery.deliver_due()
        delivery.deliver_due()
    assert Message.objects.get(template="boots/code").status == "sent"
    assert len([mail for mail in server.mails if CODE in str(mail)]) == 1


@pytest.mark.parametrize("way", ["webhook", "reconciler"])
def test_gateway_reports_late_and_the_payer_never_came_back(client, resident, way):
    booting = make_booting(resident, code=CODE)
    payment = go_to_bank(order_release(booting))
    pay_at_bank(payment)
    booting.refresh_from_db()
    assert booting.released_at is None
    if way == "webhook":
        handle_event(keep_event(gateway_code="demo-bank", event=Event("evt-1", payment.reference), body=b"{}").pk)
    else:
        Payment.objects.update(next_check_at=timezone.now() - dt.timedelta(seconds=1))
        reconcile_payments()
    payment.refresh_from_db()
    assert CODE in receipt_of(client, payment)
    booting.refresh_from_db()
    assert booting.released_at
    assert Message.objects.filter(template="boots/code").count() == 1


def test_whoever_comes_back_before_the_bank_has_answered_waits_and_gets_no_code(client, resident):
    booting = make_booting(resident, code=CODE)
    payment = go_to_bank(order_release(booting))
    page = client.get(reverse("payments:guest", args=[sign_order(payment.order)]), follow=True)
    assert CODE not in page.content.decode()
    assert not Message.objects.filter(template="boots/code").exists()
