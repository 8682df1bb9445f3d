"""The books: what goes to the bookkeeping adds up, what is unmatched is named, and who is exempt pays no tax."""

import csv
import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
from django.urls import reverse

from office import tasks
from office.proving import is_proof_due, prove_books
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from opscom.provider.selectors import local_date, start_of_day
from payments import journal
from payments.balance import daily_balance, list_unmatched
from payments.documents import render_receipt
from payments.models import (
    AccountCode,
    BooksProof,
    GatewayEvent,
    Order,
    OrderLine,
    Payment,
    PaymentMethod,
    TaxExemption,
    TaxRate,
)
from payments.selectors import receipts
from payments.services.refunding import refund_line
from payments.tasks import send_refunds
from permits.models import PermitType
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import make_buyer, make_sale, offer_demo_bank, reserve
from tests.factories.vehicles import set_provider
from tests.office.money import line_of, pay_for_permit

pytestmark = pytest.mark.django_db
PAGE = "/admin/payments/booksproof/balance/"


def today() -> tuple[dt.date, dt.date]:
    return local_date(), local_date() + dt.timedelta(days=1)


def with_accounts() -> Order:
    """Return a paid order of $100.00 and 13 % tax, with an account for each side of it."""
    codes = {code: AccountCode.objects.create(code=code, name={"en": code}) for code in ("1000", "4000", "2300")}
    rate = TaxRate.objects.create(name={"en": "HST"}, percent=13, number="RT1", account_code=codes["2300"])
    sale = make_sale()
    sale.permit_type.taxes.add(rate)
    PermitType.objects.update(account_code=codes["4000"])
    offer_demo_bank()
    PaymentMethod.objects.update(account_code=codes["1000"])
    order = order_permit(reserve(sale))
    payment = go_to_bank(order)
    pay_at_bank(payment)
    from payments.services.confirming import confirm_payment

    confirm_payment(payment)
    return order


def sums_of(entries: list[journal.Entry]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for one in entries:
        found[one.account] = found.get(one.account, Decimal(0)) + one.debit - one.credit
    return found


def test_a_payment_and_its_refund_in_the_journal(clerk):
    order = with_accounts()
    entries = list(journal.journal(*today()))
    assert sums_of(entries) == {"1000": Decimal("113.00"), "4000": Decimal("-100.00"), "2300": Decimal("-13.00")}
    refund_line(line=line_of(order), actor=clerk, amount=Decimal("56.50"))
    send_refunds()
    entries = list(journal.journal(*today()))
    assert sums_of(entries) == {"1000": Decimal("56.50"), "4000": Decimal("-50.00"), "2300": Decimal("-6.50")}
    by_document = {one.reference for one in entries}
    for reference in by_document:
        mine = [one for one in entries if one.reference == reference]
        assert sum(one.debit for one in mine) == sum(one.credit for one in mine)


def test_money_that_nobody_matched_stands_as_unmatched():
    payment = pay_for_permit().payments.get()
    Payment.objects.update(needs_review="amount")
    assert sums_of(list(journal.journal(*today())))["unmatched"] == -payment.received_amount


def test_no_cell_is_a_formula(client_of, administrator):
    order = pay_for_permit()
    OrderLine.objects.update(label="=HYPERLINK(1)", account_code="@SUM")
    Order.objects.update(code="+1+1")
    answer = client_of(administrator).get(PAGE, {"first": local_date(), "last": local_date(), "csv": "1"})
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert len(rows) == 3, order
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert AuditEntry.objects.get(action="books.exported").actor == administrator
    again = client_of(administrator).get(PAGE, {"first": local_date(), "last": local_date(), "xlsx": "1"})
    assert again.content.startswith(b"PK")


def test_the_balance_by_day_gateway_and_method(client_of, administrator, clerk):
    order = pay_for_permit()
    refund_line(line=line_of(order), actor=clerk, amount=Decimal("40.00"))
    send_refunds()
    [row] = daily_balance(*today())
    assert (row.gateway, row.method, row.payments, row.net) == ("demo-bank", "Credit Card", 1, Decimal("60.00"))
    assert list_unmatched() == []
    text = client_of(administrator).get(PAGE).content.decode()
    assert "$60.00" in text
    assert "every payment and refund has its match" in text


def test_what_is_unmatched_is_named():
    pay_for_permit()
    Payment.objects.update(needs_review="amount")
    GatewayEvent.objects.create(gateway="demo-bank", event_id="x", reference="NOBODY")
    assert [(one.count, one.amount) for one in list_unmatched()] == [(1, Decimal("100.00")), (1, None)]


@pytest.mark.parametrize("period", [("2026-02-01", "2026-01-01"), ("2020-01-01", "2026-01-01"), ("x", "2026-01-01")])
def test_a_period_that_cannot_be_is_refused(client_of, administrator, period):
    answer = client_of(administrator).get(PAGE, {"first": period[0], "last": period[1], "csv": "1"})
    assert answer.status_code == 422


def test_only_who_sees_the_books_sees_the_balance(client_of, clerk, cashier):
    assert client_of(clerk).get(PAGE).status_code == 403
    assert client_of(cashier).get(PAGE).status_code == 200


@pytest.mark.parametrize("rows", [1, 3])
def test_the_balance_costs_the_same(client_of, administrator, rows, django_assert_num_queries):
    for _row in range(rows):
        pay_for_permit()
    client = client_of(administrator)
    client.get(PAGE)
    with django_assert_num_queries(14):
        client.get(PAGE)


# The proof


def test_the_nightly_proof_finds_nothing(db):
    set_provider(email="office@example.org")
    pay_for_permit()
    assert prove_books().is_clean
    assert BooksProof.objects.get().is_clean
    assert not Message.objects.filter(template="office/books_differ").exists()


def test_the_nightly_proof_names_what_differs(client_of, administrator):
    set_provider(email="office@example.org")
    order = pay_for_permit()
    Order.objects.filter(pk=order.pk).update(net=Decimal("7.00"), total=Decimal("7.00"))
    assert not prove_books().is_clean
    assert order.code in " ".join(BooksProof.objects.get().findings)
    letter = Message.objects.get(template="office/books_differ")
    assert letter.to == "office@example.org"
    page = client_of(administrator).get(reverse("admin:payments_booksproof_change", args=[BooksProof.objects.get().pk]))
    assert order.code in page.content.decode()


# Exemptions


@pytest.mark.parametrize(
    ("starts", "ends", "named", "tax"),
    [(-10, 10, None, "0.00"), (-10, 0, None, "13.00"), (1, 10, None, "13.00"), (-10, 10, "other", "13.00")],
)
def test_who_is_exempt_pays_no_tax_while_it_lasts(clerk, starts, ends, named, tax):
    offer_demo_bank()
    sale = make_sale()
    sale.permit_type.taxes.add(TaxRate.objects.create(name={"en": "HST"}, percent=13, number="RT1"))
    buyer, _ownership = make_buyer()
    days = [local_date() + dt.timedelta(days=days) for days in (starts, ends)]
    exemption = TaxExemption.objects.create(person=buyer, number="EX-77", starts_on=days[0], ends_on=days[1])
    if named:
        exemption.taxes.add(TaxRate.objects.create(name={"en": "PST"}, percent=8, number="RT2"))
    order = order_permit(reserve(sale, buyer))
    assert order.tax == Decimal(tax)
    assert order.exemption_number == ("EX-77" if tax == "0.00" else "")


def test_each_night_has_one_proof_however_often_it_is_asked():
    assert is_proof_due()
    tasks.prove_books()
    tasks.prove_books()
    assert BooksProof.objects.count() == 1
    tonight = start_of_day(local_date()) + dt.timedelta(days=1, hours=3)
    BooksProof.objects.update(proved_at=tonight - dt.timedelta(minutes=1))
    assert not is_proof_due(tonight - dt.timedelta(seconds=1))
    assert is_proof_due(tonight + dt.timedelta(seconds=1))


def test_the_office_sees_on_its_first_page_that_something_differs(client_of, administrator):
    pay_for_permit()
    prove_books()
    assert "Things in the books that differ" not in client_of(administrator).get("/admin/").content.decode()
    Order.objects.update(net=Decimal("7.00"), total=Decimal("7.00"))
    prove_books()
    assert "Things in the books that differ" in client_of(administrator).get("/admin/").content.decode()


def test_the_exemption_stands_on_the_receipt(client_of):
    order = pay_for_permit()
    Order.objects.update(exemption_number="EX-77")
    page = client_of(order.payer).get(reverse("payments:receipt", args=[order.code]))
    assert "EX-77" in page.content.decode()
    assert "EX-77" in render_receipt(receipts().get(pk=order.pk))


# The journal, once more


def test_the_journal_asks_the_same_for_one_and_three(django_assert_num_queries):
    for count in (1, 3):
        while Payment.objects.count() < count:
            pay_for_permit()
        with django_assert_num_queries(5):
            list(journal.journal(*today()))


def test_taxes_without_a_number_are_told_apart():
    order = with_accounts()
    TaxRate.objects.update(number="")
    other = AccountCode.objects.create(code="9999", name={"en": "Other"})
    TaxRate.objects.create(name={"en": "Other"}, percent=1, number="", account_code=other)
    line = order.lines.get()
    OrderLine.objects.update(taxes=[{**tax, "number": ""} for tax in line.taxes])
    assert sums_of(list(journal.journal(*today())))["2300"] == Decimal("-13.00")


def test_a_spreadsheet_can_add_the_sums_up():
    pay_for_permit()
    table = journal.as_table(journal.journal(*today())).export("xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(table)).active
    assert sheet.cell(2, 6).value == 100
