"""Who take the last space of a lot at once."""

import datetime as dt

import pytest
from django.db import transaction
from django.utils import timezone

from opscom.core.errors import NotAllowed
from payments.models import Order
from permits.invariants import check_permits
from permits.models import Permit, PermitStatus
from permits.services.delivering import activate_permit
from permits.services.temporary import Wish
from permits.temporary import stay_by_hours
from tests.factories.payments import order_permit
from tests.factories.permits import lapse_hold, make_buyer, make_temporary_sale, make_wish, reserve_time
from tests.factories.vehicles import make_ownership
from tests.races.together import together

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = dt.timedelta(hours=1)


def assert_spaces_suffice() -> None:
    """No lot has more temporary permits at one instant than spaces."""
    assert [sentence for sentence in check_permits() if "at one instant" in sentence] == []


def test_the_last_space_goes_to_one_of_eight() -> None:
    sale, start = make_temporary_sale(spaces=1), timezone.now() + dt.timedelta(days=1)
    # Overlapping, each at another hour: every two of them meet at noon.
    wishes = [make_wish(sale, start=start - index * HOUR, hours=index + 1) for index in range(8)]
    results = together([lambda wish=wish: reserve_time(wish) for wish in wishes])
    assert sum(isinstance(result, Permit) for result in results) == 1
    assert all(isinstance(result, Permit | NotAllowed) for result in results)
    assert_spaces_suffice()


def test_three_spaces_take_three_of_eight_and_neighbours_all_fit() -> None:
    sale, start = make_temporary_sale(spaces=3), timezone.now() + dt.timedelta(days=1)
    wishes = [make_wish(sale, start=start) for _ in range(8)]
    after = [make_wish(sale, start=start + 2 * HOUR) for _ in range(3)]
    results = together([lambda wish=wish: reserve_time(wish) for wish in [*wishes, *after]])
    assert sum(isinstance(result, Permit) for result in results) == 6
    assert_spaces_suffice()


def test_two_clicks_of_one_person_keep_to_their_limit() -> None:
    sale = make_temporary_sale(spaces=9, max_per_person=1)
    buyer, _ownership = make_buyer()
    make_ownership(buyer)
    stay = stay_by_hours(timezone.now() + HOUR, 2)
    wishes = [Wish(sale, stay, own.vehicle, by_hours=True, holder=buyer) for own in buyer.ownerships.all()]
    results = together([lambda wish=wish: reserve_time(wish) for wish in wishes * 2])
    assert sum(isinstance(result, Permit) for result in results) == 1


def bring_money(permit: Permit, order: Order) -> None:
    with transaction.atomic():
        activate_permit(permit_id=permit.pk, order=order)


def test_late_money_and_a_new_wish_do_not_both_get_the_space() -> None:
    sale = make_temporary_sale(spaces=1)
    late = reserve_time(make_wish(sale))
    order = order_permit(late)
    lapse_hold(late)
    wish = make_wish(sale)
    together([lambda: reserve_time(wish), lambda: bring_money(late, order)])
    live = Permit.objects.live().filter(sale=sale)
    assert live.count() == 1
    assert live.get().status in (PermitStatus.ACTIVE, PermitStatus.RESERVED)
    assert_spaces_suffice()
