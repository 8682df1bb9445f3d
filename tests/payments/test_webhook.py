"""What gateways report: signed, kept once, and never believed without asking back."""

import json

import pytest
from django.test import Client

from demo.bank.gateway import SIGNATURE_HEADER, sign
from demo.bank.models import BankReport
from demo.bank.reports import send_due_reports
from payments import tasks
from payments.models import GatewayEvent, Payment, PaymentStatus
from permits.models import PermitStatus
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import make_sale, offer_demo_bank, reserve

URL = "/payments/webhooks/demo-bank/"
TWICE = "4000000000000341"


@pytest.fixture(autouse=True)
def bank(db: None) -> None:
    offer_demo_bank()


@pytest.fixture
def payment() -> Payment:
    return go_to_bank(order_permit(reserve(make_sale())))


def report(reference: str, *, event: str = "evt-1", signature: str | None = None, url: str = URL):
    """Post as a bank does: no session, no CSRF token."""
    body = json.dumps({"id": event, "reference": reference}).encode()
    browser = Client(enforce_csrf_checks=True)
    headers = {SIGNATURE_HEADER: sign(body) if signature is None else signature}
    return browser.post(url, body, content_type="application/json", headers=headers)


def handle_all() -> None:
    for event in GatewayEvent.objects.filter(handled_at=None):
        tasks.handle_event(event.pk)


def test_a_signed_report_of_money_that_is_in_settles(payment) -> None:
    pay_at_bank(payment)
    assert report(payment.reference).status_code == 204
    handle_all()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.APPROVED
    assert GatewayEvent.objects.get().handled_at


def test_a_report_is_not_believed(payment) -> None:
    assert report(payment.reference).status_code == 204
    handle_all()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.STARTED


@pytest.mark.parametrize("signature", ["", "0" * 64, "ünsigned"])
def test_a_wrong_signature_is_refused_and_not_kept(payment, signature) -> None:
    assert report(payment.reference, signature=signature).status_code == 400
    assert not GatewayEvent.objects.exists()


def test_a_signature_belongs_to_its_body(payment) -> None:
    other = sign(json.dumps({"id": "evt-1", "reference": "another"}).encode())
    assert report(payment.reference, signature=other).status_code == 400


def test_an_unknown_gateway_is_not_found(payment) -> None:
    assert report(payment.reference, url="/payments/webhooks/nobody/").status_code == 404


def test_only_post(client) -> None:
    assert client.get(URL).status_code == 405


def test_a_repeated_report_is_kept_once(payment) -> None:
    pay_at_bank(payment)
    for _time in range(3):
        assert report(payment.reference).status_code == 204
        handle_all()
    assert GatewayEvent.objects.count() == 1
    assert Payment.objects.filter(status=PaymentStatus.APPROVED).count() == 1


def test_an_unknown_reference_is_kept_and_closed() -> None:
    assert report("NOBODY").status_code == 204
    handle_all()
    assert GatewayEvent.objects.get().handled_at


@pytest.mark.django_db(transaction=True)
def test_the_bank_reports_over_http_twice(live_server, settings) -> None:
    settings.SITE_URL = live_server.url
    permit = reserve(make_sale())
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment, TWICE)
    BankReport.objects.update(due_at=payment.created_at)
    assert send_due_reports() == 2
    assert send_due_reports() == 0
    assert BankReport.objects.filter(sent_at=None).count() == 0
    assert GatewayEvent.objects.count() == 1
    handle_all()
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_a_portal_that_is_away_gets_the_report_later(live_server, settings) -> None:
    payment = go_to_bank(order_permit(reserve(make_sale())))
    pay_at_bank(payment)
    BankReport.objects.update(due_at=payment.created_at)
    settings.SITE_URL = "http://127.0.0.1:9"
    assert send_due_reports() == 0
    settings.SITE_URL = live_server.url
    assert send_due_reports() == 1
