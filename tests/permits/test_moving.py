"""What the office does with a permit: every number has one holder, every holder stays within the limit, old paper is dead."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from opscom.core.errors import DomainError, NotAllowed
from opscom.messaging.models import Message
from opscom.provider.selectors import local_date
from payments.models import COUNTER, Debt, Order, OrderLine, OrderStatus, Payment, Refund, RefundReason, Tender
from payments.services.refunds import owe_refund
from permits.entitlement import PermitEntitlements
from permits.invariants import check_permits
from permits.models import NumberChange, NumberChangeReason, Permit, PermitStatus, ReplacementCar, Slot, SlotState
from permits.services.counter import sell_at_counter
from permits.services.documents import can_print, make_document, print_permit
from permits.services.moving import hand_over_permit, move_permit, replace_permit, switch_permits
from permits.services.suspending import lift_suspension, revoke_permit, suspend_permit
from permits.services.vehicles import add_replacement_car
from tests.factories.permits import buy, make_buyer, make_permit_type, make_sale, reserve
from tests.factories.rollover import let_it_end, make_renewing, renewal_of, take_steps
from tests.races.together import assert_books_and_numbers_are_right

pytestmark = pytest.mark.django_db
WHY = "As they asked"


def is_valid(permit: Permit) -> bool:
    permit = Permit.objects.get(pk=permit.pk)
    key = permit.vehicle_links.first().vehicle.plate_key
    found = PermitEntitlements().find(plate_key=key, region="", lot=permit.lot, at=timezone.now())
    return any(right.is_valid for right in found)


def status_page(client, code: str) -> str:
    return client.get(f"/permits/status/{code}/").content.decode()


@pytest.fixture(autouse=True)
def _books():
    yield
    assert_books_and_numbers_are_right()


def test_two_holders_trade_numbers_and_keep_all_else(clerk, anonymous):
    kind = make_permit_type()
    one, other = buy(make_sale(permit_type=kind)), buy(make_sale(permit_type=kind))
    make_document(permit_id=one.pk)
    print_permit(permit=one, actor=one.holder)
    before = {permit.pk: (permit.number, permit.lot, permit.holder, permit.public_code) for permit in (one, other)}

    switch_permits(one=one, other=other, reason=WHY, actor=clerk)

    for permit, new in ((one, other), (other, one)):
        permit = Permit.objects.get(pk=permit.pk)
        assert (permit.number, permit.lot) == before[new.pk][:2]
        assert permit.holder == before[permit.pk][2]
        assert permit.slot.number == permit.number
        assert is_valid(permit)
        assert "no longer valid" in status_page(anonymous, before[permit.pk][3])
        assert "Valid</h1>" in status_page(anonymous, permit.public_code)
    assert Permit.objects.get(pk=one.pk).extra_prints == 1
    assert {mail.to for mail in Message.objects.filter(template="permits/number_changed")} == {
        one.holder.email,
        other.holder.email,
    }


def test_a_switch_needs_two_people_one_type_and_a_reason(clerk):
    sale = make_sale()
    one = buy(sale)
    for other in (one, buy(make_sale()), reserve(sale)):
        with pytest.raises(NotAllowed):
            switch_permits(one=one, other=other, reason=WHY, actor=clerk)
    with pytest.raises(DomainError, match="say why"):
        switch_permits(one=one, other=buy(sale), reason="  ", actor=clerk)
    assert not NumberChange.objects.exists()


def test_moved_to_another_lot_the_old_number_is_for_the_list_and_then_free(clerk, django_capture_on_commit_callbacks):
    kind = make_permit_type()
    permit, sale = buy(make_sale(permit_type=kind)), make_sale(permit_type=kind)
    old = permit.slot
    with django_capture_on_commit_callbacks(execute=True):
        move_permit(permit=permit, sale=sale, number="", reason=WHY, actor=clerk)
    permit = Permit.objects.get()
    assert (permit.sale, permit.slot.sale, permit.net) == (sale, sale, Decimal("100.00"))
    old.refresh_from_db()
    assert (old.state, old.permit) == (SlotState.FREE, None)
    assert is_valid(permit)


def test_moved_to_a_number_of_choice_only_when_it_is_free(clerk):
    sale = make_sale(numbers=3)
    permit, other = buy(sale), buy(sale)
    free = Slot.objects.get(sale=sale, state=SlotState.FREE)
    for wrong in (other.number, permit.number, "no such number"):
        with pytest.raises(NotAllowed, match="not free"):
            move_permit(permit=permit, sale=sale, number=wrong, reason=WHY, actor=clerk)
    move_permit(permit=permit, sale=sale, number=free.number, reason=WHY, actor=clerk)
    assert Permit.objects.get(pk=permit.pk).number == free.number


def test_moved_to_a_type_of_another_group_its_limit_counts_there(clerk):
    permit = buy(make_sale())
    other = make_sale()
    buy(other, permit.holder)
    with pytest.raises(NotAllowed, match="at a time"):
        move_permit(permit=permit, sale=other, number="", reason=WHY, actor=clerk)


def test_dates_that_do_not_fit_are_refused(clerk):
    permit = buy(make_sale())
    past = permit.valid_from.date() - dt.timedelta(days=60)
    sale = make_sale(valid_from=past, valid_until=past + dt.timedelta(days=30))
    with pytest.raises(NotAllowed, match="do not fit"):
        move_permit(permit=permit, sale=sale, number="", reason=WHY, actor=clerk)


def test_handed_over_it_is_the_other_persons_with_their_vehicle(clerk, client_of):
    permit = buy(make_sale())
    former, (to, ownership) = permit.holder, make_buyer()
    own = permit.vehicle_links.get().vehicle
    today = local_date()
    add_replacement_car(
        permit=permit,
        stands_in_for=own,
        plate="GARAGE 1",
        region="CA-ON",
        first_day=today,
        last_day=today + dt.timedelta(days=1),
        actor=former,
    )
    hand_over_permit(permit=permit, to=to, vehicles=[ownership.vehicle], reason=WHY, actor=clerk)
    assert Permit.objects.get().holder == to
    assert is_valid(permit)
    at = timezone.now() + dt.timedelta(seconds=1)
    for plate in ("GARAGE1", own.plate_key):
        assert list(PermitEntitlements().find(plate_key=plate, region="", lot=permit.lot, at=at)) == []
    assert client_of(former).get(f"/permits/{permit.code}/").status_code == 404
    assert client_of(to).get(f"/permits/{permit.code}/").status_code == 200
    assert Message.objects.filter(template="permits/handed_over").count() == 2


def test_nobody_is_handed_one_too_many_or_one_for_a_strangers_car(clerk):
    sale = make_sale()
    permit, full = buy(sale), buy(sale)
    with pytest.raises(NotAllowed, match="at a time"):
        hand_over_permit(
            permit=permit, to=full.holder, vehicles=[full.vehicle_links.get().vehicle], reason=WHY, actor=clerk
        )
    vehicle = permit.vehicle_links.get().vehicle
    with pytest.raises(NotAllowed, match="of your own"):
        hand_over_permit(permit=permit, to=make_buyer()[0], vehicles=[vehicle], reason=WHY, actor=clerk)
    with pytest.raises(NotAllowed, match="another person"):
        hand_over_permit(permit=permit, to=permit.holder, vehicles=[vehicle], reason=WHY, actor=clerk)


def test_a_lost_one_gets_a_new_number_and_a_fee_and_the_old_is_out_of_use(clerk, anonymous):
    permit = buy(make_sale(numbers=1, permit_type=make_permit_type(replacement_fee=Decimal("25.00"))))
    first, old_code = permit.number, permit.public_code
    for number, why in ((f"{first}-R1", NumberChangeReason.LOST), (f"{first}-R2", NumberChangeReason.STOLEN)):
        debt = replace_permit(permit=permit, why=why, reason=WHY, with_fee=True, actor=clerk)
        assert Permit.objects.get().number == number
        assert (debt.amount, debt.person) == (Decimal("25.00"), permit.holder)
    slots = dict(Slot.objects.values_list("number", "state"))
    assert slots == {first: "retired", f"{first}-R1": "retired", f"{first}-R2": "taken"}
    assert [str(change) for change in NumberChange.objects.order_by("pk")] == [
        f"{first} → {first}-R1",
        f"{first}-R1 → {first}-R2",
    ]
    assert "no longer valid" in status_page(anonymous, old_code)
    assert is_valid(permit)


def test_without_a_fee_nothing_is_owed(clerk):
    permit = buy(make_sale(permit_type=make_permit_type(replacement_fee=Decimal("25.00"))))
    assert replace_permit(permit=permit, why=NumberChangeReason.LOST, reason=WHY, with_fee=False, actor=clerk) is None
    assert not Debt.objects.exists()


def test_suspended_it_stands_and_is_not_valid_until_that_is_lifted(clerk, anonymous, client_of):
    permit = buy(make_sale())
    suspend_permit(permit=permit, reason="Lot closed to vans", actor=clerk)
    assert not is_valid(permit)
    vehicle = permit.vehicle_links.get().vehicle
    [right] = PermitEntitlements().find(plate_key=vehicle.plate_key, region="", lot=permit.lot, at=timezone.now())
    assert (right.is_valid, right.note) == (False, "Suspended by the office")
    page = status_page(anonymous, permit.public_code)
    assert "Not valid" in page
    # Why stands on the holder's own page only.
    assert "Lot closed to vans" not in page
    assert "Lot closed to vans" in client_of(permit.holder).get(f"/permits/{permit.code}/").content.decode()
    assert not can_print(Permit.objects.get(), now=timezone.now()).is_allowed
    with pytest.raises(NotAllowed):
        suspend_permit(permit=permit, reason=WHY, actor=clerk)
    lift_suspension(permit=permit, reason=WHY, actor=clerk)
    assert is_valid(permit)
    with pytest.raises(NotAllowed):
        lift_suspension(permit=permit, reason=WHY, actor=clerk)
    assert Message.objects.filter(template="permits/suspended").count() == 2


def test_revoked_it_is_over_and_its_holder_reads_why(clerk):
    permit = buy(make_sale())
    revoke_permit(permit=permit, reason="Lent to others", actor=clerk)
    assert Permit.objects.get().status == PermitStatus.REVOKED
    assert Message.objects.get(template="permits/revoked").context["reason"] == "Lent to others"


def test_a_reservation_is_nothing_for_the_office_to_move(clerk):
    permit = reserve(make_sale())
    deeds = [
        lambda: move_permit(permit=permit, sale=permit.sale, number="", reason=WHY, actor=clerk),
        lambda: hand_over_permit(permit=permit, to=make_buyer()[0], vehicles=[], reason=WHY, actor=clerk),
        lambda: replace_permit(permit=permit, why=NumberChangeReason.LOST, reason=WHY, with_fee=False, actor=clerk),
        lambda: suspend_permit(permit=permit, reason=WHY, actor=clerk),
        lambda: revoke_permit(permit=permit, reason=WHY, actor=clerk),
    ]
    for deed in deeds:
        with pytest.raises(NotAllowed):
            deed()


def sell(sale, person, vehicles, clerk, amount="100.00"):
    return sell_at_counter(
        person=person,
        sale=sale,
        vehicles=vehicles,
        amount=Decimal(amount),
        tender=Tender.CASH,
        reference="",
        actor=clerk,
    )


def test_sold_at_the_counter_it_is_paid_and_receipted_at_once(clerk):
    buyer, ownership = make_buyer()
    permit = sell(make_sale(), buyer, [ownership.vehicle], clerk)
    assert (permit.status, permit.holder) == (PermitStatus.ACTIVE, buyer)
    payment = Payment.objects.get()
    assert (payment.gateway, payment.recorded_by, payment.received_amount) == (COUNTER, clerk, Decimal("100.00"))
    order = Order.objects.get()
    assert (order.status, order.payer) == (OrderStatus.PAID, buyer)
    assert order.finished_at is not None


@pytest.mark.parametrize("amount", ["99.99", "100.01", "0.00", "-100.00"])
def test_any_other_sum_sells_nothing_and_keeps_no_number(clerk, amount):
    buyer, ownership = make_buyer()
    sale = make_sale(numbers=1)
    with pytest.raises(NotAllowed, match="It costs"):
        sell(sale, buyer, [ownership.vehicle], clerk, amount)
    assert not Permit.objects.live().exists()
    assert not Payment.objects.exists()


def test_at_the_counter_the_same_limits_hold(clerk):
    sale = make_sale()
    permit = buy(sale)
    with pytest.raises(NotAllowed, match="at a time"):
        sell(sale, permit.holder, [permit.vehicle_links.get().vehicle], clerk)
    with pytest.raises(NotAllowed, match="of your own"):
        sell(sale, make_buyer()[0], [permit.vehicle_links.get().vehicle], clerk)


def test_a_suspension_goes_over_to_the_period_that_renews_it(clerk):
    permit = make_renewing(days_left=1)
    take_steps()
    suspend_permit(permit=permit, reason="Lot closed to vans", actor=clerk)
    renewal = renewal_of(permit)
    let_it_end(permit)
    renewal.refresh_from_db()
    assert renewal.suspended_at is not None
    assert renewal.suspension_reason == "Lot closed to vans"


def test_planted_lies_about_changes_are_found(clerk):
    permit, other = buy(make_sale()), make_buyer()[1].vehicle
    replace_permit(permit=permit, why=NumberChangeReason.LOST, reason=WHY, with_fee=False, actor=clerk)
    now = timezone.now()
    car = ReplacementCar.objects.create(
        permit=permit,
        vehicle=make_buyer()[1].vehicle,
        stands_in_for=other,
        starts_at=now,
        ends_at=now + dt.timedelta(days=1),
        made_by=clerk,
    )
    code = Permit.objects.get().public_code
    Permit.objects.update(public_code=NumberChange.objects.get().old_public_code)
    line = OrderLine.objects.get(object_id=permit.pk)
    for _number in range(2):
        owe_refund(
            payment=line.order.paying_payment, amount=Decimal("1.00"), reason=RefundReason.ENDED_EARLY, line=line
        )
    found = " ".join(check_permits())
    for words in ("a vehicle that is not on permit", "paper that is not valid any more", "went back 2 times"):
        assert words in found
    # As it was, for the look at the books after each test.
    car.delete()
    Permit.objects.update(public_code=code)
    Refund.objects.filter(pk=Refund.objects.latest("pk").pk).update(reason=RefundReason.OFFICE)


def test_a_suspended_one_says_so_in_the_list(clerk, client_of):
    permit = buy(make_sale())
    suspend_permit(permit=permit, reason="Snow", actor=clerk)
    assert "Suspended" in client_of(permit.holder).get("/permits/").content.decode()
