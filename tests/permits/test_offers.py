"""Offers from waitlists: which numbers are kept, promised and late money, what is given back, and merged records."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.merging.services import plan_merge
from opscom.core.errors import NotAllowed
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from payments.models import LineStatus, MethodKind
from payments.services.confirming import confirm_payment
from payments.services.promising import cancel_promise, close_due_promise, promise_order, receive_promise
from payments.services.settling import finish_order
from permits.invariants import check_permits
from permits.models import EntryStatus, Permit, PermitStatus, Sale, WaitlistEntry, WaitlistOffer
from permits.services.allotting import NumberRange, allot_numbers
from permits.services.holding import end_next, lapse_next
from permits.services.offering import release_offer
from permits.services.promoting import promote, promote_everywhere
from permits.services.waiting import leave_waitlist
from permits.waitlists import standings_of
from tests.factories.accounts import make_hold, make_user
from tests.factories.merging import merge
from tests.factories.payments import go_to_bank, offer_method, order_permit, pay_at_bank
from tests.factories.permits import (
    activate,
    make_buyer,
    make_full_sale,
    make_lot,
    make_permit_type,
    make_sale,
    offer_demo_bank,
    reserve,
    set_provider,
    wait_for,
)

pytestmark = pytest.mark.django_db


def free(permit: Permit) -> None:
    """Let the permit end as the clock does, and the beat look at the list."""
    now = timezone.now()
    Permit.objects.filter(pk=permit.pk).update(
        valid_until=now - dt.timedelta(seconds=1), valid_from=now - dt.timedelta(days=9)
    )
    end_next()
    promote_everywhere()


def lapse(permit: Permit) -> None:
    Permit.objects.filter(pk=permit.pk).update(held_until=timezone.now() - dt.timedelta(seconds=1))
    lapse_next()


def offer_of(entry: WaitlistEntry) -> WaitlistOffer:
    return entry.offers.select_related("permit", "entry__person", "entry__waitlist").latest("pk")


def status_of(entry: WaitlistEntry) -> str:
    return WaitlistEntry.objects.get(pk=entry.pk).status


def states_of(sale: Sale) -> list[str]:
    return sorted(sale.slots.values_list("state", flat=True))


def allot(sale: Sale, count: int, prefix: str = "X-") -> None:
    allot_numbers(sale=sale, numbers=NumberRange(prefix, 1, count), actor=make_user())


def make_next_sale(sale: Sale, **fields) -> Sale:
    """Return another sale of the same type in the same lot: they share the list."""
    return make_sale(numbers=0, lot=sale.lot, permit_type=sale.permit_type, **fields)


# Which numbers are kept


def test_a_sale_that_opens_tomorrow_keeps_one_number_for_each_who_waits():
    sale, _permit = make_full_sale()
    wait_for(sale), wait_for(sale)
    coming = make_next_sale(sale, opens_at=timezone.now() + dt.timedelta(days=1))
    allot(coming, 5)
    assert states_of(coming) == sorted(["for_list"] * 2 + ["free"] * 3)
    Sale.objects.filter(pk=coming.pk).update(opens_at=timezone.now())
    promote_everywhere()
    assert states_of(coming) == sorted(["held"] * 2 + ["free"] * 3)
    assert list(check_permits()) == []


def test_what_nobody_in_line_can_need_is_for_sale_though_one_waits_who_may_not_have_it():
    sale, _permit = make_full_sale()
    entry = wait_for(sale)
    make_hold(entry.person)
    allot(sale, 3)
    assert states_of(sale) == sorted(["taken", "for_list", "free", "free"])
    assert reserve(sale).status == PermitStatus.RESERVED
    leave_waitlist(entry=entry, actor=entry.person)
    promote_everywhere()
    assert states_of(sale) == sorted(["taken", "free", "free", "held"])


def test_where_the_office_picks_only_as_many_are_kept_as_people_wait_and_it_is_told_of_those():
    set_provider(is_waitlist_managed=True, waitlist_emails="lists@example.org")
    sale, permit = make_full_sale()
    free(permit)
    mails = Message.objects.filter(template="permits/waitlist_office_numbers")
    assert not mails.exists(), "nobody waits"
    activate(reserve(sale))
    wait_for(sale)
    allot(sale, 3)
    assert states_of(sale) == sorted(["taken", "for_list", "free", "free"])
    assert mails.get().context["count"] == 1


def test_a_lot_that_is_hidden_offers_nothing_and_passes_nobody_over():
    sale, permit = make_full_sale(lot=make_lot())
    entry = wait_for(sale)
    type(sale.lot).objects.filter(pk=sale.lot_id).update(is_visible=False)
    free(permit)
    assert (status_of(entry), states_of(sale)) == (EntryStatus.WAITING, ["for_list"])
    assert not AuditEntry.objects.filter(action="waitlist.passed_over").exists()


def test_more_are_offered_than_one_transaction_takes(monkeypatch):
    monkeypatch.setattr("permits.services.promoting.MOST_AT_ONCE", 2)
    monkeypatch.setattr("permits.services.promoting.PAGE", 2)
    sale, _permit = make_full_sale()
    entries = [wait_for(sale) for _one in range(5)]
    make_hold(entries[0].person)
    allot(sale, 6)
    promote_everywhere()
    assert [status_of(entry) for entry in entries] == [EntryStatus.WAITING, *[EntryStatus.OFFERED] * 4]
    assert states_of(sale) == sorted(["taken", "for_list", *["held"] * 4, "free"])
    assert list(check_permits()) == []


def test_closed_sales_cost_the_beat_nothing(django_assert_num_queries):
    sale, _permit = make_full_sale()
    wait_for(sale)
    for _one in range(3):
        closed = make_next_sale(sale, closes_at=timezone.now() + dt.timedelta(days=1))
        allot(closed, 1, prefix=f"C{closed.pk}-")
    Sale.objects.exclude(pk=sale.pk).update(
        opens_at=timezone.now() - dt.timedelta(days=9), closes_at=timezone.now() - dt.timedelta(days=1)
    )
    wait_for(sale)
    with django_assert_num_queries(2):
        assert promote_everywhere() == 0


# Promised money


def promise(permit: Permit):
    offer_method(kind=MethodKind.PROMISE, code="cash")
    order = order_permit(permit)
    return promise_order(order=order, method_code="cash", actor=order.payer)


@pytest.mark.parametrize("valid_at_once", [False, True])
def test_a_promise_serves_nobody_until_the_money_is_in(valid_at_once):
    sale, permit = make_full_sale(permit_type=make_permit_type(is_valid_when_promised=valid_at_once))
    first, second = wait_for(sale), wait_for(sale)
    free(permit)
    given = promise(offer_of(first).permit)
    promote_everywhere()
    assert (status_of(first), status_of(second)) == (EntryStatus.OFFERED, EntryStatus.WAITING)
    with pytest.raises(NotAllowed):
        release_offer(offer=offer_of(first), reason="No", actor=make_user())
    receive_promise(promise=given, actor=make_user(), amount=given.order.due, tender="cash")
    finish_order(given.order_id)
    assert status_of(first) == EntryStatus.SERVED
    assert list(check_permits()) == []


@pytest.mark.parametrize("valid_at_once", [False, True])
def test_a_promise_that_is_not_kept_is_a_lapsed_offer(valid_at_once):
    sale, permit = make_full_sale(permit_type=make_permit_type(is_valid_when_promised=valid_at_once))
    first, second = wait_for(sale), wait_for(sale)
    free(permit)
    given = promise(offer_of(first).permit)
    close_due_promise(given.pk, given.pay_by)
    promote_everywhere()
    first.refresh_from_db()
    assert (first.status, first.lapses, status_of(second)) == (EntryStatus.WAITING, 1, EntryStatus.OFFERED)
    assert list(check_permits()) == []


def test_a_promise_called_off_is_no_lapse():
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    free(permit)
    given = promise(offer_of(entry).permit)
    cancel_promise(promise=given, actor=entry.person)
    promote_everywhere()
    entry.refresh_from_db()
    assert (entry.lapses, entry.offers.count()) == (0, 2)


def make_exchange(**fields) -> tuple[WaitlistEntry, Permit]:
    """Return who has an offer of one type and holds a permit of another that counts together with it."""
    old_sale = make_sale(permit_type=make_permit_type(limit_group="one"))
    sale, permit = make_full_sale(permit_type=make_permit_type(limit_group="one", **fields))
    person = make_buyer()[0]
    old = activate(reserve(old_sale, person))
    entry = wait_for(sale, person)
    free(permit)
    return entry, old


def test_the_old_permit_is_theirs_until_promised_money_is_in(django_capture_on_commit_callbacks):
    entry, old = make_exchange(is_valid_when_promised=True)
    with django_capture_on_commit_callbacks(execute=True):
        given = promise(offer_of(entry).permit)
    from permits.services.exchanging import give_back_missed

    assert give_back_missed() == 0
    old.refresh_from_db()
    assert old.status == PermitStatus.ACTIVE
    with django_capture_on_commit_callbacks(execute=True):
        receive_promise(promise=given, actor=make_user(), amount=given.order.due, tender="cash")
        finish_order(given.order_id)
    old.refresh_from_db()
    assert (old.status, status_of(entry)) == (PermitStatus.ENDED, EntryStatus.SERVED)


def test_a_permit_whose_money_is_promised_is_not_given_back():
    old_sale = make_sale(permit_type=make_permit_type(limit_group="one", is_valid_when_promised=True))
    sale, permit = make_full_sale(permit_type=make_permit_type(limit_group="one"))
    entry = wait_for(sale)
    promise(reserve(old_sale, entry.person))
    free(permit)
    assert (status_of(entry), states_of(sale)) == (EntryStatus.WAITING, ["for_list"])


# Late money


def pay_late(permit: Permit):
    """Pay for it, and let its hold run out before the bank is asked."""
    offer_demo_bank()
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    lapse(permit)
    return payment


def test_late_money_of_the_only_one_in_line_takes_what_was_offered_since():
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    free(permit)
    late = offer_of(entry).permit
    payment = pay_late(late)
    promote_everywhere()
    again = offer_of(entry).permit
    assert again.pk != late.pk
    confirm_payment(payment)
    late.refresh_from_db(), again.refresh_from_db()
    assert (late.status, again.status) == (PermitStatus.ACTIVE, PermitStatus.CANCELLED)
    assert (status_of(entry), states_of(sale)) == (EntryStatus.SERVED, ["taken"])
    assert list(check_permits()) == []


def test_late_money_never_passes_who_has_the_number_now():
    sale, permit = make_full_sale()
    first, second = wait_for(sale), wait_for(sale)
    free(permit)
    payment = pay_late(offer_of(first).permit)
    promote_everywhere()
    confirm_payment(payment)
    assert payment.order.lines.get().status == LineStatus.REFUND_DUE
    assert (status_of(first), status_of(second)) == (EntryStatus.WAITING, EntryStatus.OFFERED)
    assert list(check_permits()) == []


def test_late_money_is_refused_once_another_offer_was_paid():
    kind = make_permit_type(max_per_person=2)
    sale, permit = make_full_sale(permit_type=kind)
    entry = wait_for(sale)
    free(permit)
    payment = pay_late(offer_of(entry).permit)
    promote_everywhere()
    activate(offer_of(entry).permit)
    confirm_payment(payment)
    assert payment.order.lines.get().status == LineStatus.REFUND_DUE
    assert Permit.objects.live().filter(holder=entry.person).count() == 1


def test_late_money_for_an_exchange_may_stand_beside_what_it_replaces(django_capture_on_commit_callbacks):
    entry, old = make_exchange()
    permit = offer_of(entry).permit
    payment = pay_late(permit)
    promote(permit.sale_id)
    with django_capture_on_commit_callbacks(execute=True):
        confirm_payment(payment)
    old.refresh_from_db(), permit.refresh_from_db()
    assert (permit.status, old.status) == (PermitStatus.ACTIVE, PermitStatus.ENDED)
    assert status_of(entry) == EntryStatus.SERVED
    assert list(check_permits()) == []


# One person with two records


def test_merged_records_keep_the_better_place(administrator):
    sale, _permit = make_full_sale()
    loser, between, keeper = wait_for(sale), wait_for(sale), wait_for(sale)
    plan = plan_merge(keeper=keeper.person, loser=loser.person)
    assert dict(plan.moves)["Places on waitlists"] == 1
    assert any("better place" in text for text in plan.conflicts)
    merge(keeper.person, loser.person, administrator)
    [kept] = WaitlistEntry.objects.on_list().filter(person=keeper.person)
    assert kept.pk == loser.pk
    standings = standings_of(WaitlistEntry.objects.all(), timezone.now())
    assert (standings[kept.pk].position, standings[between.pk].position) == (1, 2)
    assert list(check_permits()) == []


def test_an_offer_moves_with_its_record_and_is_better_than_any_place(administrator):
    sale, permit = make_full_sale()
    keeper, loser = wait_for(sale), wait_for(sale)
    make_hold(keeper.person)
    free(permit)
    assert status_of(loser) == EntryStatus.OFFERED
    merge(keeper.person, loser.person, administrator)
    [kept] = WaitlistEntry.objects.on_list().filter(person=keeper.person)
    assert (kept.pk, offer_of(kept).permit.holder) == (loser.pk, keeper.person)
    assert list(check_permits()) == []


def test_two_open_offers_of_one_list_are_not_merged():
    sale, _permit = make_full_sale()
    keeper, loser = wait_for(sale), wait_for(sale)
    allot(sale, 2)
    plan = plan_merge(keeper=keeper.person, loser=loser.person)
    assert any("Withdraw one" in text for text in plan.obstacles)


def test_the_history_tells_of_the_list(client_of):
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    free(permit)
    page = client_of(entry.person).get(reverse("accounts:history")).content.decode()
    assert "Joined a waitlist" in page
    assert "Permit offered from a waitlist" in page


# The dashboard


def test_home_shows_the_offer_also_without_a_vehicle(client_of, django_assert_num_queries):
    sale, permit = make_full_sale()
    entry = wait_for(sale)
    free(permit)
    offered = offer_of(entry).permit
    client = client_of(entry.person)
    assert reverse("permits:offer", args=[offered.code]) in client.get("/").content.decode()
    offered.vehicle_links.all().delete()
    assert "offered to you from the waitlist" in client.get("/").content.decode()
    assert "waitlist" not in client_of(make_buyer()[0]).get("/").content.decode()
