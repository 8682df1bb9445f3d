"""Numbers that come free, and who waits for them: never past the list, never to two, whoever races."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.merging.services import merge_people, plan_merge
from opscom.core.errors import DomainError
from payments.services.confirming import confirm_payment
from permits.models import EntryStatus, Permit, PermitStatus, Slot, SlotState, WaitlistEntry, WaitlistOffer
from permits.services.allotting import NumberRange, allot_numbers
from permits.services.holding import end_next, lapse_next
from permits.services.offering import decline_offer, extend_offer
from permits.services.picking import change_class, pick, take_off
from permits.services.promoting import promote, promote_everywhere
from permits.services.waiting import leave_waitlist
from tests.factories.accounts import make_user
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import (
    activate,
    make_buyer,
    make_full_sale,
    make_permit_type,
    make_sale,
    offer_demo_bank,
    reserve,
    set_provider,
    wait_for,
)
from tests.races.crashes import at_each_write
from tests.races.together import assert_books_and_numbers_are_right, let_hours_pass, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
PAST = dt.timedelta(seconds=1)


def statuses(*entries: WaitlistEntry) -> list[str]:
    rows = dict(WaitlistEntry.objects.values_list("pk", "status"))
    return [rows[entry.pk] for entry in entries]


def end(*permits: Permit) -> None:
    now = timezone.now()
    ids = [permit.pk for permit in permits]
    Permit.objects.filter(pk__in=ids).update(valid_from=now - dt.timedelta(days=9), valid_until=now - PAST)


def offer_of(entry: WaitlistEntry) -> WaitlistOffer:
    return entry.offers.select_related("permit", "entry__person", "entry__waitlist").latest("pk")


def test_two_freed_numbers_and_three_waiting() -> None:
    sale = make_sale(numbers=2)
    permits = [activate(reserve(sale)) for _one in range(2)]
    entries = [wait_for(sale) for _one in range(3)]
    end(*permits)
    together([end_next, end_next, lambda: promote(sale.pk), promote_everywhere])
    promote_everywhere()
    assert statuses(*entries) == [EntryStatus.OFFERED, EntryStatus.OFFERED, EntryStatus.WAITING]
    assert Slot.objects.filter(sale=sale, state=SlotState.HELD).count() == 2
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("_round", range(3))
def test_an_offer_paid_in_the_second_it_lapses(_round: int) -> None:
    sale, permit = make_full_sale()
    first, second = wait_for(sale), wait_for(sale)
    end(permit)
    end_next()
    offer_demo_bank()
    payment = go_to_bank(order_permit(offer_of(first).permit))
    pay_at_bank(payment)
    Permit.objects.filter(pk=offer_of(first).permit_id).update(held_until=timezone.now() - PAST)
    together([lambda: confirm_payment(payment), lapse_next, lambda: promote(sale.pk)])
    # What could not be delivered at once is delivered, or refunded, by the beat.
    let_hours_pass()
    offered = Permit.objects.get(pk=offer_of(first).permit_id)
    # Served, or too late with the money going back: then the next one has the offer. Never both.
    if offered.status == PermitStatus.ACTIVE:
        assert statuses(first, second) == [EntryStatus.SERVED, EntryStatus.WAITING]
    else:
        assert statuses(first, second) == [EntryStatus.WAITING, EntryStatus.OFFERED]
        assert payment.order.lines.get().status == "refunded"
    assert Permit.objects.live().filter(sale=sale).count() == 1
    assert_books_and_numbers_are_right()


def test_declined_and_lapsed_at_once_is_one_of_the_two() -> None:
    sale, permit = make_full_sale()
    first, second = wait_for(sale), wait_for(sale)
    end(permit)
    end_next()
    offer = offer_of(first)
    Permit.objects.filter(pk=offer.permit_id).update(held_until=timezone.now() - PAST)
    together([lambda: decline_offer(offer=offer, stays=False, actor=first.person), lapse_next])
    promote_everywhere()
    first.refresh_from_db()
    assert first.status in (EntryStatus.LEFT, EntryStatus.WAITING)
    assert statuses(second) == [EntryStatus.OFFERED]
    assert_books_and_numbers_are_right()


def test_joining_twice_in_one_moment_is_once() -> None:
    sale, _permit = make_full_sale()
    person, _ownership = make_buyer()
    results = together([lambda: wait_for(sale, person) for _one in range(4)])
    assert sum(isinstance(result, WaitlistEntry) for result in results) == 1
    assert_books_and_numbers_are_right()


def test_eight_who_join_at_once_have_places_of_their_own() -> None:
    sale, _permit = make_full_sale()
    people = [make_buyer()[0] for _one in range(8)]
    results = together([lambda person=person: wait_for(sale, person) for person in people])
    assert sorted(entry.ticket for entry in results) == list(range(8))
    assert_books_and_numbers_are_right()


def test_a_buyer_never_passes_the_list() -> None:
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    buyers = [make_buyer()[0] for _one in range(3)]
    end(permit)
    buying = [lambda buyer=buyer: reserve(sale, buyer) for buyer in buyers]
    results = together([end_next, lambda: promote(sale.pk), *buying])
    promote_everywhere()
    assert all(isinstance(result, DomainError) for result in results[2:])
    assert statuses(entry) == [EntryStatus.OFFERED]
    assert_books_and_numbers_are_right()


def test_leaving_while_the_number_is_offered() -> None:
    sale, permit = make_full_sale()
    first, second = wait_for(sale), wait_for(sale)
    end(permit)
    together([lambda: leave_waitlist(entry=first, actor=first.person), end_next])
    promote_everywhere()
    assert sorted([*statuses(first), *statuses(second)]) in (
        sorted([EntryStatus.LEFT, EntryStatus.OFFERED]),
        sorted([EntryStatus.OFFERED, EntryStatus.WAITING]),
    )
    assert_books_and_numbers_are_right()


def test_numbers_added_twice_and_promoted_at_once_go_to_each_once() -> None:
    sale, _permit = make_full_sale()
    entries = [wait_for(sale) for _one in range(3)]
    clerk = make_buyer()[0]
    together(
        [
            lambda: allot_numbers(sale=sale, numbers=NumberRange("A-", 1, 2), actor=clerk),
            lambda: allot_numbers(sale=sale, numbers=NumberRange("B-", 1, 2), actor=clerk),
            lambda: promote(sale.pk),
        ]
    )
    promote_everywhere()
    assert statuses(*entries) == [EntryStatus.OFFERED] * 3
    assert Slot.objects.filter(sale=sale, state=SlotState.FREE).count() == 1
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("_round", range(2))
def test_late_money_while_the_same_number_is_offered_again(_round: int) -> None:
    """Whoever comes first, the only one in line has one permit, or the money back and an offer."""
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    end(permit)
    end_next()
    offer_demo_bank()
    late = offer_of(entry).permit
    payment = go_to_bank(order_permit(late))
    pay_at_bank(payment)
    Permit.objects.filter(pk=late.pk).update(held_until=timezone.now() - PAST)
    lapse_next()
    together([lambda: confirm_payment(payment), lambda: promote(sale.pk), promote_everywhere])
    let_hours_pass()
    late.refresh_from_db()
    expected = EntryStatus.SERVED if late.status == PermitStatus.ACTIVE else EntryStatus.OFFERED
    assert statuses(entry) == [expected]
    assert Permit.objects.live().filter(sale=sale).count() == 1
    assert_books_and_numbers_are_right()


def test_two_clerks_pick_for_one_number() -> None:
    set_provider(is_waitlist_managed=True)
    sale, permit = make_full_sale()
    entries = [wait_for(sale) for _one in range(3)]
    clerk = make_buyer()[0]
    end(permit)
    end_next()
    picks = [lambda entry=entry: pick(entry=entry, reason="Needs it", actor=clerk) for entry in entries]
    results = together(picks)
    assert sum(isinstance(result, WaitlistOffer) for result in results) == 1
    assert sorted(statuses(*entries)) == [EntryStatus.OFFERED, EntryStatus.WAITING, EntryStatus.WAITING]
    assert_books_and_numbers_are_right()


def test_picked_taken_off_and_left_in_one_moment() -> None:
    set_provider(is_waitlist_managed=True)
    sale, permit = make_full_sale()
    entry, clerk = wait_for(sale), make_buyer()[0]
    end(permit)
    end_next()
    together(
        [
            lambda: pick(entry=entry, reason="", actor=clerk),
            lambda: take_off(entry=entry, reason="Moved away", actor=clerk),
            lambda: leave_waitlist(entry=entry, actor=entry.person),
            lambda: change_class(entry=entry, priority=1, reason="Rule", actor=clerk),
        ]
    )
    assert statuses(entry)[0] in (EntryStatus.OFFERED, EntryStatus.REMOVED, EntryStatus.LEFT)
    assert_books_and_numbers_are_right()


def test_extended_and_lapsed_in_one_moment() -> None:
    sale, permit = make_full_sale()
    entry, clerk = wait_for(sale), make_buyer()[0]
    end(permit)
    end_next()
    offer = offer_of(entry)
    Permit.objects.filter(pk=offer.permit_id).update(held_until=timezone.now() - PAST)
    later = offer.deadline + dt.timedelta(days=1)
    together([lambda: extend_offer(offer=offer, until=later, actor=clerk), lapse_next])
    held = Permit.objects.get(pk=offer.permit_id)
    assert (held.status, held.held_until) in [(PermitStatus.RESERVED, later), (PermitStatus.LAPSED, None)]
    promote_everywhere()
    assert_books_and_numbers_are_right()


def test_merged_while_the_number_is_offered() -> None:
    sale, permit = make_full_sale()
    loser, keeper, office = wait_for(sale), make_buyer()[0], make_user()
    mark = plan_merge(keeper=keeper, loser=loser.person).mark
    end(permit)
    merging = {"keeper": keeper, "loser": loser.person, "actor": office, "reason": "Twice", "mark": mark}
    together([lambda: merge_people(**merging), end_next, lambda: promote(sale.pk)])
    promote_everywhere()
    loser.refresh_from_db()
    assert loser.status == EntryStatus.OFFERED
    assert offer_of(loser).permit.holder_id == loser.person_id
    assert_books_and_numbers_are_right()


# Killed before any one of its writes; the beat alone brings everything right


def waiting_for_a_freed_number() -> tuple[WaitlistEntry, WaitlistEntry, Permit]:
    sale, permit = make_full_sale()
    first, second = wait_for(sale), wait_for(sale)
    end(permit)
    return first, second, permit


def test_freeing_and_offering_a_number() -> None:
    places: list[WaitlistEntry] = []

    def make() -> Callable[[], object]:
        places[:] = waiting_for_a_freed_number()[:2]
        return end_next

    def check() -> None:
        assert statuses(*places) == [EntryStatus.OFFERED, EntryStatus.WAITING]
        assert places[0].offers.count() == 1

    at_each_write(make, check)


def test_letting_an_offer_lapse() -> None:
    places: list[WaitlistEntry] = []

    def make() -> Callable[[], object]:
        places[:] = waiting_for_a_freed_number()[:2]
        end_next()
        Permit.objects.filter(pk=offer_of(places[0]).permit_id).update(held_until=timezone.now() - PAST)
        return lapse_next

    def check() -> None:
        assert statuses(*places) == [EntryStatus.WAITING, EntryStatus.OFFERED]
        assert WaitlistEntry.objects.get(pk=places[0].pk).lapses == 1

    at_each_write(make, check)


def test_paying_for_an_offer_that_replaces_a_permit() -> None:
    offer_demo_bank()
    found: dict[str, WaitlistEntry | Permit] = {}

    def make() -> Callable[[], object]:
        group = f"one-{Permit.objects.count()}"
        person = make_buyer()[0]
        found["old"] = activate(reserve(make_sale(permit_type=make_permit_type(limit_group=group)), person))
        sale, permit = make_full_sale(permit_type=make_permit_type(limit_group=group))
        found["entry"] = entry = wait_for(sale, person)
        end(permit)
        end_next()
        payment = go_to_bank(order_permit(offer_of(entry).permit))
        pay_at_bank(payment)
        return lambda: confirm_payment(payment)

    def check() -> None:
        entry, old = found["entry"], found["old"]
        entry.refresh_from_db(), old.refresh_from_db()
        assert (entry.status, old.status) == (EntryStatus.SERVED, PermitStatus.ENDED)

    at_each_write(make, check)
