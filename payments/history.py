"""The payment history of one person: which orders stand in it, and in what words each one ended."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from opscom.core.money import ZERO
from opscom.provider.selectors import get_time_zone
from payments.models import (
    LIVE_REFUNDS,
    LineStatus,
    Order,
    OrderLine,
    OrderQuerySet,
    OrderStatus,
    Refund,
    RefundStatus,
)
from payments.services.reversals import REASONS


@dataclass(frozen=True, slots=True)
class State:
    """How an order stands: the words, and the tone and icon that help."""

    label: str | Promise
    tone: str
    icon: str


PAID = State(_("Paid"), "good", "circle-check")
UNDER_WAY = State(_("Paid, being completed"), "calm", "clock")
PARTLY_BACK = State(_("Refunded in part"), "warn", "undo-2")
ALL_BACK = State(_("Refunded"), "warn", "undo-2")
GOING_BACK = State(_("Refund on its way"), "calm", "undo-2")


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One paid order of the history. `back`, below zero, is what has gone back of it or is on its way; the state says which."""

    order: Order
    state: State
    back: Decimal

    @property
    def labels(self) -> list[str]:
        return [line.label for line in self.order.lines.all()]


def paid_orders(payer: Any, *, year: int | None = None) -> OrderQuerySet:
    """Return the payer's paid orders, newest first; `year` is a calendar year at the provider's place."""
    orders: OrderQuerySet = Order.objects.visible_to(payer).filter(status=OrderStatus.PAID)
    if year:
        zone = get_time_zone()
        first, end = (dt.datetime(number, 1, 1, tzinfo=zone) for number in (year, year + 1))
        orders = orders.filter(paid_at__gte=first, paid_at__lt=end)
    # What waits for a second person of the office is no promise to the payer yet.
    refunds = Refund.objects.filter(status__in=LIVE_REFUNDS).exclude(status=RefundStatus.PROPOSED).order_by("pk")
    lines = OrderLine.objects.prefetch_related(Prefetch("refunds", refunds))
    return orders.prefetch_related(Prefetch("lines", lines)).order_by("-paid_at", "-pk")


def years_of(payer: Any) -> list[int]:
    """Return the years in which the payer paid something, newest first."""
    paid = Order.objects.visible_to(payer).filter(status=OrderStatus.PAID)
    return [day.year for day in paid.datetimes("paid_at", "year", order="DESC", tzinfo=get_time_zone())]


def describe_row(order: Order) -> HistoryRow:
    """Return the row of an order that came from `paid_orders`."""
    return HistoryRow(order, _state(order), -sum((_returned(line) for line in order.lines.all()), ZERO))


def _returned(line: OrderLine) -> Decimal:
    return sum((refund.amount for refund in line.refunds.all()), ZERO)


def _state(order: Order) -> State:
    lines = list(order.lines.all())
    refunds = [refund for line in lines for refund in line.refunds.all()]
    reversed_by = next((refund for refund in refunds if refund.reason in REASONS), None)
    if reversed_by:
        return State(reversed_by.get_reason_display(), "bad", "circle-alert")
    is_due = any(line.status == LineStatus.REFUND_DUE for line in lines)
    if is_due or any(refund.status != RefundStatus.SUCCEEDED for refund in refunds):
        return GOING_BACK
    gone = [line.status == LineStatus.REFUNDED or 0 < line.due <= _returned(line) for line in lines]
    if lines and all(gone):
        return ALL_BACK
    if any(gone) or refunds:
        return PARTLY_BACK
    is_delivered = all(line.status == LineStatus.FULFILLED for line in lines)
    return PAID if is_delivered else UNDER_WAY
