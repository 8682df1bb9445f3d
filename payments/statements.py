"""What a statement says: by person, line by line, from the payments and refunds that point at it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import tablib
from django.db.models import Prefetch
from django.http import HttpResponse
from django.utils.translation import gettext as _

from opscom.core.money import ZERO
from opscom.provider.selectors import local_date
from payments.journal import plain
from payments.models import Order, OrderLine, Payment, Refund, RefundReason, Statement, StatementQuerySet
from payments.tax_sums import split_tax


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One thing that somebody bought, or a credit for it, below zero. `code` is its order's confirmation code."""

    on: dt.date
    code: str
    what: str
    detail: str
    amount: Decimal
    taxes: Sequence[Mapping[str, Any]] = ()

    @property
    def is_credit(self) -> bool:
        return self.amount < 0


@dataclass(frozen=True, slots=True)
class PersonPart:
    """All that one person's orders charged, the oldest first."""

    name: str
    lines: Sequence[StatementLine]

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)


@dataclass(frozen=True, slots=True)
class TaxInside:
    """A tax that the total holds."""

    name: str
    number: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Described:
    """All that a statement shows."""

    statement: Statement
    people: Sequence[PersonPart]
    taxes: Sequence[TaxInside]

    @property
    def total(self) -> Decimal:
        return sum((person.total for person in self.people), ZERO)


def statements() -> StatementQuerySet:
    """Return statements with all that `describe_statement` reads."""
    paying = Payment.objects.select_related("order").prefetch_related("refunds")
    lines = Prefetch("order__lines", OrderLine.objects.order_by("kind", "object_id"))
    refunds = Refund.objects.select_related("payment__order", "line")
    found: StatementQuerySet = Statement.objects.select_related("company").prefetch_related(
        Prefetch("payments", paying.prefetch_related(lines).order_by("approved_at", "pk")),
        Prefetch("refunds", refunds.order_by("succeeded_at", "pk")),
    )
    return found


def describe_statement(statement: Statement) -> Described:
    """Return what a statement from `statements()` says, its people in the order of their names."""
    of_whom: defaultdict[tuple[str, int | None], list[StatementLine]] = defaultdict(list)
    for payment in statement.payments.all():
        of_whom[_person(payment.order)].extend(_lines_of(payment))
    for refund in statement.refunds.all():
        of_whom[_person(refund.payment.order)].append(_credit_of(refund))
    people = [
        PersonPart(name, sorted(lines, key=lambda line: line.on))
        for (name, _pk), lines in sorted(of_whom.items(), key=lambda one: (one[0][0].casefold(), one[0][1] or 0))
    ]
    return Described(statement, people, _taxes_in(people))


def _person(order: Order) -> tuple[str, int | None]:
    """Return by whom a line is grouped: the name is the order's copy, as it was when the order was placed."""
    return order.payer_name or order.email, order.payer_id


def _lines_of(payment: Payment) -> Iterator[StatementLine]:
    on, code = local_date(payment.approved_at), payment.order.code
    if payment.is_second:
        # It bought nothing, and goes back whole.
        yield StatementLine(on, code, str(RefundReason.PAID_TWICE.label), "", payment.received_amount or ZERO)
        return
    for line in payment.order.lines.all():
        yield StatementLine(on, code, line.label, line.detail, line.due, line.taxes)


def _credit_of(refund: Refund) -> StatementLine:
    line = refund.line
    what = _("Credit: %(what)s") % {"what": line.label} if line else _("Credit")
    facts = (local_date(refund.succeeded_at), refund.payment.order.code, what, refund.get_reason_display())
    return StatementLine(*facts, -refund.amount, line.taxes if line else ())


def _taxes_in(people: Sequence[PersonPart]) -> list[TaxInside]:
    """Return each tax in the total once, with its number; a credit takes its part off."""
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for line in (line for person in people for line in person.lines):
        for part in split_tax(line.amount, line.taxes)[1]:
            sums[part.name, part.number] += part.amount
    return [TaxInside(name, number, amount) for (name, number), amount in sums.items() if amount]


def as_table(described: Described) -> tablib.Dataset:
    """Return the statement's lines as a table for CSV, in which no cell is a formula."""
    headers = [_("Statement"), _("Person"), _("Date"), _("Confirmation code"), _("What"), _("Details"), _("Amount")]
    table = tablib.Dataset(headers=[*headers, _("Currency")])
    statement = described.statement
    for person in described.people:
        for line in person.lines:
            words = [plain(text) for text in (line.code, line.what, line.detail)]
            row = [statement.code, plain(person.name), line.on.isoformat(), *words, line.amount, statement.currency]
            table.append(row)
    return table


def statement_csv(statement: Statement) -> HttpResponse:
    """Hand out the lines of a statement from `statements()` as CSV."""
    answer = HttpResponse(as_table(describe_statement(statement)).export("csv"), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{statement.code}.csv"'
    return answer
