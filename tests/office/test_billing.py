"""Companies' billing accounts and statements in the office."""

from collections.abc import Iterator

import pytest
from django.urls import reverse

from accounts.models import Company
from opscom.messaging.models import Message
from payments import purchasables
from payments.models import BillingAccount, CardSave, Statement, StatementDocument, StatementStatus, StoredMethod
from payments.services.forgetting import remove_stored
from payments.services.storing import confirm_card_save, start_card_save
from payments.statement_documents import make_statement
from payments.tasks import issue_statements, send_statements
from tests.factories.accounts import PASSWORD
from tests.factories.bank_cards import store_at_bank
from tests.factories.billing import open_account
from tests.factories.companies import make_company
from tests.factories.payments import offer_method
from tests.factories.peers import ScriptedProduct
from tests.factories.permits import offer_demo_bank
from tests.factories.statements import charge, make_account
from tests.factories.stored import offer_storing

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    return make_company(name="Northbuild", contact_name="Nora", contact_email="nora@northbuild.example")


@pytest.fixture
def account(company) -> BillingAccount:
    offer_demo_bank()
    offer_storing()
    return open_account(company, "card")


def page(row: object, name: str = "change") -> str:
    return reverse(f"admin:payments_{row._meta.model_name}_{name}", args=[row.pk])


def test_an_account_is_opened_and_its_rules_are_told(client_of, cashier, company):
    client, url = client_of(cashier), reverse("admin:payments_billingaccount_add")
    values = {"company": company.pk, "kind": "journal", "journal_code": "", "days_to_pay": 30, "is_active": "on"}
    refused = client.post(url, values)
    assert "needs its code" in refused.content.decode()
    assert client.post(url, values | {"journal_code": "J-7"}).status_code == 302
    account = BillingAccount.objects.get()
    assert (account.company, account.journal_code) == (company, "J-7")


def begin(client, account) -> CardSave:
    answer = client.post(page(account, "store_card"), {"password": PASSWORD, "method": offer_storing().pk})
    assert answer.status_code == 302
    return CardSave.objects.latest("pk")


def store(account, actor, card: str = "4242424242424242") -> StoredMethod:
    start_card_save(actor=actor, method=offer_storing(), uses=[], company=account.company)
    save = CardSave.objects.latest("pk")
    store_at_bank(save.reference, card)
    confirm_card_save(save)
    return StoredMethod.objects.latest("pk")


def test_the_office_stores_a_company_s_card(client_of, cashier, account):
    client = client_of(cashier)
    asked = client.get(page(account, "store_card"))
    assert "Northbuild" in asked.content.decode()
    assert client.post(page(account, "store_card"), {"password": "no", "method": offer_storing().pk}).status_code == 422
    save = begin(client, account)
    assert (save.company, save.person, save.uses) == (account.company, None, [])
    store_at_bank(save.reference)
    back = client.get(reverse("payments:card-return", args=[save.reference]))
    assert back.url == page(account)
    account.refresh_from_db()
    stored = StoredMethod.objects.get()
    assert (account.stored_method, stored.company, stored.set_up_by) == (stored, account.company, cashier)
    letter = Message.objects.get(template="payments/company_card_stored")
    assert letter.to == "nora@northbuild.example"
    assert "Credit Card successfully stored" in client.get(page(account)).content.decode()


def test_a_card_does_not_depend_on_what_the_clerk_may_store(cashier, account):
    offer_storing()
    method = offer_method("demo-bank", uses=[])
    start_card_save(actor=cashier, method=method, uses=[], company=account.company)
    assert CardSave.objects.count() == 1


def test_a_new_card_takes_the_place_of_the_former(cashier, account):
    first = store(account, cashier)
    second = store(account, cashier, "5555555555554444")
    account.refresh_from_db()
    first.refresh_from_db()
    assert (account.stored_method, bool(first.removed_at), second.removed_at) == (second, True, None)
    assert Message.objects.filter(template="payments/company_card_removed").count() == 1


def test_reported_late_it_is_stored_once(cashier, account):
    stored = store(account, cashier)
    confirm_card_save(CardSave.objects.get())
    account.refresh_from_db()
    stored.refresh_from_db()
    assert (account.stored_method, stored.removed_at, StoredMethod.objects.count()) == (stored, None, 1)


def test_a_card_that_no_account_asks_for_is_removed(cashier, account):
    start_card_save(actor=cashier, method=offer_storing(), uses=[], company=account.company)
    save = CardSave.objects.get()
    store_at_bank(save.reference)
    BillingAccount.objects.update(kind="invoice")
    confirm_card_save(save)
    assert StoredMethod.objects.get().removed_at
    assert BillingAccount.objects.get().stored_method is None


def test_removed_here_it_is_unlinked_and_its_company_is_told(client_of, cashier, account):
    stored = store(account, cashier)
    client = client_of(cashier)
    assert client.post(page(account, "remove_card"), {"password": PASSWORD}).status_code == 302
    account.refresh_from_db()
    stored.refresh_from_db()
    assert (account.stored_method, bool(stored.removed_at)) == (None, True)
    assert Message.objects.filter(template="payments/company_card_removed", to="nora@northbuild.example").count() == 1
    assert remove_stored(stored_method=stored, actor=cashier) is False


def test_the_kind_stays_while_a_card_is_stored(client_of, cashier, account):
    store(account, cashier)
    answer = client_of(cashier).post(page(account), {"kind": "invoice", "days_to_pay": 30, "is_active": "on"})
    assert "remove it first" in answer.content.decode()


def test_no_card_for_who_pays_by_invoice(client_of, cashier, company):
    assert client_of(cashier).get(page(open_account(company), "store_card")).status_code == 404


@pytest.mark.parametrize("name", ["store_card", "remove_card"])
def test_not_by_a_clerk(client_of, clerk, account, name):
    assert client_of(clerk).post(page(account, name), {"password": PASSWORD}).status_code == 403
    assert not CardSave.objects.exists()


@pytest.fixture
def things() -> Iterator[None]:
    """Things that can be bought."""
    product = ScriptedProduct()
    purchasables.register(product)
    yield
    del purchasables._registry[product.kind]


@pytest.fixture
def statement(company, things) -> Statement:
    charge(make_account(company), things=2)
    issue_statements()
    return Statement.objects.get()


def test_a_statement_is_sent_once_with_its_file(statement, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert [send_statements(), send_statements()] == [1, 0]
    make_statement(statement.pk)
    letter = Message.objects.get(template="payments/statement")
    document = StatementDocument.objects.get()
    assert (letter.to, letter.attachments) == ("nora@northbuild.example", [document.file.name])
    with document.file.open("rb") as file:
        assert file.read(5) == b"%PDF-"
    assert "200.00" in letter.context["total"]


def test_a_company_without_an_address_gets_no_letter(statement, company):
    Company.objects.update(contact_email="")
    make_statement(statement.pk)
    assert not Message.objects.filter(template="payments/statement").exists()


def test_the_office_reads_a_statement_and_marks_it_as_paid_once(client_of, cashier, statement):
    client = client_of(cashier)
    assert "$200.00" in client.get(page(statement)).content.decode()
    assert client.get(page(statement, "as_pdf")).status_code == 302
    make_statement(statement.pk)
    assert client.get(page(statement, "as_pdf"))["Content-Type"] == "application/pdf"
    assert statement.code in client.get(page(statement, "as_csv")).content.decode()
    url = page(statement, "mark_paid")
    assert client.post(url, {"password": PASSWORD, "reference": ""}).status_code == 422
    assert client.post(url, {"password": "no", "reference": "T-1"}).status_code == 422
    assert client.post(url, {"password": PASSWORD, "reference": "T-1"}).status_code == 302
    statement.refresh_from_db()
    assert (statement.status, statement.paid_reference, statement.paid_recorded_by) == (
        StatementStatus.PAID,
        "T-1",
        cashier,
    )
    assert client.post(url, {"password": PASSWORD, "reference": "T-2"}).status_code == 422


def test_a_clerk_reads_and_does_not_mark(client_of, clerk, statement):
    client = client_of(clerk)
    assert client.get(page(statement, "as_csv")).status_code == 200
    assert client.post(page(statement, "mark_paid"), {"password": PASSWORD, "reference": "x"}).status_code == 403


def test_an_overdue_statement_says_so(client_of, cashier, statement):
    Statement.objects.update(due_on="2020-01-01")
    words = client_of(cashier).get(reverse("admin:payments_statement_changelist")).content.decode()
    assert "Overdue" in words
