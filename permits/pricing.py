"""What a permit costs. Pure."""

from decimal import Decimal

from opscom.core.money import round_money
from payments.models import TaxRate
from payments.purchasables import TaxPart


def price_taxes(net: Decimal, rates: list[TaxRate]) -> list[TaxPart]:
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


def price_with_tax(net: Decimal, rates: list[TaxRate]) -> Decimal:
    """Return what the payer pays."""
    return net + sum((part.amount for part in price_taxes(net, rates)), Decimal("0.00"))
