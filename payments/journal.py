"""What the bookkeeping gets: each payment and each refund as entries of its accounts that add up to nothing."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import tablib
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from opscom.core.money import ZERO
from opscom.provider.selectors import local_date, start_of_day
from payments.models import OrderLine, Payment, PaymentStatus, Refund, RefundStatus, TaxRate
from payments.tax_sums import split_tax

# What spreadsheets take for a formula when a cell begins with it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
PER_CHUNK = 500
# (account, what for) -> amount
Sums = defaultdict[tuple[str, str], Decimal]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal: an amount on one side of one account. `document` is the order's confirmation code."""

    on: dt.date
    document: str
    reference: str
    what: str
    account: str
    debit: Decimal
    credit: Decimal
    currency: str


def journal(first: dt.date, after_last: dt.date) -> Iterator[Entry]:
    """Yield the entries of [first, after_last), day by the provider's calendar: payments, then refunds.

    The entries of one payment or refund have equal debits and credits. Read in chunks: a year does not fill the memory.
    """
    accounts = tax_accounts()
    start, end = start_of_day(first), start_of_day(after_last)
    payments = Payment.objects.filter(status=PaymentStatus.APPROVED, approved_at__gte=start, approved_at__lt=end)
    lines = Prefetch("order__lines", OrderLine.objects.order_by("pk"))
    for payment in _chunks(payments.order_by("approved_at", "pk").prefetch_related(lines, "refunds")):
        yield from entries_of_payment(payment, accounts)
    refunds = Refund.objects.filter(status=RefundStatus.SUCCEEDED, succeeded_at__gte=start, succeeded_at__lt=end)
    related = refunds.select_related("payment__order", "payment__method__account_code", "line")
    for refund in related.order_by("succeeded_at", "pk").iterator(chunk_size=PER_CHUNK):
        yield from entries_of_refund(refund, accounts)


def _chunks(payments: Any) -> Iterator[Payment]:
    related = payments.select_related("order", "method__account_code")
    yield from related.iterator(chunk_size=PER_CHUNK)


def tax_accounts() -> dict[str, str]:
    """Return the account of each tax by its name in each language with its number, as it stands on order lines."""
    rates = TaxRate.objects.exclude(account_code=None).select_related("account_code")
    return {
        f"{name} {rate.number}".strip(): rate.account_code.code
        for rate in rates
        if rate.account_code
        for name in rate.name.values()
    }


def entries_of_payment(payment: Payment, accounts: dict[str, str]) -> list[Entry]:
    """Return the money account's debit and what it was for; what no line took stands as unmatched."""
    received = payment.received_amount or ZERO
    is_paying = not payment.needs_review and not payment.is_second
    credits: Sums = defaultdict(lambda: ZERO)
    if is_paying:
        for line in payment.order.lines.all():
            _share_out(
                credits,
                line.label,
                line.account_code or _("no account: %(kind)s") % {"kind": line.kind},
                line.due,
                line.taxes,
                accounts,
            )
    rest = received - sum(credits.values(), ZERO)
    if rest:
        credits[_("unmatched"), _("Unmatched")] += rest
    facts = (local_date(payment.approved_at), payment.order.code, payment.reference)
    return _entries(facts, payment, received, credits, is_refund=False)


def entries_of_refund(refund: Refund, accounts: dict[str, str]) -> list[Entry]:
    """Return the same the other way round, for the part that went back."""
    debits: Sums = defaultdict(lambda: ZERO)
    line = refund.line
    if line is None:
        debits[_("unmatched"), refund.get_reason_display()] += refund.amount
    else:
        account = line.account_code or _("no account: %(kind)s") % {"kind": line.kind}
        _share_out(debits, line.label, account, refund.amount, line.taxes, accounts)
    facts = (local_date(refund.succeeded_at), refund.payment.order.code, refund.reference)
    return _entries(facts, refund.payment, refund.amount, debits, is_refund=True)


def _share_out(sums: Sums, label: str, account: str, amount: Decimal, taxes: Any, accounts: dict[str, str]) -> None:
    net, parts = split_tax(amount, taxes)
    sums[account, label] += net
    for part in parts:
        name = f"{part.name} {part.number}".strip()
        sums[accounts.get(name, name), part.name] += part.amount


def _entries(
    facts: tuple[dt.date, str, str],
    payment: Payment,
    amount: Decimal,
    others: Sums,
    *,
    is_refund: bool,
) -> list[Entry]:
    sides = [(money_account(payment), money_account(payment), amount, ZERO)]
    sides += [(account, what, ZERO, sum_) for (account, what), sum_ in others.items() if sum_]
    currency = payment.received_currency or payment.currency
    return [
        Entry(*facts, what, account, *((credit, debit) if is_refund else (debit, credit)), currency)
        for account, what, debit, credit in sides
    ]


def money_account(payment: Payment) -> str:
    """Return the account into which the money came: its method's, else the gateway's name."""
    code = payment.method.account_code if payment.method else None
    return code.code if code else payment.gateway


def as_table(entries: Iterable[Entry]) -> tablib.Dataset:
    """Return the entries as a table for CSV or XLSX, in which no cell is a formula."""
    headers = [
        _("Date"),
        _("Document"),
        _("Reference"),
        _("What"),
        _("Account"),
        _("Debit"),
        _("Credit"),
        _("Currency"),
    ]
    table = tablib.Dataset(headers=headers, title=_("Journal")[:31])
    for one in entries:
        words = [plain(text) for text in (one.document, one.reference, one.what, one.account)]
        table.append([one.on.isoformat(), *words, one.debit, one.credit, one.currency])
    return table


def plain(text: str) -> str:
    """Return text that a spreadsheet shows and never runs."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
