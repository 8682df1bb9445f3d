"""Reads about money that span models: what is due, what is under way, what was paid."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from opscom.core.errors import DomainError
from opscom.core.money import ZERO
from payments.models import (
    LIVE_REFUNDS,
    LineStatus,
    Order,
    OrderLine,
    OrderQuerySet,
    Payment,
    PaymentStatus,
    Promise,
    PromiseStatus,
    Refund,
    RefundStatus,
)
from payments.purchasables import Quote, TaxPart, all_purchasables
from payments.services.orders import Selection, order_selection, quote_selection

# After a day the reconciler stops asking, too.
UNDER_WAY_FOR = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class DueRow:
    """One thing that is due, and whether its checkbox is ticked when the page opens."""

    quote: Quote
    is_ticked: bool

    @property
    def cents(self) -> str:
        """The amount for the script that adds up what is ticked."""
        return str(int(self.quote.amount * 100))


@dataclass(frozen=True, slots=True)
class TaxSum:
    """One tax over all lines of an order."""

    name: str
    number: str
    percent: Decimal
    amount: Decimal

    @property
    def rate(self) -> str:
        """The percentage as people write it: 13 % or, in French, 9,975 %."""
        return f"{number_format(f'{self.percent.normalize():f}')} %"


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """A line with what has gone back of it, or is on its way back, the oldest first."""

    line: OrderLine
    refunds: Sequence[Refund]


@dataclass(frozen=True, slots=True)
class Receipt:
    """All that a receipt shows. `second_payments` are refunds of whole payments beyond the first."""

    order: Order
    lines: Sequence[ReceiptLine]
    taxes: Sequence[TaxSum]
    payment: Payment | None
    second_payments: Sequence[Refund]

    @property
    def is_whole(self) -> bool:
        """Everything was delivered, and nothing goes back."""
        is_delivered = all(row.line.status == LineStatus.FULFILLED for row in self.lines)
        return is_delivered and not self.second_payments and not self.refunded

    @property
    def is_delivered(self) -> bool:
        return all(row.line.status != LineStatus.SETTLED for row in self.lines)

    @property
    def refunded(self) -> Decimal:
        """What has gone back of the lines, or is on its way back."""
        return sum((refund.amount for row in self.lines for refund in row.refunds), ZERO)


def list_due(payer: Any, *, wanted: Collection[str] = ()) -> list[DueRow]:
    """Return what the payer owes: what is held first (the shortest hold on top) and ticked, locked things last.

    `wanted` are keys of quotes that somebody came to pay: they are ticked, too.
    """
    promised = {quote.key: quote for quote in promised_quotes(payer)}
    due = {quote.key: quote for product in all_purchasables() for quote in product.list_due(payer)}
    quotes = (due | promised).values()
    return [DueRow(quote, _is_ticked(quote, wanted)) for quote in sorted(quotes, key=_place_in_list)]


def running_promises(payer: Any) -> list[Promise]:
    """Return what the payer has promised to bring to the office, the nearest last day first, with orders and lines."""
    promises = Promise.objects.visible_to(payer).filter(status=PromiseStatus.PROMISED)
    return list(promises.select_related("order").prefetch_related("order__lines"))


def promised_quotes(payer: Any) -> list[Quote]:
    """Return the things whose money is promised, as rows that are locked, and say until when."""
    return [
        Quote(
            kind=line.kind,
            object_id=line.object_id,
            label=line.label,
            detail=line.detail,
            net=line.net,
            taxes=[TaxPart(t["name"], t["number"], Decimal(t["percent"]), Decimal(t["amount"])) for t in line.taxes],
            url=reverse("payments:promised", args=[promise.order.code]),
            lock_reason=explain_promise(promise),
        )
        for promise in running_promises(payer)
        for line in promise.order.lines.all()
    ]


def explain_promise(promise: Promise) -> str:
    """Return why a promised thing waits, and until when."""
    day = date_format(promise.last_day, "DATE_FORMAT")
    return _("Paid but not Processed: bring the money to the office until %(day)s, or open it to pay online.") % {
        "day": day
    }


def _is_ticked(quote: Quote, wanted: Collection[str]) -> bool:
    return not quote.lock_reason and (quote.held_until is not None or quote.key in wanted)


def _place_in_list(quote: Quote) -> tuple[bool, bool, float]:
    held_until = quote.held_until.timestamp() if quote.held_until else 0
    return bool(quote.lock_reason), quote.held_until is None, held_until


def everything_due(payer: Any) -> Selection:
    """Return all that the payer may pay at this moment, as `Select all` means it: what is locked is left out."""
    selection: dict[str, set[int]] = {}
    for row in list_due(payer):
        if not row.quote.lock_reason:
            selection.setdefault(row.quote.kind, set()).add(row.quote.object_id)
    return selection


def held_of(rows: Sequence[DueRow]) -> list[Quote]:
    """Return what of the list is held and may be paid, the shortest time first: what the cart counts."""
    return [row.quote for row in rows if row.quote.held_until and not row.quote.lock_reason]


def sum_of_ticked(rows: Sequence[DueRow]) -> Decimal:
    """Return what `Continue to Checkout` would ask for as the page opens."""
    return sum((row.quote.amount for row in rows if row.is_ticked), ZERO)


def payments_under_way(payer: Any) -> list[Payment]:
    """Return attempts whose end is not known yet, and money that the office is looking at: neither should be paid again."""
    waiting = Q(
        status__in=[PaymentStatus.CREATED, PaymentStatus.STARTED],
        created_at__gt=timezone.now() - UNDER_WAY_FOR,
        order__paid_at__isnull=True,
    )
    in_review = Q(status=PaymentStatus.APPROVED) & ~Q(needs_review="") & Q(refunds__isnull=True)
    payments = Payment.objects.visible_to(payer).filter(waiting | in_review)
    return list(payments.select_related("order").order_by("-created_at")[:10])


def current_quotes(order: Order) -> list[Quote] | DomainError:
    """Return what the order's things cost now, or why they can no longer be paid."""
    try:
        return quote_selection(order_selection(order), payer=order.payer, lock=False, order=order)
    except DomainError as error:
        return error


def tax_sums(order: Order) -> list[TaxSum]:
    """Return each tax of the order once, with its number."""
    sums: dict[tuple[str, str, str], Decimal] = {}
    for line in order.lines.all():
        for part in line.taxes:
            key = (part["name"], part["number"], part["percent"])
            sums[key] = sums.get(key, ZERO) + Decimal(part["amount"])
    return [TaxSum(name, number, Decimal(percent), amount) for (name, number, percent), amount in sums.items()]


def receipts() -> OrderQuerySet:
    """Return orders with all that `describe_receipt` reads."""
    # What waits for a second person of the office is no promise to the payer yet.
    shown = set(LIVE_REFUNDS) - {RefundStatus.PROPOSED}
    refunds = Refund.objects.filter(status__in=shown).select_related("payment__billing_account__company").order_by("pk")
    orders: OrderQuerySet = Order.objects.prefetch_related(
        Prefetch("lines", OrderLine.objects.prefetch_related(Prefetch("refunds", refunds))),
        Prefetch(
            "payments",
            Payment.objects.select_related("method", "billing_account__company")
            .order_by("approved_at", "pk")
            .prefetch_related(Prefetch("refunds", refunds)),
        ),
    )
    return orders


def describe_receipt(order: Order) -> Receipt:
    """Return the receipt of a paid order that came from `receipts()`."""
    approved = [p for p in order.payments.all() if p.status == PaymentStatus.APPROVED and not p.needs_review]
    lines = [ReceiptLine(line, list(line.refunds.all())) for line in order.lines.all()]
    second = [refund for payment in approved for refund in payment.refunds.all() if refund.line_id is None]
    return Receipt(order, lines, tax_sums(order), approved[0] if approved else None, second)
