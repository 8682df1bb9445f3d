"""A closed lot sells nothing in that time, its holders are told once and park elsewhere, and the officer reads why."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from opscom.core.errors import NotAllowed, Refused, Stale
from opscom.messaging.models import Message
from permits import temporary
from permits.closures import spaces_lost
from permits.eligibility import can_reserve
from permits.models import Closure, ClosureNotice, Permit, PermitStatus, PermitValidity
from permits.services import lot_closures
from permits.services.lot_closures import call_off, change_closure, close_lot, tell_holders
from permits.services.temporary import can_reserve_temporary
from tests.factories.closures import HOUR, close, make_terms
from tests.factories.permits import (
    activate,
    make_buyer,
    make_lot,
    make_sale,
    make_temporary_sale,
    make_wish,
    reserve,
    reserve_time,
)
from vehicles.entitlements import find_entitlements

pytestmark = pytest.mark.django_db


def active(sale=None, buyer=None) -> Permit:
    permit = reserve(sale or make_sale(), buyer)
    Permit.objects.filter(pk=permit.pk).update(status=PermitStatus.ACTIVE, held_until=None, activated_at=timezone.now())
    permit.refresh_from_db()
    return permit


def rights(permit: Permit, lot, moment: dt.datetime):
    vehicle = permit.vehicle_links.get().vehicle
    return list(find_entitlements(plate_key=vehicle.plate_key, region=vehicle.region, lot=lot, at=moment))


def mails() -> list[Message]:
    return list(Message.objects.filter(template="permits/closure").order_by("pk"))


def test_nothing_is_sold_while_the_lot_is_closed() -> None:
    sale, (buyer, ownership) = make_sale(), make_buyer()
    closure = close(sale.lot)

    def ask(now: dt.datetime):
        return can_reserve(holder=buyer, sale=sale, vehicles=[ownership.vehicle], now=now)

    refused = ask(timezone.now())
    assert isinstance(refused, Refused)
    assert (refused.code, refused.until) == ("closed", closure.ends_at)
    assert "closed until" in refused.reason
    assert ask(closure.ends_at).is_allowed, "half-open: it is open at the end"
    with pytest.raises(NotAllowed, match="closed until"):
        reserve(sale, buyer)
    call_off(closure=closure, edition=1, actor=closure.made_by)
    assert reserve(sale, buyer).status == PermitStatus.RESERVED


def test_a_part_that_is_closed_sells_on() -> None:
    sale = make_sale()
    close(sale.lot, spaces=10)
    assert reserve(sale).status == PermitStatus.RESERVED


def test_a_stay_that_touches_the_closure_is_refused_and_one_beside_it_is_not() -> None:
    sale = make_temporary_sale(spaces=1)
    start = (timezone.now() + dt.timedelta(days=1)).replace(microsecond=0)
    closure = close(sale.lot, start=start + 2 * HOUR, hours=2)
    buyer, _own = make_buyer()
    now = timezone.now()
    before, into, after = (make_wish(sale, buyer, start=start + n * HOUR, hours=2) for n in (0, 1, 4))
    assert can_reserve_temporary(before, now).is_allowed
    refused = can_reserve_temporary(into, now)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.until) == ("closed", closure.ends_at)
    assert can_reserve_temporary(after, now).is_allowed
    with pytest.raises(NotAllowed, match="closed from"):
        reserve_time(into)


def test_a_part_takes_its_spaces_from_temporary_parking_for_that_time_only() -> None:
    sale = make_temporary_sale(spaces=3)
    start = timezone.now() + dt.timedelta(days=1)
    close(sale.lot, start=start, hours=2, spaces=2)
    stay = temporary.stay_by_hours(start + HOUR, 4)
    assert temporary.count_free(sale.lot, stay) == 1
    assert temporary.count_free(sale.lot, temporary.stay_by_hours(start + 2 * HOUR, 4)) == 3
    reserve_time(make_wish(sale, start=start + HOUR, hours=4))
    assert temporary.count_free(sale.lot, stay) == 0
    close(sale.lot, start=start, hours=2, spaces=400)
    assert temporary.count_free(sale.lot, stay) == 0
    assert [lost[2] for lost in spaces_lost(sale.lot, stay.start, stay.end)] == [2, 400]
    close(sale.lot, start=start, hours=2)
    assert spaces_lost(sale.lot, stay.start, stay.end)[-1][2] == 3


def test_the_officer_reads_that_it_is_closed_and_where_the_permit_counts() -> None:
    permit, other, third = active(), make_lot(), make_lot()
    now = timezone.now()
    closure = close(permit.lot, other_lots=[other])
    other.refresh_from_db()
    (here,) = rights(permit, permit.lot, now)
    assert not here.is_valid
    assert str(other) in str(here.note)
    assert "Closed until" in str(here.note)
    assert [right.is_valid for right in rights(permit, other, now)] == [True]
    assert rights(permit, third, now) == []
    assert rights(permit, other, closure.ends_at) == []
    assert [right.is_valid for right in rights(permit, permit.lot, closure.ends_at)] == [True]
    close(other)
    assert rights(permit, other, timezone.now()) == [], "the lot that takes its place is closed, too"


def test_a_part_leaves_the_permit_valid_and_opens_the_other_lots() -> None:
    permit, other = active(), make_lot()
    close(permit.lot, spaces=5, other_lots=[other])
    assert [right.is_valid for right in rights(permit, permit.lot, timezone.now())] == [True]
    assert [right.is_valid for right in rights(permit, other, timezone.now())] == [True]


def test_a_closed_lot_takes_nobody_elses_permits_either() -> None:
    permit, welcome = active(), make_lot()
    rule = PermitValidity.objects.create(permit_type=permit.permit_type)
    rule.lots.set([permit.lot, welcome])
    close(welcome)
    (right,) = rights(permit, welcome, timezone.now())
    assert not right.is_valid
    assert "Closed until" in str(right.note)
    assert [right.is_valid for right in rights(permit, permit.lot, timezone.now())] == [True]


def test_the_officers_answer_costs_the_same_whatever_is_closed() -> None:
    permit, other = active(), make_lot()
    counts = []
    for _closure in range(3):
        close(permit.lot, other_lots=[other])
        with CaptureQueriesContext(
            connection,
        ) as queries:
            rights(permit, permit.lot, timezone.now())
        counts.append(len(queries))
    assert len(set(counts)) == 1


def test_each_holder_is_told_once_and_again_when_it_changes_or_is_called_off() -> None:
    sale, other = make_sale(), make_lot()
    permit, elsewhere = active(sale), active()
    over = active(sale)
    Permit.objects.filter(pk=over.pk).update(
        valid_until=timezone.now() - dt.timedelta(days=1), valid_from=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    )
    later = active(sale)
    begins = later.valid_from
    Permit.objects.filter(pk=later.pk).update(valid_from=timezone.now() + dt.timedelta(days=5))
    closure = close(sale.lot, other_lots=[other], words={"en": "Snow is cleared."})
    assert tell_holders() == 1
    assert tell_holders() == 0
    (mail,) = mails()
    assert mail.to == permit.holder.contact_email
    assert "Snow is cleared." in str(mail.context)
    other.refresh_from_db()
    assert str(other) in str(mail.context)
    Permit.objects.filter(pk=later.pk).update(valid_from=begins)
    tell_holders()
    assert len(mails()) == 1, "who buys later reads it on the page"
    closure = change_closure(closure=closure, terms=make_terms(hours=20), edition=1, actor=closure.made_by)
    tell_holders()
    tell_holders()
    assert sorted(mail.to for mail in mails()[1:]) == sorted([permit.holder.email, later.holder.email])
    call_off(closure=closure, edition=2, actor=closure.made_by)
    tell_holders()
    assert len(mails()) == 5
    assert all(mail.context["is_called_off"] for mail in mails()[3:])
    assert elsewhere.holder.email not in [mail.to for mail in mails()]


def test_who_is_not_touched_any_more_is_told_of_the_change() -> None:
    sale = make_temporary_sale()
    start = timezone.now() + dt.timedelta(days=2)
    permit = reserve_time(make_wish(sale, start=start))
    closure = close(sale.lot, start=start)
    tell_holders()
    moved = make_terms(start=start + dt.timedelta(days=9))
    change_closure(closure=closure, terms=moved, edition=1, actor=closure.made_by)
    tell_holders()
    assert [mail.to for mail in mails()] == [permit.holder.email] * 2


def test_a_person_with_two_permits_gets_one_mail() -> None:
    lot, (buyer, _own) = make_lot(), make_buyer()
    active(make_sale(lot=lot), buyer), active(make_sale(lot=lot), buyer)
    close(lot)
    assert tell_holders() == 2
    assert len(mails()) == 1


def test_one_that_fails_stops_nobody_and_is_tried_again(monkeypatch) -> None:
    sale = make_sale()
    first, second = active(sale), active(sale)
    closure = close(sale.lot)

    def fail(closure: Closure, permit: Permit) -> None:
        if permit.pk == first.pk:
            raise RuntimeError("the address book is away")

    monkeypatch.setattr(lot_closures, "CHANNELS", [*lot_closures.CHANNELS, fail])
    tell_holders()
    assert [mail.to for mail in mails()] == [second.holder.email], "message and notice are rolled back together"
    closure.refresh_from_db()
    assert closure.told_edition == 0
    monkeypatch.undo()
    tell_holders()
    assert sorted(mail.to for mail in mails()) == sorted([first.holder.email, second.holder.email])
    closure.refresh_from_db()
    assert closure.told_edition == 1
    assert ClosureNotice.objects.count() == 2


def test_what_the_office_cannot_close() -> None:
    lot, actor = make_lot(stalls=5), make_buyer()[0]
    long_ago = timezone.now() - dt.timedelta(days=9)
    for terms, words in [
        (make_terms(hours=0), "after the start"),
        (make_terms(hours=-3), "after the start"),
        (make_terms(start=long_ago), "over"),
        (make_terms(spaces=6), "so many"),
        (make_terms(spaces=0), "so many"),
        (make_terms(other_lots=[lot]), "itself"),
    ]:
        with pytest.raises(NotAllowed, match=words):
            close_lot(lot=lot, terms=terms, actor=actor)
    assert not Closure.objects.exists()


def test_a_change_is_refused_when_somebody_else_changed_it_or_it_is_over() -> None:
    closure = close(make_lot())
    change_closure(closure=closure, terms=make_terms(hours=5), edition=1, actor=closure.made_by)
    with pytest.raises(Stale):
        call_off(closure=closure, edition=1, actor=closure.made_by)
    call_off(closure=closure, edition=2, actor=closure.made_by)
    with pytest.raises(NotAllowed):
        change_closure(closure=closure, terms=make_terms(), edition=3, actor=closure.made_by)


def test_the_database_refuses_an_end_before_the_start() -> None:
    closure = close(make_lot())
    with pytest.raises(IntegrityError, match="permits_closure_ends_after_start"), transaction.atomic():
        Closure.objects.filter(pk=closure.pk).update(ends_at=closure.starts_at)


def test_a_paid_permit_stays_paid_when_its_lot_is_closed() -> None:
    permit = activate(reserve(make_sale()))
    close(permit.lot)
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE


def test_the_persons_pages_show_what_is_closed_and_where_to_park(client_of) -> None:
    sale, other, (buyer, _own) = make_sale(), make_lot(), make_buyer()
    permit = active(sale, buyer)
    close(sale.lot, other_lots=[other], words={"en": "The plough is <b>here</b>"})
    other.refresh_from_db()
    pages = [reverse("permits:list"), reverse("permits:detail", args=[permit.code]), reverse("home:home")]
    pages += [reverse("permits:status", args=[permit.public_code]), reverse("permits:phone", args=[permit.code])]
    for page in pages:
        text = client_of(buyer).get(page).content.decode()
        assert "is closed from" in text, page
        assert str(other) in text, page
        assert "The plough is &lt;b&gt;here&lt;/b&gt;" in text, page


def test_a_permit_without_a_place_is_not_valid_now(client_of) -> None:
    permit = active()
    closure = close(permit.lot)
    page = reverse("permits:status", args=[permit.public_code])
    assert "Not valid" in client_of(permit.holder).get(page).content.decode()
    call_off(closure=closure, edition=1, actor=closure.made_by)
    assert "Not valid" not in client_of(permit.holder).get(page).content.decode()
