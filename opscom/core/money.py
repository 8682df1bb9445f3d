"""Money is Decimal with two places, in the provider's one currency. Rounding is half-up, per line, and stored."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models
from django.utils.formats import number_format
from django.utils.translation import get_language

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def round_money(amount: Decimal) -> Decimal:
    """Round half-up to cents, as a till does."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def format_money(amount: Decimal, currency: str = "") -> str:
    """Write a sum as the active language does: $1,234.50 in English, 1 234,50 $ in French."""
    number = number_format(round_money(abs(amount)), 2, use_l10n=True, force_grouping=True)
    sign = "-" if amount < 0 else ""
    text = f"{sign}{number} $" if (get_language() or "").startswith("fr") else f"{sign}${number}"
    return f"{text} {currency}".strip()


class MoneyField(models.DecimalField):
    """A sum in the provider's currency, up to 99,999,999.99."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 10)
        kwargs.setdefault("decimal_places", 2)
        super().__init__(*args, **kwargs)
