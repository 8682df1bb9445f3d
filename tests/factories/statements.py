"""Companies with an account, and what is charged to it."""

import datetime as dt
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Company, User
from opscom.core.transitions import advance
from opscom.provider.selectors import start_of_day
from payments.models import (
    ACCOUNT,
    PAYMENT_MOVES,
    BillingAccount,
    BillingKind,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    Statement,
)
from payments.services.refunding import refund_line
from payments.services.refunds import note_success
from payments.services.settling import capture_lines, finish_order
from payments.services.statements import ended_month, issue_statements
from tests.factories.accounts import make_user
from tests.factories.companies import make_company
from tests.factories.payments import offer_method, place_thing

_things = count(1000)


def make_account(company: Company | None = None, **fields: Any) -> BillingAccount:
    """Return a billing account, of an invoice each month unless told otherwise."""
    company = company or make_company()
    return BillingAccount.objects.create(**{"company": company, "kind": BillingKind.INVOICE, **fields})


def last_month(day: int = 15, hour: int = 12) -> dt.datetime:
    """Return an instant of the month that is to be closed, at the provider's place."""
    first, _end = ended_month(timezone.now())
    return start_of_day(first.replace(day=day)) + dt.timedelta(hours=hour)


def charge(
    account: BillingAccount,
    person: User | None = None,
    *,
    at: dt.datetime | None = None,
    gateway: str = ACCOUNT,
    things: int = 1,
) -> Payment:
    """Let the company pay for things of one of its people (the scripted product's, $100.00 each), last month."""
    order = place_thing(*(next(_things) for _one in range(things)), payer=person or make_user(company=account.company))
    with transaction.atomic():
        payment = Payment.objects.create(
            order=order,
            gateway=gateway,
            method=offer_method(kind="account", code="company-account"),
            billing_account=account,
            amount=order.due,
            currency=order.currency,
        )
        advance(
            payment,
            PaymentStatus.APPROVED,
            table=PAYMENT_MOVES,
            approved_at=at or last_month(),
            received_amount=payment.amount,
            received_currency=payment.currency,
        )
        capture_lines(order, payment)
    finish_order(order.pk)
    return payment


def credit(payment: Payment, amount: str = "40.00", *, at: dt.datetime | None = None) -> Refund:
    """Give a part of it back, last month."""
    refund = refund_line(line=payment.order.lines.order_by("pk")[0], amount=Decimal(amount), actor=make_user())
    assert refund is not None
    if refund.status != "succeeded":
        with transaction.atomic():
            note_success(payment.order, refund)
    Refund.objects.filter(pk=refund.pk).update(succeeded_at=at or last_month(20))
    refund.refresh_from_db()
    return refund


def pay_twice(account: BillingAccount) -> Payment:
    """Return the second payment of an order that the company had paid, with the refund that is owed for it."""
    from payments.services.refunds import owe_refund

    first = charge(account)
    second = Payment.objects.create(
        order=first.order,
        gateway=ACCOUNT,
        billing_account=account,
        amount=first.amount,
        currency=first.currency,
        status=PaymentStatus.APPROVED,
        approved_at=last_month(16),
        received_amount=first.amount,
        received_currency=first.currency,
    )
    with transaction.atomic():
        owe_refund(payment=second, amount=second.amount, reason=RefundReason.PAID_TWICE)
    return second


def issue(account: BillingAccount, now: dt.datetime | None = None) -> Statement:
    """Close the account's month, and return the one statement of it."""
    [statement] = issue_statements(account.pk, now)
    return statement
