"""What a part of the time costs, and what of it comes back: properties for every term, and tables of the edges."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from permits.models import PermitType, Proration, Sale, TermKind
from permits.price_words import describe_price, is_worth_explaining
from permits.proration import Share, Span, money_back, price_standard, share_left, share_of_term, whole_term

DAY = dt.timedelta(days=1)
D = dt.date
sums = st.integers(0, 500_000).map(lambda cents: Decimal(cents).scaleb(-2))
rules = st.sampled_from([Proration.NONE, Proration.DAYS, Proration.MONTHS])


@st.composite
def fixed_sales(draw: st.DrawFn) -> Sale:
    """Return a sale of fixed dates of one day to a year and a half."""
    first = draw(st.dates(D(2026, 1, 1), D(2028, 12, 31)))
    kind = PermitType(price=draw(sums), term_kind=TermKind.FIXED, proration=draw(rules))
    return Sale(permit_type=kind, valid_from=first, valid_until=first + DAY * draw(st.integers(1, 550)))


def price_on(sale: Sale, day: dt.date) -> Decimal:
    return price_standard(sale, max(day, sale.valid_from), sale.valid_until).net


@given(fixed_sales())
def test_buying_late_never_costs_more_than_buying_early(sale):
    length = (sale.valid_until - sale.valid_from).days
    prices = [price_on(sale, sale.valid_from + DAY * number) for number in range(length)]
    assert prices == sorted(prices, reverse=True)
    assert prices[0] == sale.permit_type.price == price_on(sale, sale.valid_from - DAY * 9)
    assert prices[-1] >= 0


@given(fixed_sales(), st.integers(0, 549))
def test_by_the_day_it_is_the_price_times_days_left_over_days_of_the_term(sale, number):
    sale.permit_type.proration = Proration.DAYS
    length = (sale.valid_until - sale.valid_from).days
    day = sale.valid_from + DAY * (number % length)
    exact = sale.permit_type.price * (sale.valid_until - day).days / length
    assert abs(price_on(sale, day) - exact) <= Decimal("0.005")


@given(fixed_sales(), st.integers(0, 549), st.integers(-5, 560), sums, sums)
def test_never_more_comes_back_than_was_paid_and_never_less_than_nothing(sale, bought, ended, paid, fee):
    length = (sale.valid_until - sale.valid_from).days
    term = Span(sale.valid_from, sale.valid_until)
    part = Span(sale.valid_from + DAY * (bought % length), sale.valid_until)
    shares = [share_left(sale.permit_type, term, part, part.first + DAY * (ended + more)) for more in (0, 1)]
    back = [money_back(paid, share, fee) for share in shares]
    assert all(0 <= one.amount <= one.part <= paid and 0 <= one.fee <= fee for one in back)
    # A day later never brings more.
    assert back[1].amount <= back[0].amount


@given(fixed_sales(), st.integers(0, 549), sums)
def test_ended_at_once_at_most_the_price_comes_back_and_after_the_last_day_nothing(sale, bought, fee):
    length = (sale.valid_until - sale.valid_from).days
    term = Span(sale.valid_from, sale.valid_until)
    part = Span(sale.valid_from + DAY * (bought % length), sale.valid_until)
    paid = price_standard(sale, part.first, part.after_last).net
    assert money_back(paid, share_left(sale.permit_type, term, part, part.first), fee).amount <= paid
    for day in (part.after_last - DAY, part.after_last, part.after_last + DAY):
        assert share_left(sale.permit_type, term, part, day).left == 0


@given(fixed_sales(), st.integers(0, 549), st.integers(0, 549))
def test_by_the_day_the_provider_keeps_what_the_days_used_would_have_cost(sale, bought, used):
    """The same rule backwards: price of the whole rest, less what comes back, is the share of the days used."""
    sale.permit_type.proration = Proration.DAYS
    length = (sale.valid_until - sale.valid_from).days
    part = Span(sale.valid_from + DAY * (bought % length), sale.valid_until)
    day = part.first + DAY * (used % part.days)
    paid = price_standard(sale, part.first, part.after_last).net
    share = share_left(sale.permit_type, Span(sale.valid_from, sale.valid_until), part, day)
    kept = paid - money_back(paid, share, Decimal(0)).amount
    exact = sale.permit_type.price * ((day - part.first).days + 1) / length
    assert abs(kept - exact) <= Decimal("0.011")


def make(term_kind: str, rule: str, **fields) -> Sale:
    kind = PermitType(price=Decimal("310.00"), term_kind=term_kind, proration=rule, months=fields.pop("months", 1))
    return Sale(permit_type=kind, **fields)


FALL = {"valid_from": D(2026, 9, 1), "valid_until": D(2027, 1, 1)}


@pytest.mark.parametrize(
    ("sale", "first", "after_last", "left", "of"),
    [
        (make("fixed", "days", **FALL), D(2026, 9, 1), D(2027, 1, 1), 122, 122),
        (make("fixed", "days", **FALL), D(2026, 12, 31), D(2027, 1, 1), 1, 122),
        (make("fixed", "months", **FALL), D(2026, 9, 30), D(2027, 1, 1), 4, 4),
        (make("fixed", "months", **FALL), D(2026, 10, 1), D(2027, 1, 1), 3, 4),
        (make("fixed", "months", **FALL), D(2026, 12, 31), D(2027, 1, 1), 1, 4),
        # Counted from the term's first day, whichever day of a month that is; the cut last month is a month.
        (make("fixed", "months", valid_from=D(2026, 8, 28), valid_until=D(2026, 12, 20)), D(2026, 9, 27), D(2026, 12, 20), 4, 4),
        (make("fixed", "months", valid_from=D(2026, 8, 28), valid_until=D(2026, 12, 20)), D(2026, 9, 28), D(2026, 12, 20), 3, 4),
        (make("fixed", "months", valid_from=D(2027, 1, 31), valid_until=D(2027, 4, 30)), D(2027, 2, 28), D(2027, 4, 30), 2, 3),
        (make("calendar_months", "days"), D(2026, 10, 20), D(2026, 11, 1), 12, 31),
        (make("calendar_months", "days", months=2), D(2026, 10, 20), D(2026, 12, 1), 42, 61),
        (make("calendar_months", "months", months=2), D(2026, 10, 20), D(2026, 12, 1), 2, 2),
        # The sale ends in the middle of the month: the month is the whole all the same.
        (make("calendar_months", "days"), D(2026, 10, 1), D(2026, 10, 16), 15, 31),
        (make("rolling_months", "days"), D(2026, 10, 20), D(2026, 11, 20), 31, 31),
        (make("calendar_months", "none"), D(2026, 10, 20), D(2026, 11, 1), 1, 1),
    ],
)  # fmt: skip
def test_the_share_of_the_whole_term(sale, first, after_last, left, of):
    share = share_of_term(sale.permit_type.proration, whole_term(sale, first, after_last), Span(first, after_last))
    assert (share.left, share.of) == (left, of)


@pytest.mark.parametrize(
    ("rule", "today", "left", "of"),
    [
        # Bought on the 20th of October for a term of September to December: 73 days, three months begun.
        ("days", D(2026, 10, 19), 1, 1),
        ("days", D(2026, 10, 20), 72, 73),
        ("days", D(2026, 12, 30), 1, 73),
        ("days", D(2026, 12, 31), 0, 73),
        ("months", D(2026, 10, 20), 2, 3),
        ("months", D(2026, 10, 31), 2, 3),
        ("months", D(2026, 11, 1), 1, 3),
        ("months", D(2026, 12, 1), 0, 3),
        ("none", D(2026, 10, 19), 1, 1),
        ("none", D(2026, 10, 20), 0, 1),
    ],
)
def test_what_has_begun_is_used(rule, today, left, of):
    sale = make("fixed", rule, **FALL)
    term, part = Span(D(2026, 9, 1), D(2027, 1, 1)), Span(D(2026, 10, 20), D(2027, 1, 1))
    share = share_left(sale.permit_type, term, part, today)
    assert (share.left, share.of) == (left, of)


def test_the_fee_takes_what_is_there_and_no_more():
    back = money_back(Decimal("100.00"), Share(1, 4, "months"), Decimal("40.00"))
    assert (back.part, back.fee, back.amount) == (Decimal("25.00"), Decimal("25.00"), Decimal("0.00"))


@pytest.mark.parametrize(
    ("second", "other", "net"),
    [
        ("60.00", "none", "310.00"),
        # Two reserved together: nobody gives the dear one back and pays for the cheap one.
        ("60.00", "reserved", "310.00"),
        ("60.00", "active", "60.00"),
        ("400.00", "none", "310.00"),
        ("400.00", "reserved", "400.00"),
        ("400.00", "active", "400.00"),
    ],
)
def test_a_second_one_at_its_own_price(second, other, net):
    sale = make("calendar_months", "none")
    sale.permit_type.second_price = Decimal(second)
    assert price_standard(sale, D(2026, 10, 20), D(2026, 11, 1), other=other).net == Decimal(net)


def test_how_the_sum_was_made_reads_in_words():
    sale = make("calendar_months", "days")
    sale.permit_type.second_price = Decimal("155.00")
    price = price_standard(sale, D(2026, 10, 20), D(2026, 11, 1), other="active")
    assert [(line.words, line.amount) for line in describe_price(price.parts)] == [
        ("Price of a second one, instead of $310.00", "$155.00"),
        ("12 of 31 days", "$60.00"),
    ]
    assert price.net == Decimal("60.00")
    assert not is_worth_explaining(price_standard(sale, D(2026, 10, 1), D(2026, 11, 1)).parts)
