"""Sums of the payments page, for any prices: what the script adds up in cents is what the server asks for."""

from decimal import Decimal

import pytest
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st

from opscom.core.money import format_money
from payments.purchasables import Quote, TaxPart
from payments.selectors import DueRow, held_of, sum_of_ticked

MONEY = st.decimals(min_value=0, max_value=Decimal("99999999.99"), places=2)


@st.composite
def rows(draw) -> list[DueRow]:
    """Return rows as `list_due` makes them: with or without a tax; locked ones are never ticked."""
    made = []
    for number in range(draw(st.integers(0, 8))):
        taxes = [TaxPart("HST", "", Decimal(13), draw(MONEY))] if draw(st.booleans()) else []
        reason = "Locked." if draw(st.booleans()) else ""
        quote = Quote("thing", number, f"Thing {number}", draw(MONEY), taxes, lock_reason=reason)
        made.append(DueRow(quote, not reason and draw(st.booleans())))
    return made


@given(rows())
@settings(deadline=None)
def test_cents_add_up_to_the_sum(made) -> None:
    cents = sum(int(row.cents) for row in made if row.is_ticked)
    assert Decimal(cents) / 100 == sum_of_ticked(made)


@given(MONEY)
def test_cents_are_exact_and_whole(amount) -> None:
    row = DueRow(Quote("thing", 1, "Thing", amount), is_ticked=True)
    assert row.cents.isdecimal()
    assert Decimal(row.cents) == amount * 100
    # JavaScript counts in doubles: whole numbers are exact up to 2**53, also of a hundred such rows.
    assert int(row.cents) * 100 < 2**53


@given(MONEY)
@settings(deadline=None)
@pytest.mark.parametrize(("language", "point"), [("en", "."), ("fr-ca", ",")])
def test_written_sum_can_be_read_back(language, point, amount) -> None:
    with override(language):
        written = format_money(amount)
    figures = "".join(letter for letter in written if letter.isdigit() or letter == point)
    assert Decimal(figures.replace(point, ".")) == amount


def test_the_cart_counts_only_what_is_held_and_free() -> None:
    assert held_of([DueRow(Quote("thing", 1, "Thing", Decimal("1.00")), is_ticked=True)]) == []
