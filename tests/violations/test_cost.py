"""What a ticket costs on each day: properties that hold for every rule, and tables of each step's edges."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from violations.cost import Calendar, Decided, Late, Review, Rule, periods

ISSUED = dt.date(2026, 3, 2)
DAY = dt.timedelta(days=1)
SPAN = 140
sums = st.integers(0, 50_000).map(lambda cents: Decimal(cents).scaleb(-2))
days = st.integers(0, 60)


@st.composite
def rules(draw: st.DrawFn, *, is_decided: bool = False) -> Rule:
    """Return a rule that an offence can have: the discount within the fine, one late fee for each day."""
    fine, fee = draw(sums), draw(sums)
    discount = min(draw(sums), fine + fee)
    due_days = draw(days)
    late = draw(st.dictionaries(days, sums.filter(bool), max_size=4))
    decided = Decided(draw(sums), draw(days)) if is_decided else None
    return Rule(
        fine=fine,
        fee=fee,
        discount=discount,
        discount_days=min(draw(days), due_days),
        due_days=due_days,
        late_fees=[Late(after, amount) for after, amount in late.items()],
        decided=decided,
    )


@st.composite
def calendars(draw: st.DrawFn, *, may_go_on: bool = True) -> Calendar:
    """Return a calendar with up to three reviews, one after the other; the last may go on."""
    reviews, first = [], ISSUED
    for _number in range(draw(st.integers(0, 3))):
        first += DAY * draw(st.integers(0, 20))
        end = first + DAY * draw(st.integers(0, 20))
        reviews.append(Review(first, end))
        first = end
    if may_go_on and draw(st.booleans()):
        reviews.append(Review(first + DAY * draw(st.integers(0, 20))))
    return Calendar(ISSUED, reviews)


@given(rules())
def test_it_only_ever_rises_and_is_never_less_than_nothing(rule):
    amounts = [rule.amount(day) for day in range(SPAN)]
    assert min(amounts) >= 0
    assert amounts == sorted(amounts)
    assert amounts[-1] == rule.fine + rule.fee + sum(fee.amount for fee in rule.late_fees)


@given(rules(is_decided=True))
def test_a_decision_sets_the_sum_and_later_late_fees_still_come(rule):
    decided = rule.decided
    assert rule.amount(decided.day) == decided.amount
    amounts = [rule.amount(day) for day in range(decided.day, SPAN)]
    assert amounts == sorted(amounts)
    assert min(amounts) >= 0
    to_come = sum(fee.amount for fee in rule.late_fees if fee.after_days >= decided.day)
    assert amounts[-1] == decided.amount + to_come


@given(calendars())
def test_days_never_go_back_and_no_day_is_skipped(calendar):
    counted = [calendar.day_on(ISSUED + DAY * number) for number in range(-3, SPAN)]
    assert counted[:4] == [0, 0, 0, 0]
    assert all(later - day in (0, 1) for day, later in pairwise(counted))


@given(rules(), calendars())
def test_it_costs_the_same_when_a_review_ends_as_when_it_began(rule, calendar):
    for review in calendar.reviews:
        last = review.end or review.first + 90 * DAY
        on = review.first
        while on <= last:
            assert rule.amount(calendar.day_on(on)) == rule.amount(calendar.day_on(review.first))
            on += DAY


@given(rules(), calendars(may_go_on=False), st.integers(0, 30), st.integers(0, 40))
def test_a_review_moves_every_later_step_by_its_length_and_no_earlier_one(rule, calendar, wait, length):
    last = max([ISSUED, *(review.end for review in calendar.reviews)])
    first = last + DAY * wait
    reviewed = Calendar(ISSUED, [*calendar.reviews, Review(first, first + DAY * length)])
    began = calendar.day_on(first)
    for day in [*rule.last_days(), rule.due_days]:
        moved = reviewed.last_date_of(day) - calendar.last_date_of(day)
        assert moved == DAY * length * (day >= began)


@given(calendars(may_go_on=False), st.integers(0, 80))
def test_the_last_date_of_a_day_is_its_last(calendar, day):
    last = calendar.last_date_of(day)
    assert (calendar.day_on(last), calendar.day_on(last + DAY)) == (day, day + 1)


@given(st.one_of(rules(), rules(is_decided=True)), calendars())
def test_periods_tile_the_time_and_say_what_each_day_costs(rule, calendar):
    line = periods(rule, calendar, ISSUED)
    assert (line[0].first_day, line[0].first_date) == (0, ISSUED)
    assert (line[-1].last_day, line[-1].last_date) == (None, None)
    for one, other in pairwise(line):
        assert other.first_day == one.last_day + 1
        assert other.first_date == one.last_date + DAY
        assert other.amount != one.amount
    for day in range(SPAN):
        [here] = [one for one in line if one.first_day <= day and (one.last_day is None or day <= one.last_day)]
        assert here.amount == rule.amount(day)


@given(rules(), calendars(), st.integers(0, SPAN))
def test_one_period_is_now_and_those_before_it_are_past(rule, calendar, number):
    on = ISSUED + DAY * number
    line = periods(rule, calendar, on)
    [now] = [one for one in line if one.is_now]
    assert now.amount == rule.amount(calendar.day_on(on))
    assert [one for one in line if one.is_past] == line[: line.index(now)]


@given(rules(), calendars(may_go_on=False), st.integers(0, SPAN))
def test_dates_of_periods_say_what_each_date_costs(rule, calendar, number):
    on = ISSUED + DAY * number
    line = periods(rule, calendar, on)
    [here] = [one for one in line if one.first_date <= on and (one.last_date is None or on <= one.last_date)]
    assert here.amount == rule.amount(calendar.day_on(on))


# Tables


FINE = Rule(
    fine=Decimal(35),
    fee=Decimal(5),
    discount=Decimal(10),
    discount_days=7,
    due_days=30,
    late_fees=[Late(30, Decimal(15)), Late(60, Decimal(20))],
)


@pytest.mark.parametrize(
    ("day", "amount"), [(0, 30), (1, 30), (7, 30), (8, 40), (30, 40), (31, 55), (60, 55), (61, 75), (400, 75)]
)
def test_discount_full_late(day, amount):
    assert FINE.amount(day) == amount


def changed(**changes) -> Rule:
    return Rule(**{name: getattr(FINE, name) for name in Rule.__slots__} | changes)


LOST = changed(discount=Decimal(0))
DECIDED_EARLY = changed(decided=Decided(Decimal(12), 5))
DECIDED_LATE = changed(decided=Decided(Decimal(12), 31))
DECIDED_AT_THE_EDGE = changed(decided=Decided(Decimal(12), 30))
SAME_DAY_ONLY = changed(discount_days=0)
ONE_DAY = changed(discount_days=30)
PLAIN = changed(discount=Decimal(0), late_fees=[])


@pytest.mark.parametrize(
    ("rule", "table"),
    [
        (LOST, {0: 40, 7: 40, 8: 40, 31: 55}),
        # Decided before the first late fee: it still comes, and no discount is taken off the decided sum.
        (DECIDED_EARLY, {5: 12, 7: 12, 8: 12, 30: 12, 31: 27, 61: 47}),
        # On the last day before it: still to come.
        (DECIDED_AT_THE_EDGE, {30: 12, 31: 27, 61: 47}),
        # The first late fee was in the sum that was lowered.
        (DECIDED_LATE, {31: 12, 60: 12, 61: 32}),
        (SAME_DAY_ONLY, {0: 30, 1: 40}),
        # The discount ends on the day on which the late fee begins: one step, of both.
        (ONE_DAY, {30: 30, 31: 55}),
        (PLAIN, {0: 40, 1000: 40}),
    ],
)
def test_lost_and_decided(rule, table):
    assert {day: rule.amount(day) for day in table} == table


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        (FINE, [7, 30, 60]),
        (LOST, [30, 60]),
        (DECIDED_EARLY, [30, 60]),
        (DECIDED_LATE, [60]),
        (SAME_DAY_ONLY, [0, 30, 60]),
        (ONE_DAY, [30, 60]),
        (PLAIN, []),
    ],
)
def test_the_days_after_which_it_costs_more(rule, days):
    assert rule.last_days() == days


def test_a_review_on_paper():
    """Day 5 begins on 7 March, lasts while the appeal is under review until the 17th, and that day is day 5, too."""
    calendar = Calendar(ISSUED, [Review(dt.date(2026, 3, 7), dt.date(2026, 3, 17))])
    dates = [6, 7, 12, 17, 18, 19, 20]
    assert [calendar.day_on(dt.date(2026, 3, date)) for date in dates] == [4, 5, 5, 5, 6, 7, 8]
    assert calendar.last_date_of(4) == dt.date(2026, 3, 6)
    assert calendar.last_date_of(5) == dt.date(2026, 3, 17)
    assert calendar.last_date_of(7) == dt.date(2026, 3, 19)
    assert not calendar.is_standing_still


def test_while_it_goes_on_the_days_stand_still():
    calendar = Calendar(ISSUED, [Review(ISSUED + 5 * DAY)])
    assert calendar.day_on(ISSUED + 400 * DAY) == 5
    assert calendar.is_standing_still
