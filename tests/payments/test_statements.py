"""A company's month: closed once, by person, to the cent; what comes late stands on the next."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.utils import timezone

from opscom.core.errors import IllegalMove, NotAllowed, Stale
from opscom.core.models import AuditEntry
from opscom.provider.selectors import local_date
from payments.invariants import check_books
from payments.models import Payment, Refund, Statement, StatementStatus
from payments.services.statements import accounts_to_close, ended_month, issue_statements, mark_paid
from payments.statements import as_table, describe_statement, statements
from payments.tasks import issue_statements as run_task
from tests.factories.accounts import make_user
from tests.factories.companies import make_company
from tests.factories.statements import charge, credit, issue, last_month, make_account, pay_twice
from tests.factories.vehicles import set_provider

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def things(gateway, product):
    set_provider(time_zone="America/Toronto")
    return product


@pytest.fixture
def account():
    return make_account(make_company(name="Northbuild"))


def describe(statement):
    return describe_statement(statements().get(pk=statement.pk))


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_the_month_is_listed_by_person_and_adds_up(account):
    maya = make_user(first_name="Maya", last_name="Chen", company=account.company)
    ana = make_user(first_name="Ana", last_name="Ruiz", company=account.company)
    charge(account, maya, things=2, at=last_month(3))
    first = charge(account, ana, at=last_month(4))
    charge(account, maya, at=last_month(2))
    credit(first, "40.00")
    statement = issue(account)
    said = describe(statement)
    assert [(person.name, len(person.lines), person.total) for person in said.people] == [
        ("Ana Ruiz", 2, Decimal("60.00")),
        ("Maya Chen", 3, Decimal("300.00")),
    ]
    assert [line.on.day for line in said.people[1].lines] == [2, 3, 3]
    credited = said.people[0].lines[1]
    assert (credited.what, credited.code, credited.amount) == (
        f"Credit: {first.order.lines.get().label}",
        first.order.code,
        Decimal("-40.00"),
    )
    assert statement.total == said.total == Decimal("360.00")
    assert (statement.status, statement.kind, statement.currency) == ("issued", "invoice", "CAD")
    assert statement.due_on == local_date() + dt.timedelta(days=30)
    assert AuditEntry.objects.get(action="statement.issued").object_id == statement.pk
    assert [*check_books()] == []


def test_twice_is_once(account):
    charge(account)
    assert run_task() == 1
    assert run_task() == 0
    assert issue_statements(account.pk) == []
    assert Statement.objects.count() == 1


def test_a_later_credit_stands_on_the_next_statement_and_may_be_all_of_it(account):
    payment = charge(account, at=last_month(1) - dt.timedelta(days=10))
    before = last_month(1)
    [old] = issue_statements(account.pk, before)
    credit(payment, "30.00")
    new = issue(account)
    assert (old.total, new.total) == (Decimal("100.00"), Decimal("-30.00"))
    assert (old.ends_on, new.due_on) == (new.starts_on, None)
    assert [line.is_credit for line in describe(new).people[0].lines] == [True]
    assert [*check_books()] == []


def test_what_is_written_after_the_month_was_closed_stands_on_the_next(account):
    charge(account)
    first = issue(account)
    late = charge(account)
    assert issue_statements(account.pk) == []
    next_month = start_of_next_month() + dt.timedelta(hours=6)
    second = issue(account, next_month)
    assert (first.total, list(second.payments.all())) == (Decimal("100.00"), [late])
    assert second.starts_on == first.ends_on


def start_of_next_month() -> dt.datetime:
    first = (local_date().replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    return dt.datetime.combine(first, dt.time(6), tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("now", "month"),
    [
        # Toronto is four hours behind in summer, five in winter: 5:00 there is 9:00 or 10:00.
        ("2026-08-01T08:59:59+00:00", ("2026-06-01", "2026-07-01")),
        ("2026-08-01T09:00:00+00:00", ("2026-07-01", "2026-08-01")),
        ("2026-12-01T09:59:59+00:00", ("2026-10-01", "2026-11-01")),
        ("2026-12-01T10:00:00+00:00", ("2026-11-01", "2026-12-01")),
        ("2027-01-01T04:59:59+00:00", ("2026-11-01", "2026-12-01")),
        ("2027-01-01T10:00:00+00:00", ("2026-12-01", "2027-01-01")),
        ("2027-01-31T07:00:00+00:00", ("2026-12-01", "2027-01-01")),
    ],
)
def test_a_month_is_closed_at_five_in_the_morning_of_the_provider(now, month):
    assert ended_month(at(now)) == tuple(dt.date.fromisoformat(day) for day in month)


@pytest.mark.parametrize(
    ("paid", "belongs"),
    [
        # November begins and ends in different offsets: the clocks go back on the first, 2026-11-01.
        ("2026-11-01T03:59:59+00:00", False),
        ("2026-11-01T04:00:00+00:00", True),
        ("2026-12-01T04:59:59+00:00", True),
        ("2026-12-01T05:00:00+00:00", False),
    ],
)
def test_the_month_begins_and_ends_at_the_provider_s_midnight(account, paid, belongs):
    """What was paid before the month stands on the statement of the month before."""
    charge(account, at=at(paid))
    october, november = at("2026-11-01T12:00:00+00:00"), at("2026-12-01T12:00:00+00:00")
    issue_statements(account.pk, october)
    issue_statements(account.pk, november)
    starts = [statement.starts_on for statement in Statement.objects.all()]
    assert (starts == [dt.date(2026, 11, 1)]) is belongs


def test_the_card_s_month_asks_for_nothing_and_the_invoice_s_stands_apart(account, gateway):
    charge(account, gateway="scripted", things=2)
    charge(account)
    card, invoice = issue_statements(account.pk)
    assert (card.kind, card.status, card.due_on, card.paid_reference) == ("card", "paid", None, "")
    assert (card.total, invoice.total) == (Decimal("200.00"), Decimal("100.00"))
    assert (invoice.kind, invoice.status) == ("invoice", StatementStatus.ISSUED)
    assert [*check_books()] == []


def test_a_journal_s_statement_carries_its_code_and_no_last_day(account):
    account.kind, account.journal_code = "journal", "4100-77"
    account.save()
    charge(account)
    statement = issue(account)
    assert (statement.kind, statement.journal_code, statement.due_on) == ("journal", "4100-77", None)


def test_an_account_that_pays_by_card_now_gets_its_old_charges_invoiced(account):
    charge(account)
    account.kind = "card"
    account.save()
    assert issue(account).kind == "invoice"


def test_what_the_office_looks_at_is_neither_charged_nor_credited(account):
    payment = charge(account)
    credit(payment, "10.00")
    Payment.objects.filter(pk=payment.pk).update(needs_review="amount")
    assert accounts_to_close() == []
    assert issue_statements(account.pk) == []


def test_a_second_payment_is_named_as_such(account):
    second = pay_twice(account)
    Refund.objects.filter(payment=second).update(status="succeeded", succeeded_at=last_month(17))
    statement = issue(account)
    lines = [line for person in describe(statement).people for line in person.lines]
    assert [line.what for line in lines][1:] == ["The order was paid twice", "Credit"]
    assert statement.total == describe(statement).total == Decimal("100.00")


def test_a_refund_that_came_back_is_not_credited_twice(account):
    payment = charge(account)
    refund = credit(payment)
    issue(account)
    Refund.objects.filter(pk=refund.pk).update(status="failed", succeeded_at=None)
    again = credit(payment)
    Refund.objects.filter(pk=again.pk).update(replaces=refund)
    assert accounts_to_close() == []


def test_no_month_without_anything(account):
    assert accounts_to_close() == []
    assert issue_statements(account.pk) == []
    assert not Statement.objects.exists()


def test_one_company_that_fails_stops_no_other(account, monkeypatch, caplog):
    other = make_account()
    charge(account)
    charge(other)
    # Somebody's own statement of that month stands in the way under a code that is taken.
    codes = iter([charge(make_account()).order.code, "ABC234", "ABC234", "DEF567"])
    monkeypatch.setattr(Statement._meta.get_field("code"), "_get_default", lambda: next(codes))
    assert run_task() == 3
    assert Statement.objects.count() == 2
    assert "IntegrityError" in caplog.text
    run_task()
    assert Statement.objects.count() == 3


def test_a_row_that_changes_while_it_is_listed_rolls_the_statement_back(account, monkeypatch):
    """The gateway takes a refund back between reading and writing."""
    refund = credit(charge(account))
    issue_row = Statement.objects.create

    def create(**fields):
        Refund.objects.filter(pk=refund.pk).update(status="failed", succeeded_at=None)
        return issue_row(**fields)

    monkeypatch.setattr(Statement.objects, "create", create)
    with pytest.raises(Stale):
        issue_statements(account.pk)
    assert not Statement.objects.exists()
    assert not Payment.objects.filter(statement__isnull=False).exists()


def test_marked_as_paid_once_with_a_reference(account):
    charge(account)
    statement, clerk = issue(account), make_user()
    with pytest.raises(NotAllowed):
        mark_paid(statement=statement, reference="  ", actor=clerk)
    other_tab = Statement.objects.get(pk=statement.pk)
    mark_paid(statement=statement, reference=" EFT 5521 ", actor=clerk)
    with pytest.raises(Stale):
        mark_paid(statement=other_tab, reference="EFT 5522", actor=clerk)
    with pytest.raises(IllegalMove):
        mark_paid(statement=statement, reference="EFT 5522", actor=clerk)
    statement.refresh_from_db()
    assert (statement.status, statement.paid_reference, statement.paid_recorded_by) == ("paid", "EFT 5521", clerk)
    assert AuditEntry.objects.get(action="statement.paid").actor == clerk


def test_overdue_is_after_the_last_day(account):
    charge(account)
    statement = issue(account)
    statement.due_on = local_date()
    assert not statement.is_overdue
    statement.due_on -= dt.timedelta(days=1)
    assert statement.is_overdue
    statement.status = StatementStatus.PAID
    assert not statement.is_overdue


def test_one_statement_of_a_kind_each_month(account):
    charge(account)
    statement = issue(account)
    with pytest.raises(IntegrityError):
        Statement.objects.create(
            company=account.company,
            starts_on=statement.starts_on,
            ends_on=statement.ends_on,
            kind=statement.kind,
            total=0,
            currency="CAD",
        )


def test_taxes_inside_are_summed_with_their_numbers(account, things):
    things.percents = ["13"]
    payment = charge(account, things=2)
    credit(payment, "56.50")
    [tax] = describe(issue(account)).taxes
    assert (tax.name, tax.number, tax.amount) == ("Tax", "T1", Decimal("19.50"))


def test_the_table_holds_each_line_and_no_formula(account):
    person = make_user(first_name="=HYPERLINK(1)", last_name="x", company=account.company)
    payment = charge(account, person)
    payment.order.lines.update(label="+cmd", detail="@sum")
    credit(payment)
    table = as_table(describe(issue(account)))
    assert table.headers[0] == "Statement"
    assert [row[1] for row in table] == ["'=HYPERLINK(1) x"] * 2
    assert [row[4:7] for row in table] == [
        ("'+cmd", "'@sum", Decimal("100.00")),
        ("Credit: +cmd", "By the office", Decimal("-40.00")),
    ]


def test_a_statement_stays_as_it_was_issued_when_a_name_changes(account):
    person = make_user(first_name="Maya", last_name="Chen", company=account.company)
    charge(account, person)
    statement = issue(account)
    person.last_name = "Other"
    person.save()
    make_company(person)
    assert [one.name for one in describe(statement).people] == ["Maya Chen"]


def test_the_hour_is_read_from_the_clock(account):
    charge(account, at=timezone.now())
    assert accounts_to_close() == []


WRONG = {
    "another total": (lambda a: Statement.objects.update(total=7), "total 7.00 is not"),
    "another company": (lambda a: Statement.objects.update(company=make_company()), "another company"),
    "forgotten": (
        lambda a: Payment.objects.update(statement=None, approved_at="2020-01-01T00:00Z"),
        "stood on no statement",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_state_is_named(account, name):
    charge(account)
    issue(account)
    assert not list(check_books())
    plant, words = WRONG[name]
    plant(account)
    assert any(words in found for found in check_books())
