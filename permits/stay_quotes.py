"""What `Check Availability` shows: the price and how it was made, the exact times, and what is free. Reserves nothing."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from opscom.core.errors import Decision
from opscom.core.money import ZERO
from opscom.provider.selectors import get_time_zone, local_date
from payments.purchasables import TaxPart
from payments.rates import Fee
from payments.tax_sums import price_taxes
from payments.taxing import rates_for
from permits.price_words import Line, describe_price
from permits.services.temporary import Wish, can_reserve_temporary
from permits.temporary import count_free, fee_parts, price


@dataclass(frozen=True, slots=True)
class StayQuote:
    """A stay with its price. `lines` say how the price without tax was made; `start` and `end` are the provider's time."""

    start: dt.datetime
    end: dt.datetime
    fee: Fee
    lines: Sequence[Line]
    taxes: Sequence[TaxPart]
    free: int
    decision: Decision

    @property
    def net(self) -> Decimal:
        return self.fee.amount

    @property
    def total(self) -> Decimal:
        return self.net + sum((part.amount for part in self.taxes), ZERO)

    @property
    def has_clock_change(self) -> bool:
        """Whether the clocks are changed in between: then both times are shown with the zone's name."""
        return self.start.utcoffset() != self.end.utcoffset()


def quote_stay(wish: Wish, now: dt.datetime) -> StayQuote:
    """Return what the wish costs and whether it may be had now; the stay ends after it starts."""
    zone = get_time_zone()
    fee = price(wish.sale, wish.stay)
    rates, _number = rates_for(wish.holder, wish.sale.permit_type.taxes.all(), local_date(now))
    return StayQuote(
        start=wish.stay.start.astimezone(zone),
        end=wish.stay.end.astimezone(zone),
        fee=fee,
        lines=describe_price(fee_parts(fee)),
        taxes=price_taxes(fee.amount, rates),
        free=count_free(wish.sale.lot, wish.stay),
        decision=can_reserve_temporary(wish, now),
    )
