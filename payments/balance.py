"""What came in and went out, by day, gateway and method, and what nobody has matched yet."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from opscom.core.money import ZERO
from opscom.provider.selectors import get_time_zone, start_of_day
from payments.models import (
    HANDED_BACK,
    Dispute,
    DisputeStatus,
    GatewayEvent,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Promise,
    PromiseStatus,
    Refund,
    RefundStatus,
)


@dataclass(slots=True)
class BalanceRow:
    """One day of one gateway and method. `net` is what the gateway should have paid out for it, before its fees."""

    on: dt.date
    gateway: str
    method: str
    payments: int = 0
    received: Decimal = ZERO
    refunds: int = 0
    refunded: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        return self.received - self.refunded


@dataclass(frozen=True, slots=True)
class Unmatched:
    """One kind of thing that keeps the books from being closed: how many, and how much where that is known."""

    what: str
    count: int
    amount: Decimal | None
    list_name: str
    query: str


def daily_balance(first: dt.date, after_last: dt.date) -> list[BalanceRow]:
    """Return the rows of [first, after_last) by the provider's calendar, newest first; three queries."""
    zone, start, end = get_time_zone(), start_of_day(first), start_of_day(after_last)
    names = {method.pk: str(method) for method in PaymentMethod.objects.all()}
    rows: dict[tuple[dt.date, str, int | None], BalanceRow] = {}

    def row(on: dt.date, gateway: str, method: int | None) -> BalanceRow:
        key = (on, gateway, method)
        return rows.setdefault(key, BalanceRow(on, gateway, names.get(method, "") if method else ""))

    payments = Payment.objects.filter(status=PaymentStatus.APPROVED, approved_at__gte=start, approved_at__lt=end)
    days = payments.annotate(on=TruncDate("approved_at", tzinfo=zone)).values_list("on", "gateway", "method")
    for on, gateway, method, count, total in days.annotate(Count("pk"), Sum("received_amount")).order_by():
        found = row(on, gateway, method)
        found.payments, found.received = count, total or ZERO
    refunds = Refund.objects.filter(status=RefundStatus.SUCCEEDED, succeeded_at__gte=start, succeeded_at__lt=end)
    back = refunds.annotate(on=TruncDate("succeeded_at", tzinfo=zone)).values_list(
        "on", "payment__gateway", "payment__method"
    )
    for on, gateway, method, count, total in back.annotate(Count("pk"), Sum("amount")).order_by():
        found = row(on, gateway, method)
        found.refunds, found.refunded = count, total or ZERO
    return sorted(rows.values(), key=lambda one: (one.on, one.gateway, one.method), reverse=True)


def totals(rows: list[BalanceRow]) -> list[BalanceRow]:
    """Return the rows added up over the days, one for each gateway and method."""
    sums: defaultdict[tuple[str, str], list[BalanceRow]] = defaultdict(list)
    for one in rows:
        sums[one.gateway, one.method].append(one)
    return [
        BalanceRow(
            group[0].on,
            gateway,
            method,
            sum(one.payments for one in group),
            sum((one.received for one in group), ZERO),
            sum(one.refunds for one in group),
            sum((one.refunded for one in group), ZERO),
        )
        for (gateway, method), group in sorted(sums.items())
    ]


def list_unmatched() -> list[Unmatched]:
    """Return what waits for somebody, at this moment: each kind that is there, with the list that shows it."""
    known = Payment.objects.filter(gateway=OuterRef("gateway"), reference=OuterRef("reference"))
    refund = Refund.objects.filter(payment__gateway=OuterRef("gateway"), reference=OuterRef("reference"))
    review = Payment.objects.filter(~Q(needs_review=""), status=PaymentStatus.APPROVED, refunds__isnull=True)
    strange = GatewayEvent.objects.filter(~Exists(known), ~Exists(refund), about__in=["payment", "refund", "dispute"])
    failed = Refund.objects.filter(status=RefundStatus.FAILED, replaced_by__isnull=True)
    by_hand = Refund.objects.filter(status=RefundStatus.DUE, payment__gateway__in=HANDED_BACK)
    proposed = Refund.objects.filter(status=RefundStatus.PROPOSED)
    pending = Refund.objects.filter(status=RefundStatus.PENDING)
    promises = Promise.objects.filter(status=PromiseStatus.PROMISED)
    disputes = Dispute.objects.filter(status=DisputeStatus.OPEN)
    kinds = [
        (_("Payments of another sum than was due"), review, "received_amount", "payment", "review=waiting"),
        (_("Reports of gateways about nothing that we know"), strange, None, "gatewayevent", ""),
        (_("Refunds that failed"), failed, "amount", "refund", "status__exact=failed"),
        (_("Refunds that wait for a second person"), proposed, "amount", "refund", "status__exact=proposed"),
        (_("Refunds to be given by hand"), by_hand, "amount", "refund", "status__exact=due"),
        (_("Refunds that a gateway has not finished"), pending, "amount", "refund", "status__exact=pending"),
        (_("Promises whose money is not in"), promises, "order__total", "promise", ""),
        (_("Disputed payments"), disputes, "payment__amount", "dispute", "status__exact=open"),
    ]
    found = []
    for what, rows, column, list_name, query in kinds:
        sums = rows.aggregate(count=Count("pk"), **({"amount": Sum(column)} if column else {}))
        if sums["count"]:
            found.append(Unmatched(what, sums["count"], sums.get("amount"), list_name, query))
    return found
