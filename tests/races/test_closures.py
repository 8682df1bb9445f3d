"""A lot is closed while its spaces are sold; two workers tell of one closure; a worker dies while it tells."""

import datetime as dt

import pytest
from django.utils import timezone

from opscom.core.errors import NotAllowed, Stale
from opscom.messaging.models import Message
from permits.models import Closure, ClosureNotice, Permit
from permits.services.lot_closures import call_off, tell_holders
from tests.factories.closures import close
from tests.factories.permits import make_sale, make_temporary_sale, make_wish, reserve, reserve_time
from tests.races.crashes import Killed, killed_at
from tests.races.together import together

pytestmark = pytest.mark.django_db(transaction=True)


def count_mails() -> int:
    return Message.objects.filter(template="permits/closure").count()


def test_a_stay_that_meets_a_new_closure_is_refused_or_told() -> None:
    sale, start = make_temporary_sale(spaces=4), timezone.now() + dt.timedelta(days=1)
    wishes = [make_wish(sale, start=start) for _ in range(4)]
    results = together([lambda: close(sale.lot, start=start), *[lambda w=wish: reserve_time(w) for wish in wishes]])
    sold = [result for result in results if isinstance(result, Permit)]
    assert all(isinstance(result, Permit | Closure | NotAllowed) for result in results)
    tell_holders()
    assert count_mails() == len(sold) == Permit.objects.live().count()


def test_four_workers_tell_each_holder_once() -> None:
    sale = make_sale(numbers=6)
    for _ in range(6):
        reserve(sale)
    close(sale.lot)
    together([tell_holders] * 4)
    tell_holders()
    assert count_mails() == ClosureNotice.objects.count() == 6


def test_two_who_call_it_off_do_it_once() -> None:
    closure = close(make_sale().lot)
    results = together([lambda: call_off(closure=closure, edition=1, actor=closure.made_by)] * 4)
    assert sum(isinstance(result, Stale) for result in results) == 3


def test_a_worker_that_dies_anywhere_leaves_nobody_out_and_tells_nobody_twice() -> None:
    sale = make_sale(numbers=3)
    for _ in range(3):
        reserve(sale)
    for number in range(60):
        Message.objects.all().delete()
        ClosureNotice.objects.all().delete()
        Closure.objects.update(cancelled_at=timezone.now())
        closure = close(sale.lot)
        was_killed = killed_at(number, tell_holders)
        tell_holders()
        assert count_mails() == 3, f"killed before write {number}"
        closure.refresh_from_db()
        assert closure.told_edition == closure.edition
        if not was_killed:
            assert number > 5
            return
    raise AssertionError(f"It never ended; {Killed}.")
