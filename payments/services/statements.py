"""A company's account, closed once a month: what was charged to it and what went back becomes a statement, once."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from opscom.core import audit
from opscom.core.errors import NotAllowed, Stale
from opscom.core.locks import lock_row
from opscom.core.money import ZERO
from opscom.core.transitions import advance
from opscom.provider.selectors import get_provider, get_time_zone, local_date, start_of_day
from payments.models import (
    ACCOUNT,
    STATEMENT_MOVES,
    BillingAccount,
    BillingKind,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    Statement,
    StatementDocument,
    StatementStatus,
)

# Nothing is closed before this hour of the day: what was paid around midnight has been written by then.
HOUR = 5
PER_RUN = 500
# A statement is sent to its company in these days, or not at all: nobody wants last year's when an address is entered.
SENT_WITHIN = dt.timedelta(days=14)


def ended_month(now: dt.datetime) -> tuple[dt.date, dt.date]:
    """Return [first day, first day of the next) of the last month that is over and may be closed, at the provider's place."""
    local = now.astimezone(get_time_zone())
    day = local.date() - dt.timedelta(days=1) if local.hour < HOUR else local.date()
    end = day.replace(day=1)
    return (end - dt.timedelta(days=1)).replace(day=1), end


def charged() -> QuerySet[Payment]:
    """Return the payments of companies that count and stand on no statement yet; what the office looks at does not count."""
    return Payment.objects.filter(
        status=PaymentStatus.APPROVED, needs_review="", billing_account__isnull=False, statement__isnull=True
    )


def credited() -> QuerySet[Refund]:
    """Return what went back of such payments and stands on no statement yet.

    What replaces a refund that a statement has credited already, before a bank sent it back, is not credited again.
    """
    refunds = Refund.objects.filter(
        status=RefundStatus.SUCCEEDED,
        payment__needs_review="",
        payment__billing_account__isnull=False,
        statement__isnull=True,
    )
    return refunds.exclude(replaces__statement__isnull=False)


def accounts_to_close(now: dt.datetime | None = None) -> list[int]:
    """Return the ids of the accounts on which something of a month that is over stands on no statement."""
    _first, end = ended_month(now or timezone.now())
    payments = charged().filter(billing_account=OuterRef("pk"), approved_at__lt=start_of_day(end))
    refunds = credited().filter(payment__billing_account=OuterRef("pk"), succeeded_at__lt=start_of_day(end))
    accounts = BillingAccount.objects.filter(Exists(payments) | Exists(refunds))
    return list(accounts.order_by("pk").values_list("pk", flat=True))


@transaction.atomic(durable=True)
def issue_statements(account_id: int, now: dt.datetime | None = None) -> list[Statement]:
    """Close one account's last month: one statement for what its card paid, one for the rest; those that are new.

    Twice is once: what a month's statement does not hold when it is issued stands on the next one.
    """
    first, end = ended_month(now or timezone.now())
    account = lock_row(BillingAccount.objects.filter(pk=account_id), "payment", "billing_account")
    return [made for kind, own in _groups(account) if (made := _issue(account, kind, own, first, end))]


def _groups(account: BillingAccount) -> list[tuple[BillingKind, Q]]:
    """Return each kind of statement with the condition on a payment that belongs to it."""
    by_hand = Q(gateway=ACCOUNT)
    # An account that pays by card now may have charged invoices before.
    kind = BillingKind.JOURNAL if account.kind == BillingKind.JOURNAL else BillingKind.INVOICE
    return [(BillingKind.CARD, ~by_hand), (kind, by_hand)]


def _issue(account: BillingAccount, kind: BillingKind, own: Q, first: dt.date, end: dt.date) -> Statement | None:
    if Statement.objects.filter(company=account.company_id, starts_on=first, kind=kind).exists():
        return None
    currency = get_provider().currency
    mine = Payment.objects.filter(own, billing_account=account, currency=currency)
    payments = list(charged().filter(pk__in=mine, approved_at__lt=start_of_day(end)))
    refunds = list(credited().filter(payment__in=mine, succeeded_at__lt=start_of_day(end)))
    if not payments and not refunds:
        return None
    total = sum((one.received_amount or ZERO for one in payments), ZERO) - sum((one.amount for one in refunds), ZERO)
    statement = Statement.objects.create(
        company=account.company,
        starts_on=first,
        ends_on=end,
        kind=kind,
        journal_code=account.journal_code if kind == BillingKind.JOURNAL else "",
        total=total,
        currency=currency,
        due_on=_due_on(account, kind, total),
    )
    _list_on(statement, refunds, credited())
    _list_on(statement, payments, charged())
    audit.record("statement.issued", statement, company=str(account), kind=kind, total=str(total))
    if kind == BillingKind.CARD:
        # The card has paid: the statement tells, and asks for nothing.
        advance(statement, StatementStatus.PAID, table=STATEMENT_MOVES, paid_at=timezone.now())
    return statement


def _due_on(account: BillingAccount, kind: BillingKind, total: Decimal) -> dt.date | None:
    """Only an invoice of more than nothing has a last day to pay it."""
    if kind != BillingKind.INVOICE or total <= 0:
        return None
    return local_date() + dt.timedelta(days=account.days_to_pay)


def _list_on(statement: Statement, rows: Sequence[Any], waiting: QuerySet[Any]) -> None:
    """Let the rows point at the statement; Stale when one of them has changed since they were read and added up."""
    written = waiting.filter(pk__in=[row.pk for row in rows]).update(statement=statement)
    if written != len(rows):
        raise Stale(_("This record changed while you were looking at it. Please reload."))


def statements_to_send() -> list[int]:
    """Return the ids of statements whose file was not made yet, and which their company therefore has not got."""
    told = StatementDocument.objects.filter(statement=OuterRef("pk"), language=settings.LANGUAGE_CODE)
    fresh = Statement.objects.filter(~Exists(told), issued_at__gt=timezone.now() - SENT_WITHIN)
    return list(fresh.order_by("pk").values_list("pk", flat=True)[:PER_RUN])


@transaction.atomic
def mark_paid(*, statement: Statement, reference: str, actor: Any) -> None:
    """The office has the company's money, or has settled a credit; `reference` says where that is written.

    Raises NotAllowed without a reference, IllegalMove for a statement that is paid, Stale when somebody was quicker.
    """
    reference = reference.strip()
    if not reference:
        raise NotAllowed(_("Please write down the reference of the payment."))
    advance(
        statement,
        StatementStatus.PAID,
        table=STATEMENT_MOVES,
        paid_at=timezone.now(),
        paid_reference=reference,
        paid_recorded_by=actor,
    )
    audit.record("statement.paid", statement, actor=actor, total=str(statement.total), reference=reference)
