"""A status moves along its table only, and of two that race one loses."""

import pytest

from opscom.core.errors import IllegalMove, Stale
from opscom.core.transitions import advance
from payments.models import ORDER_MOVES, Order, OrderStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Order:
    return Order.objects.create(language="en", currency="CAD", net=0, tax=0, total=0)


def test_a_move_that_the_table_lacks_is_refused(order):
    advance(order, OrderStatus.CLOSED, table=ORDER_MOVES)
    with pytest.raises(IllegalMove):
        advance(order, OrderStatus.OPEN, table=ORDER_MOVES)
    order.refresh_from_db()
    assert order.status == OrderStatus.CLOSED


def test_who_moves_second_from_an_old_copy_is_told(order):
    copy = Order.objects.get(pk=order.pk)
    advance(order, OrderStatus.CLOSED, table=ORDER_MOVES)
    with pytest.raises(Stale):
        advance(copy, OrderStatus.CLOSED, table=ORDER_MOVES)
    assert copy.status == OrderStatus.OPEN


def test_what_moves_with_it_is_written_and_seen(order):
    advance(order, OrderStatus.CLOSED, table=ORDER_MOVES, email="new@example.org")
    assert (order.email, Order.objects.get().email) == ("new@example.org", "new@example.org")
