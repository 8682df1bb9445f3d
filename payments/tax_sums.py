"""What is added to a price, and what is in it. Pure: values in, values out."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from opscom.core.money import ZERO, round_money
from payments.models import TaxRate
from payments.purchasables import TaxPart


def price_taxes(net: Decimal, rates: Iterable[TaxRate]) -> list[TaxPart]:
    """Return each tax on the net price, each rounded half-up to cents on its own, as it stands on the receipt."""
    return [
        TaxPart(
            name=str(rate.name),
            number=rate.number,
            percent=rate.percent,
            amount=round_money(net * rate.percent / 100),
        )
        for rate in rates
    ]


def price_with_tax(net: Decimal, rates: Iterable[TaxRate]) -> Decimal:
    """Return what the payer pays."""
    return net + sum((part.amount for part in price_taxes(net, rates)), ZERO)


def split_tax(amount: Decimal, taxes: Iterable[Mapping[str, Any]]) -> tuple[Decimal, list[TaxPart]]:
    """Return the net part of an amount that holds these taxes (as an order line keeps them), and each tax in it.

    The parts add up to the amount to the cent: what rounding leaves over stands in the net part. A minus is split as its
    plus would be.
    """
    taxes = list(taxes)
    share = 1 + sum((Decimal(tax["percent"]) for tax in taxes), Decimal(0)) / 100
    exact = amount / share
    parts = [
        TaxPart(
            name=tax["name"],
            number=tax["number"],
            percent=Decimal(tax["percent"]),
            amount=round_money(exact * Decimal(tax["percent"]) / 100),
        )
        for tax in taxes
    ]
    return amount - sum((part.amount for part in parts), ZERO), parts
