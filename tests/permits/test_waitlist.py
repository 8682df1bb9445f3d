"""Waitlists: who may join, in which order numbers are offered, and what becomes of an offer."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from opscom.core.errors import NotAllowed
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from opscom.provider.selectors import get_time_zone, local_date
from permits.invariants import check_permits
from permits.models import (
    EntryStatus,
    Permit,
    PermitStatus,
    Sale,
    Slot,
    SlotState,
    Waitlist,
    WaitlistBucket,
    WaitlistEntry,
    WaitlistOffer,
)
from permits.services.allotting import NumberRange, allot_numbers
from permits.services.exchanging import give_back_exchanged, give_back_missed
from permits.services.holding import extend_hold, give_back_reservation, lapse_next
from permits.services.offering import decline_offer, extend_offer, offer_deadline, release_offer
from permits.services.promoting import promote, promote_everywhere
from permits.services.waiting import leave_waitlist
from permits.waitlists import describe_wait, standings_if_joining, standings_of
from tests.factories.accounts import make_user_type
from tests.factories.permits import (
    activate,
    make_buyer,
    make_full_sale,
    make_lot,
    make_permit_type,
    make_sale,
    reserve,
    set_provider,
    wait_for,
)

pytestmark = pytest.mark.django_db


def free_number(permit: Permit, django_capture_on_commit_callbacks: object) -> None:
    """Let the permit end as the clock does; what follows the commit runs, too."""
    from permits.services.holding import end_next

    Permit.objects.filter(pk=permit.pk).update(
        valid_until=timezone.now() - dt.timedelta(seconds=1), valid_from=timezone.now() - dt.timedelta(days=9)
    )
    with django_capture_on_commit_callbacks(execute=True):
        end_next()


def offer_of(entry: WaitlistEntry) -> WaitlistOffer:
    return entry.offers.select_related("permit", "entry__person", "entry__waitlist").latest("pk")


def lapse(offer: WaitlistOffer, django_capture_on_commit_callbacks: object) -> None:
    Permit.objects.filter(pk=offer.permit_id).update(held_until=timezone.now() - dt.timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        lapse_next()


def test_a_freed_number_is_offered_to_the_first_in_line(django_capture_on_commit_callbacks) -> None:
    sale, permit = make_full_sale()
    first, second = wait_for(sale), wait_for(sale)
    free_number(permit, django_capture_on_commit_callbacks)
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.status, second.status) == (EntryStatus.OFFERED, EntryStatus.WAITING)
    offered = offer_of(first).permit
    assert (offered.holder, offered.status, offered.number) == (first.person, PermitStatus.RESERVED, permit.number)
    assert offered.held_until == offer_of(first).deadline
    assert Slot.objects.get().state == SlotState.HELD
    assert Message.objects.filter(template="permits/waitlist_offered", to=first.person.email).count() == 1
    assert list(check_permits()) == []


def test_nobody_waits_and_it_is_for_sale(django_capture_on_commit_callbacks) -> None:
    _sale, permit = make_full_sale()
    free_number(permit, django_capture_on_commit_callbacks)
    assert Slot.objects.get().state == SlotState.FREE


def test_more_numbers_go_to_the_list_first_then_to_everybody() -> None:
    sale, _permit = make_full_sale()
    entries = [wait_for(sale) for _person in range(2)]
    allot_numbers(sale=sale, numbers=NumberRange("MORE-", 1, 3), actor=make_buyer()[0])
    assert [WaitlistEntry.objects.get(pk=entry.pk).status for entry in entries] == [EntryStatus.OFFERED] * 2
    states = sorted(Slot.objects.filter(number__startswith="MORE").values_list("state", flat=True))
    assert states == [SlotState.FREE, SlotState.HELD, SlotState.HELD]
    assert list(check_permits()) == []


def test_a_better_class_goes_first(django_capture_on_commit_callbacks) -> None:
    sale, permit = make_full_sale()
    plain = wait_for(sale)
    early = make_buyer()[0]
    User.objects.filter(pk=early.pk).update(user_type=make_user_type(waitlist_priority=1))
    early.refresh_from_db()
    better = wait_for(sale, early)
    free_number(permit, django_capture_on_commit_callbacks)
    better.refresh_from_db(), plain.refresh_from_db()
    assert (better.status, plain.status) == (EntryStatus.OFFERED, EntryStatus.WAITING)


def test_paid_they_are_served(django_capture_on_commit_callbacks) -> None:
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    free_number(permit, django_capture_on_commit_callbacks)
    activate(offer_of(entry).permit)
    entry.refresh_from_db()
    assert entry.status == EntryStatus.SERVED
    assert list(check_permits()) == []


def test_lapsed_once_to_the_end_twice_off_the_list_and_the_next_one_is_offered(
    django_capture_on_commit_callbacks,
) -> None:
    sale, permit = make_full_sale()
    first, second = wait_for(sale), wait_for(sale)
    free_number(permit, django_capture_on_commit_callbacks)
    lapse(offer_of(first), django_capture_on_commit_callbacks)
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.status, first.lapses, second.status) == (EntryStatus.WAITING, 1, EntryStatus.OFFERED)
    assert first.ticket > second.ticket
    lapse(offer_of(second), django_capture_on_commit_callbacks)
    first.refresh_from_db()
    assert first.status == EntryStatus.OFFERED
    lapse(offer_of(first), django_capture_on_commit_callbacks)
    first.refresh_from_db()
    assert (first.status, first.lapses) == (EntryStatus.REMOVED, 2)
    assert list(check_permits()) == []


@pytest.mark.parametrize(("stays", "status"), [(True, EntryStatus.WAITING), (False, EntryStatus.LEFT)])
def test_declined_it_goes_to_the_next(django_capture_on_commit_callbacks, stays: bool, status: str) -> None:
    sale, permit = make_full_sale()
    first, second = wait_for(sale), wait_for(sale)
    free_number(permit, django_capture_on_commit_callbacks)
    with django_capture_on_commit_callbacks(execute=True):
        decline_offer(offer=offer_of(first), stays=stays, actor=first.person)
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.status, second.status) == (status, EntryStatus.OFFERED)
    with pytest.raises(NotAllowed, match="over"):
        decline_offer(offer=offer_of(first), stays=True, actor=first.person)
    assert list(check_permits()) == []


def test_an_offer_is_neither_given_back_nor_extended_as_a_reservation(django_capture_on_commit_callbacks) -> None:
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    free_number(permit, django_capture_on_commit_callbacks)
    offered = offer_of(entry).permit
    with pytest.raises(NotAllowed, match="decline"):
        give_back_reservation(permit=offered, actor=entry.person)
    with pytest.raises(NotAllowed, match="deadline"):
        extend_hold(permit=offered, actor=entry.person)


def test_the_office_extends_and_releases(django_capture_on_commit_callbacks) -> None:
    sale, permit = make_full_sale()
    entry, clerk = wait_for(sale), make_buyer()[0]
    free_number(permit, django_capture_on_commit_callbacks)
    offer = offer_of(entry)
    with pytest.raises(NotAllowed, match="after the present deadline"):
        extend_offer(offer=offer, until=offer.deadline, actor=clerk)
    later = offer.deadline + dt.timedelta(days=1)
    extend_offer(offer=offer, until=later, actor=clerk)
    offer = offer_of(entry)
    assert (offer.deadline, offer.permit.held_until) == (later, later)
    second = wait_for(sale)
    with django_capture_on_commit_callbacks(execute=True):
        set_provider(is_waitlist_managed=True)
        release_offer(offer=offer, reason="Wrong person", actor=clerk)
    entry.refresh_from_db(), second.refresh_from_db()
    assert (entry.status, second.status) == (EntryStatus.WAITING, EntryStatus.WAITING)
    assert entry.ticket < second.ticket
    assert Slot.objects.get().state == SlotState.FOR_LIST
    assert list(check_permits()) == []


def test_where_the_office_picks_numbers_wait_and_it_is_told_once(django_capture_on_commit_callbacks) -> None:
    set_provider(is_waitlist_managed=True, waitlist_emails="lists@example.org, second@example.org")
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    free_number(permit, django_capture_on_commit_callbacks)
    promote(sale.pk)
    entry.refresh_from_db()
    assert (entry.status, Slot.objects.get().state) == (EntryStatus.WAITING, SlotState.FOR_LIST)
    mails = Message.objects.filter(template="permits/waitlist_office_numbers")
    assert sorted(mails.values_list("to", flat=True)) == ["lists@example.org", "second@example.org"]


def test_who_may_not_have_it_now_is_passed_over_and_keeps_the_place(django_capture_on_commit_callbacks) -> None:
    from tests.factories.accounts import make_hold

    sale, permit = make_full_sale()
    first, second = wait_for(sale), wait_for(sale)
    make_hold(first.person)
    free_number(permit, django_capture_on_commit_callbacks)
    promote(sale.pk)
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.status, second.status) == (EntryStatus.WAITING, EntryStatus.OFFERED)
    assert AuditEntry.objects.filter(action="waitlist.passed_over", object_id=first.pk).count() == 1


def test_a_number_is_kept_while_nobody_in_line_may_have_it(django_capture_on_commit_callbacks) -> None:
    from tests.factories.accounts import make_hold

    sale, permit = make_full_sale()
    entry = wait_for(sale)
    make_hold(entry.person)
    free_number(permit, django_capture_on_commit_callbacks)
    assert Slot.objects.get().state == SlotState.FOR_LIST
    buyer = make_buyer()[0]
    with pytest.raises(NotAllowed, match="Full"):
        reserve(sale, buyer)


def test_a_closed_sale_keeps_its_numbers_while_somebody_waits(django_capture_on_commit_callbacks) -> None:
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    Sale.objects.filter(pk=sale.pk).update(is_active=False)
    free_number(permit, django_capture_on_commit_callbacks)
    assert (Slot.objects.get().state, promote_everywhere()) == (SlotState.FOR_LIST, 0)
    Sale.objects.filter(pk=sale.pk).update(is_active=True)
    assert promote_everywhere() == 1
    entry.refresh_from_db()
    assert entry.status == EntryStatus.OFFERED


def test_an_offer_may_replace_a_permit_of_the_group_and_gives_it_back(django_capture_on_commit_callbacks) -> None:
    kind = make_permit_type(limit_group="one", price=Decimal(90))
    old_sale = make_sale(permit_type=make_permit_type(limit_group="one"))
    sale, permit = make_full_sale(permit_type=kind)
    person = make_buyer()[0]
    old = activate(reserve(old_sale, person))
    entry = wait_for(sale, person)
    free_number(permit, django_capture_on_commit_callbacks)
    offer = offer_of(entry)
    assert (offer.gives_back, offer.permit.net) == (old, Decimal(90))
    old.refresh_from_db()
    assert old.status == PermitStatus.ACTIVE
    with django_capture_on_commit_callbacks(execute=True):
        activate(offer.permit)
    old.refresh_from_db()
    assert old.status == PermitStatus.ENDED
    assert list(check_permits()) == []


def test_what_was_handed_to_somebody_else_is_not_given_back(django_capture_on_commit_callbacks) -> None:
    sale, permit = make_full_sale(permit_type=make_permit_type(limit_group="one"))
    person = make_buyer()[0]
    old = activate(reserve(make_sale(permit_type=make_permit_type(limit_group="one")), person))
    entry = wait_for(sale, person)
    free_number(permit, django_capture_on_commit_callbacks)
    Permit.objects.filter(pk=old.pk).update(holder=make_buyer()[0], holder_place=1)
    activate(offer_of(entry).permit)
    assert give_back_missed() == 0
    assert not give_back_exchanged(offer_of(entry).pk)
    old.refresh_from_db()
    assert old.status == PermitStatus.ACTIVE


def test_a_withdrawn_number_goes_to_the_next_not_back_to_the_same_person(django_capture_on_commit_callbacks) -> None:
    sale, permit = make_full_sale()
    first, second, clerk = wait_for(sale), wait_for(sale), make_buyer()[0]
    free_number(permit, django_capture_on_commit_callbacks)
    with django_capture_on_commit_callbacks(execute=True):
        release_offer(offer=offer_of(first), reason="No longer at the school", actor=clerk)
    promote_everywhere()
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.status, second.status) == (EntryStatus.WAITING, EntryStatus.OFFERED)
    # Another number is theirs as before: they kept their place.
    allot_numbers(sale=sale, numbers=NumberRange("NEXT-", 1, 1), actor=clerk)
    first.refresh_from_db()
    assert first.status == EntryStatus.OFFERED
    assert list(check_permits()) == []


def test_a_withdrawn_number_keeps_no_other_from_the_person_it_was_taken_from(
    django_capture_on_commit_callbacks,
) -> None:
    sale, permit = make_full_sale()
    only, clerk = wait_for(sale), make_buyer()[0]
    free_number(permit, django_capture_on_commit_callbacks)
    with django_capture_on_commit_callbacks(execute=True):
        release_offer(offer=offer_of(only), reason="The stall floods", actor=clerk)
    later = wait_for(sale)
    promote_everywhere()
    later.refresh_from_db()
    # The one that was taken back goes past the first, whose turn it is as soon as there is another.
    assert later.status == EntryStatus.OFFERED
    with django_capture_on_commit_callbacks(execute=True):
        release_offer(offer=offer_of(later), reason="It floods still", actor=clerk)
    Slot.objects.create(sale=sale, number="NEXT-001", state=SlotState.FOR_LIST, shuffle=0.5)
    promote_everywhere()
    only.refresh_from_db(), later.refresh_from_db()
    assert (only.status, later.status) == (EntryStatus.OFFERED, EntryStatus.WAITING)
    assert offer_of(only).permit.number == "NEXT-001"


# Joining


def test_joining_is_refused_to_a_holder_twice_and_while_numbers_are_free() -> None:
    sale, permit = make_full_sale()
    with pytest.raises(NotAllowed, match="hold a permit of this lot"):
        wait_for(sale, permit.holder)
    entry = wait_for(sale)
    with pytest.raises(NotAllowed, match="on this waitlist already"):
        wait_for(sale, entry.person)
    with pytest.raises(NotAllowed, match="nobody has to wait"):
        wait_for(make_sale(numbers=1))
    set_provider(is_waitlist_only_when_full=False)
    assert wait_for(make_sale(numbers=1)).status == EntryStatus.WAITING


def test_joining_needs_a_list_a_proved_address_and_the_right_type() -> None:
    sale, _permit = make_full_sale(lot=make_lot(is_waitlist_on=False))
    with pytest.raises(NotAllowed, match="no waitlist"):
        wait_for(sale)
    sale, _permit = make_full_sale()
    with pytest.raises(NotAllowed, match="confirm your e-mail"):
        wait_for(sale, make_buyer(email_proved_at=None)[0])
    sale.permit_type.user_types.add(make_user_type())
    with pytest.raises(NotAllowed, match="not for your user type"):
        wait_for(sale)


def test_leaving_and_joining_again_is_the_end_of_the_line() -> None:
    sale, _permit = make_full_sale()
    first, second = wait_for(sale), wait_for(sale)
    leave_waitlist(entry=first, actor=first.person)
    first.refresh_from_db()
    assert first.status == EntryStatus.LEFT
    with pytest.raises(NotAllowed):
        leave_waitlist(entry=first, actor=first.person)
    again = wait_for(sale, first.person)
    assert positions(again, second) == [2, 1]
    assert list(check_permits()) == []


# Positions


def positions(*entries: WaitlistEntry) -> list[int]:
    found = standings_of(WaitlistEntry.objects.filter(pk__in=[entry.pk for entry in entries]), timezone.now())
    return [found[entry.pk].position for entry in entries]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 5000)), min_size=1, max_size=30, unique_by=lambda pair: pair[1]
    ),
    st.integers(0, 4),
)
def test_positions_are_those_of_a_plain_sort(places: list[tuple[int, int]], mine: int) -> None:
    sale = make_sale(numbers=0)
    waitlist = Waitlist.objects.create(lot=sale.lot, permit_type=sale.permit_type, next_ticket=6000)
    entries = []
    for priority, ticket in places:
        person = User.objects.create(first_name="In line")
        entries.append(WaitlistEntry.objects.create(waitlist=waitlist, person=person, priority=priority, ticket=ticket))
        bucket, _made = WaitlistBucket.objects.get_or_create(
            waitlist=waitlist, priority=priority, bucket=ticket // 1000
        )
        WaitlistBucket.objects.filter(pk=bucket.pk).update(count=bucket.count + 1)
    order = sorted(places)
    assert positions(*entries) == [order.index(place) + 1 for place in places]
    pair = (sale.lot_id, sale.permit_type_id)
    joining = standings_if_joining([pair], priority=mine, now=timezone.now())[pair]
    assert joining.position == sum(priority <= mine for priority, _ticket in places) + 1
    assert joining.waiting == len(places)


def test_the_expected_wait_needs_history() -> None:
    assert describe_wait(None) == "not enough history"
    assert [describe_wait(days) for days in (1, 13, 35, 180, 800)] == [
        "about 1 day",
        "about 13 days",
        "about 5 weeks",
        "about 6 months",
        "about 2 years",
    ]


def test_the_expected_wait_is_the_pace_of_the_past_year(django_capture_on_commit_callbacks) -> None:
    sale, _permit = make_full_sale()
    for _person in range(5):
        wait_for(sale)
    allot_numbers(sale=sale, numbers=NumberRange("W-", 1, 5), actor=make_buyer()[0])
    last = wait_for(sale)
    standing = standings_of(WaitlistEntry.objects.filter(pk=last.pk), timezone.now())[last.pk]
    assert (standing.position, standing.days) == (1, 73)
    WaitlistOffer.objects.filter(pk=WaitlistOffer.objects.first().pk).update(
        offered_at=timezone.now() - dt.timedelta(days=366)
    )
    assert standings_of(WaitlistEntry.objects.filter(pk=last.pk), timezone.now())[last.pk].days is None


def test_the_deadline_is_the_offices_closing_time_on_a_business_day() -> None:
    set_provider(waitlist_offer_days=2, office_weekdays=[0, 1, 2, 3, 4])
    friday = dt.datetime(2026, 11, 27, 20, tzinfo=get_time_zone())
    deadline = offer_deadline(friday).astimezone(get_time_zone())
    assert (local_date(deadline), deadline.time()) == (dt.date(2026, 12, 1), dt.time(16, 30))


def test_planted_wrong_counters_are_named() -> None:
    sale, _permit = make_full_sale()
    entry = wait_for(sale)
    WaitlistBucket.objects.update(count=2)
    assert any("counter" in sentence for sentence in check_permits())
    WaitlistBucket.objects.update(count=1)
    WaitlistEntry.objects.filter(pk=entry.pk).update(status=EntryStatus.OFFERED)
    assert any("no offer of it is held" in sentence for sentence in check_permits())
