"""Payroll and transfers in the office: the file is made and downloaded, results are looked at and then count."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.roles import AUDITOR
from payments.models import CollectionPeriod, CollectionStatus, Debt, Deduction, DeductionStatus, MethodKind
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.deductions import open_period, send_file, set_up
from tests.factories.payments import order_permit
from tests.factories.permits import make_sale, offer_demo_bank, reserve

pytestmark = pytest.mark.django_db


@pytest.fixture
def deduction() -> Deduction:
    from payments.services.paying import pay_order

    offer_demo_bank()
    order = order_permit(reserve(make_sale()))
    stored = set_up(order.payer)
    pay_order(order=order, method_code=f"stored:{stored.code}", actor=order.payer)
    return Deduction.objects.get()


def page(period: CollectionPeriod, name: str = "change") -> str:
    return reverse(f"admin:payments_collectionperiod_{name}", args=[period.pk])


def csv(deduction: Deduction, word: str = "refused") -> SimpleUploadedFile:
    content = f"reference,result,reason\n{deduction.payment.reference},{word},No wages\n"
    return SimpleUploadedFile("results.csv", content.encode())


def test_a_period_is_opened(client_of, cashier):
    client = client_of(cashier)
    url = reverse("admin:payments_collectionperiod_add")
    values = {"kind": MethodKind.PAYROLL, "starts_on": "2026-11-01", "ends_on": "2026-11-15"}
    assert client.post(url, values | {"ends_on": "2026-10-01"}).status_code == 200
    assert client.post(url, values).status_code == 302
    period = CollectionPeriod.objects.get()
    assert str(period.last_day) == "2026-11-14"
    assert client.get(page(period)).status_code == 200


def test_the_file_is_made_with_a_password_and_downloaded(client_of, cashier, deduction):
    period, client = open_period(), client_of(cashier)
    assert "Waiting now" in client.get(page(period, "make_file")).content.decode()
    assert client.post(page(period, "make_file"), {"password": "wrong"}).status_code == 422
    assert client.post(page(period, "make_file"), {"password": PASSWORD}).status_code == 302
    period.refresh_from_db()
    assert (period.status, period.sent_by) == (CollectionStatus.SENT, cashier)
    answer = client.get(page(period, "download"))
    assert answer["Content-Type"].startswith("text/csv")
    assert deduction.payment.reference in answer.content.decode()


def test_no_file_before_it_is_made(client_of, cashier):
    assert client_of(cashier).get(page(open_period(), "download")).status_code == 302


def test_results_are_looked_at_and_then_count(client_of, cashier, deduction):
    period, client = send_file(), client_of(cashier)
    look = client.post(page(period, "read_results"), {"file": csv(deduction)})
    words = look.content.decode()
    assert "Refused: owed again" in words
    assert "No wages" in words
    deduction.refresh_from_db()
    assert deduction.status == DeductionStatus.SENT
    lines = look.context["form"].initial["lines"]
    wrong = client.post(page(period, "read_results"), {"lines": lines, "password": "wrong"})
    assert wrong.status_code == 422
    assert "No wages" in wrong.content.decode()
    assert not Debt.objects.exists()
    assert client.post(page(period, "read_results"), {"lines": lines, "password": PASSWORD}).status_code == 302
    deduction.refresh_from_db()
    period.refresh_from_db()
    assert (deduction.status, period.status) == (DeductionStatus.REFUSED, CollectionStatus.CLOSED)
    assert Debt.objects.count() == 1


def test_what_was_not_looked_at_does_not_count(client_of, cashier, deduction):
    period, client = send_file(), client_of(cashier)
    forged = client.post(page(period, "read_results"), {"lines": "W10:forged", "password": PASSWORD})
    assert forged.status_code == 422
    bad = client.post(page(period, "read_results"), {"file": SimpleUploadedFile("x.csv", b"a,b\n")})
    assert bad.status_code == 422
    assert "first line" in bad.content.decode()
    deduction.refresh_from_db()
    assert deduction.status == DeductionStatus.SENT


@pytest.mark.parametrize("name", ["make_file", "download", "read_results"])
def test_not_without_the_right(client_of, clerk, deduction, name):
    period = send_file()
    for person in (clerk, make_user(role=AUDITOR)):
        assert client_of(person).get(page(period, name)).status_code == 403
        assert client_of(person).post(page(period, name), {"password": PASSWORD}).status_code == 403


def test_the_list_of_deductions(client_of, cashier, deduction):
    words = client_of(cashier).get(reverse("admin:payments_deduction_changelist")).content.decode()
    assert deduction.payment.reference in words
    assert "E-1001" in words
