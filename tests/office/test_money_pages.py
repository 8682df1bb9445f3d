"""Money in the office's site: looked at by those who may, moved by services only, never typed in."""

import pytest
from django.urls import reverse

from opscom.core.models import AuditEntry
from payments.models import GatewayEvent, Order, OrderLine, Payment, Refund, TaxRate
from permits.models import Permit
from tests.factories.accounts import PASSWORD
from tests.office.money import failed_refund, line_of, mismatched_payment, pay_for_permit

pytestmark = pytest.mark.django_db
MONEY = [Order, OrderLine, Payment, Refund, GatewayEvent]


def address(row: object, page: str = "change") -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/{page}/"


@pytest.mark.parametrize("model", MONEY)
def test_money_is_not_added_by_hand(client_of, administrator, model):
    path = reverse(f"admin:payments_{model._meta.model_name}_add")
    client = client_of(administrator)
    assert (client.get(path).status_code, client.post(path).status_code) == (403, 403)


def test_money_is_not_changed_or_deleted_by_hand(client_of, administrator):
    administrator.is_superuser = True
    administrator.save()
    order = pay_for_permit()
    refund = failed_refund(order, administrator)
    client = client_of(administrator)
    for row in (order, line_of(order), order.payments.get(), refund):
        assert client.get(address(row)).status_code == 200
        assert client.post(address(row), {"amount": "1.00", "total": "1.00", "status": "open"}).status_code == 403
        assert client.post(address(row, "delete"), {"post": "yes"}).status_code == 403
        changelist = f"/admin/payments/{row._meta.model_name}/"
        client.post(changelist, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
        before = (row.status, getattr(row, "amount", None))
        row.refresh_from_db()
        assert (row.status, getattr(row, "amount", None)) == before


def test_cashier_refunds_a_line_with_their_password(client_of, cashier):
    line = line_of(pay_for_permit())
    path = address(line, "refund")
    client = client_of(cashier)
    assert "$100.00" in client.get(path).content.decode()
    assert client.post(path, {"password": PASSWORD}).status_code == 302
    refund = Refund.objects.get()
    assert (refund.line, refund.requested_by, refund.amount) == (line, cashier, line.amount)
    assert AuditEntry.objects.get(action="refund.owed").actor == cashier
    assert Permit.objects.get().status == "cancelled"


@pytest.mark.parametrize("password", ["", "wrong password", PASSWORD.upper()])
def test_refund_without_the_right_password_does_nothing(client_of, cashier, password):
    line = line_of(pay_for_permit())
    response = client_of(cashier).post(address(line, "refund"), {"password": password})
    assert response.status_code == 422
    assert not Refund.objects.exists()
    line.refresh_from_db()
    assert line.status == "fulfilled"


def test_guessing_the_password_is_slowed(client_of, cashier):
    line = line_of(pay_for_permit())
    client = client_of(cashier)
    for _try in range(10):
        client.post(address(line, "refund"), {"password": "wrong"})
    assert "Too many tries" in client.post(address(line, "refund"), {"password": PASSWORD}).content.decode()
    assert not Refund.objects.exists()


def test_a_second_refund_of_a_line_says_why_not(client_of, cashier):
    line = line_of(pay_for_permit())
    client = client_of(cashier)
    client.post(address(line, "refund"), {"password": PASSWORD})
    response = client.post(address(line, "refund"), {"password": PASSWORD})
    assert response.status_code == 422
    assert "Only a paid line can be refunded." in response.content.decode()
    assert Refund.objects.count() == 1
    assert "Refund this line" not in client.get(address(line)).content.decode()


def test_a_clerk_cannot_refund(client_of, clerk):
    line = line_of(pay_for_permit())
    client = client_of(clerk)
    assert client.get(address(line, "refund")).status_code == 403
    assert client.post(address(line, "refund"), {"password": PASSWORD}).status_code == 403
    assert "Refund this line" not in client.get(address(line)).content.decode()
    payment = mismatched_payment()
    assert client.post(address(payment, "send-back"), {"password": PASSWORD}).status_code == 403
    assert not Refund.objects.exists()


def test_a_payment_that_does_not_match_is_sent_back(client_of, cashier):
    payment = mismatched_payment()
    client = client_of(cashier)
    assert "Send the payment back" in client.get(address(payment)).content.decode()
    assert client.post(address(payment, "send-back"), {"password": PASSWORD}).status_code == 302
    refund = Refund.objects.get()
    assert (refund.payment, refund.amount, refund.line) == (payment, payment.received_amount, None)
    assert AuditEntry.objects.get(action="refund.owed").actor == cashier
    again = client.post(address(payment, "send-back"), {"password": PASSWORD})
    assert "Only a payment that waits for review" in again.content.decode()
    assert Refund.objects.count() == 1


def test_failed_refunds_are_tried_again(client_of, cashier, clerk):
    refund = failed_refund(pay_for_permit(), cashier)
    data = {"action": "try_again", "_selected_action": [refund.pk]}
    client_of(clerk).post("/admin/payments/refund/", data)
    refund.refresh_from_db()
    assert refund.status == "failed"
    client_of(cashier).post("/admin/payments/refund/", data)
    refund.refresh_from_db()
    assert refund.status == "due"
    assert AuditEntry.objects.get(action="refund.retried").actor == cashier


@pytest.mark.parametrize("what", ["code", "name", "email"])
def test_orders_are_found(page_of, cashier, what):
    order, other = pay_for_permit(), pay_for_permit()
    words = {"code": order.code.lower(), "name": order.payer_name, "email": order.email}[what]
    text = page_of(cashier, "/admin/payments/order/", q=words)
    assert order.code in text
    assert other.code not in text


def test_payments_to_look_at_are_filtered(page_of, cashier):
    payment, other = mismatched_payment(), pay_for_permit().payments.get()
    text = page_of(cashier, "/admin/payments/payment/", review="waiting")
    assert payment.reference in text
    assert other.reference not in text


def test_a_changed_tax_stands_in_the_log(client_of, administrator):
    data = {"name_0": "HST", "name_1": "TVH", "percent": "13", "number": "RT1"}
    names = {"name_en": "HST", "name_fr_ca": "TVH"}
    client_of(administrator).post("/admin/payments/taxrate/add/", data | names)
    assert TaxRate.objects.get().percent == 13
    assert AuditEntry.objects.get(action="taxrate.added").actor == administrator
