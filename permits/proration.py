"""What of a price counts when only a part of the time is left, and the same rule backwards. Pure: values in, values out.

Days and months are counted from the whole term's first day, and what has begun counts as used: bought on the 20th, the
20th is paid for; ended on the 20th, the 20th is paid for, too.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from itertools import count, takewhile
from typing import Any, Literal

from opscom.core.money import ZERO, round_money
from permits.models import PermitType, Proration, Sale, TermKind
from permits.terms import add_months

Other = Literal["none", "reserved", "active"]


@dataclass(frozen=True, slots=True)
class Span:
    """Dates, half-open."""

    first: dt.date
    after_last: dt.date

    @property
    def days(self) -> int:
        return (self.after_last - self.first).days


@dataclass(frozen=True, slots=True)
class Share:
    """`left` of `of` days or months; `unit` says which of them, "whole" where time is not counted."""

    left: int
    of: int
    unit: str

    def of_sum(self, amount: Decimal) -> Decimal:
        """Return this share of an amount, rounded half-up to cents."""
        return round_money(amount * self.left / self.of)


@dataclass(frozen=True, slots=True)
class Price:
    """A price without tax, and how it was made: parts of numbers without words, see `permits.price_words`."""

    net: Decimal
    parts: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """What goes back of what was paid: the share that is left, less the fee (as much of it as there is to take)."""

    paid: Decimal
    share: Share
    part: Decimal
    fee: Decimal

    @property
    def amount(self) -> Decimal:
        return self.part - self.fee


WHOLE = Share(1, 1, Proration.NONE)


def whole_term(sale: Sale, first: dt.date, after_last: dt.date) -> Span:
    """Return the time that the price is for: the sale's dates, the calendar months, or the permit's own dates."""
    kind = sale.permit_type
    if kind.term_kind == TermKind.FIXED and sale.valid_from and sale.valid_until:
        return Span(sale.valid_from, sale.valid_until)
    if kind.term_kind == TermKind.CALENDAR_MONTHS:
        start = first.replace(day=1)
        return Span(start, max(add_months(start, kind.months), after_last))
    return Span(first, after_last)


def share_of_term(rule: str, term: Span, part: Span) -> Share:
    """Return how much of the whole term the part is, by the day or by the month begun; the whole for any other rule."""
    if rule == Proration.DAYS:
        return Share(min(part.days, term.days), term.days, rule)
    if rule == Proration.MONTHS:
        months = _months(term)
        return Share(sum(part.first < after and first < part.after_last for first, after in months), len(months), rule)
    return WHOLE


def _months(term: Span) -> list[tuple[dt.date, dt.date]]:
    """Return the months of a term, counted from its first day; the last one may be cut short."""
    starts = takewhile(lambda day: day < term.after_last, (add_months(term.first, number) for number in count()))
    return [(first, add_months(term.first, number + 1)) for number, first in enumerate(starts)]


def price_standard(sale: Sale, first: dt.date, after_last: dt.date, *, other: Other = "none") -> Price:
    """Return what a standard permit of the sale for these dates costs.

    `other`: what the person has of the same limit group already. A second price counts once the other one is theirs.
    While it is only reserved, the dearer of the two prices does: else one could reserve two, and pay for the cheaper one.
    """
    kind = sale.permit_type
    price = kind.price
    parts: list[dict[str, Any]] = [{"kind": "whole", "amount": str(price)}]
    second = kind.second_price
    if second is not None and (other == "active" or (other == "reserved" and second > price)):
        price = second
        parts = [{"kind": "second", "amount": str(price), "instead_of": str(kind.price)}]
    share = share_of_term(kind.proration, whole_term(sale, first, after_last), Span(first, after_last))
    if share.left < share.of:
        price = share.of_sum(price)
        parts.append({"kind": "prorated", "unit": share.unit, "left": share.left, "of": share.of, "amount": str(price)})
    return Price(price, parts)


def share_left(kind: PermitType, term: Span, part: Span, today: dt.date) -> Share:
    """Return how much of what was bought for `part` of the term has not begun on that day.

    Before the first day that is all of it. After that, where the type counts no time, it is nothing.
    """
    if today < part.first:
        return WHOLE
    bought = share_of_term(kind.proration, term, part)
    if bought.unit == Proration.NONE:
        return Share(0, 1, Proration.NONE)
    tomorrow = today + dt.timedelta(days=1)
    if bought.unit == Proration.DAYS:
        return Share(max((part.after_last - tomorrow).days, 0), bought.left, bought.unit)
    begun = share_of_term(Proration.MONTHS, term, Span(part.first, min(tomorrow, part.after_last))).left
    return Share(bought.left - begun, bought.left, bought.unit)


def money_back(paid: Decimal, share: Share, fee: Decimal) -> MoneyBack:
    """Return what goes back of `paid`: never below nothing, never more than was paid."""
    part = share.of_sum(paid) if paid > 0 else ZERO
    return MoneyBack(max(paid, ZERO), share, part, min(fee, part))
