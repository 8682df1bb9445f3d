"""The line before a sale: numbers in the order of coming, so many let in a minute, a place that is never lost."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from permits import waiting_room
from permits.models import Permit, Sale
from permits.waiting_room import has_line, must_wait, take_number, turn_of
from tests.factories.permits import make_buyer, make_sale
from tests.factories.vehicles import make_owner

pytestmark = pytest.mark.django_db
OPENS = dt.datetime(2027, 1, 4, 13, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def sale_at(per_minute: int | None = 10) -> Sale:
    return Sale(opens_at=OPENS, queue_per_minute=per_minute)


def test_the_line_begins_before_the_sale_and_lasts_a_day() -> None:
    sale = sale_at()
    assert [
        has_line(sale, OPENS + after) for after in (-31 * MINUTE, -30 * MINUTE, dt.timedelta(hours=23, minutes=59))
    ] == [
        False,
        True,
        True,
    ]
    assert not has_line(sale, OPENS + dt.timedelta(days=1))
    assert not has_line(sale_at(None), OPENS)


@pytest.mark.parametrize(
    ("number", "after", "ahead"),
    [
        (1, -MINUTE, 0),
        (25, -MINUTE, 24),
        (10, 0 * MINUTE, 0),
        (11, 0 * MINUTE, 0),
        (25, 0 * MINUTE, 14),
        (25, MINUTE, 4),
    ],
)
def test_who_is_ahead(number: int, after: dt.timedelta, ahead: int) -> None:
    assert turn_of(sale_at(), number, OPENS + after).ahead == ahead


def test_nobody_is_let_in_before_it_opens_and_the_first_at_once() -> None:
    assert not turn_of(sale_at(), 1, OPENS - dt.timedelta(seconds=1)).is_in
    assert turn_of(sale_at(), 10, OPENS).is_in
    assert not turn_of(sale_at(), 11, OPENS).is_in
    assert turn_of(sale_at(), 25, OPENS - MINUTE).minutes == 3


@given(st.integers(1, 500), st.integers(1, 5000), st.integers(-1800, 86400))
def test_turns_come_in_order_and_stay(per_minute: int, number: int, seconds: int) -> None:
    sale, now = sale_at(per_minute), OPENS + dt.timedelta(seconds=seconds)
    turn = turn_of(sale, number, now)
    if turn.is_in:
        assert turn_of(sale, number, now + MINUTE).is_in
        assert number == 1 or turn_of(sale, number - 1, now).is_in
    else:
        assert turn_of(sale, number, now + turn.wait + dt.timedelta(seconds=1)).is_in
        assert turn_of(sale, number + 1, now).ahead >= turn.ahead


def test_numbers_are_in_the_order_of_coming_and_kept() -> None:
    sale = make_sale(queue_per_minute=1)
    people = [make_owner() for _one in range(3)]
    assert [take_number(sale, person) for person in people] == [1, 2, 3]
    assert take_number(sale, people[1]) == 2
    assert not must_wait(sale, people[0], sale.opens_at)
    assert must_wait(sale, people[2], sale.opens_at)
    assert not must_wait(sale, people[2], sale.opens_at + 2 * MINUTE)


def test_without_the_cache_everybody_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    sale = make_sale(queue_per_minute=1, opens_at=timezone.now())

    def away(*_args: object, **_options: object) -> None:
        raise ValueError

    monkeypatch.setattr(cache, "incr", away)
    assert not must_wait(sale, make_owner(), timezone.now())


def test_who_reserves_too_early_waits_and_is_let_in(client: Client) -> None:
    sale = make_sale(queue_per_minute=1, opens_at=timezone.now())
    first, ownership = make_buyer()
    waiting_room.take_number(sale, make_owner())
    client.force_login(first)
    data = {f"{sale.code}-vehicles": ownership.code}
    answer = client.post(reverse("permits:reserve", args=[sale.code]), data)
    assert answer.url == reverse("permits:queue", args=[sale.code])
    page = client.get(answer.url)
    assert "in line" in page.content.decode()
    assert not Permit.objects.exists()
    Sale.objects.filter(pk=sale.pk).update(opens_at=timezone.now() - 5 * MINUTE)
    assert client.get(answer.url).status_code == 302
    assert client.post(reverse("permits:reserve", args=[sale.code]), data).url == reverse("payments:due")


def test_before_it_opens_one_may_come_and_see_the_place(client: Client) -> None:
    sale = make_sale(queue_per_minute=5, opens_at=timezone.now() + 10 * MINUTE)
    buyer, _ownership = make_buyer()
    client.force_login(buyer)
    assert "Enter the waiting room" in client.get(reverse("permits:list")).content.decode()
    answer = client.post(reverse("permits:enter-queue", args=[sale.code]), follow=True)
    assert "1st in line" in answer.content.decode()
    part = client.get(reverse("permits:queue", args=[sale.code]), headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
