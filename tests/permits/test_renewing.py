"""A monthly permit renews itself: noticed, charged once, tried again, and handed over at its end."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.services.holds import place_hold
from demo.bank.models import BankSession
from opscom.core.errors import NotAllowed
from opscom.messaging.models import Message
from opscom.provider.selectors import local_date
from payments.models import (
    Deduction,
    OrderLine,
    Payment,
    PaymentStatus,
    Refund,
    StoredMethod,
)
from payments.services.confirming import confirm_payment
from payments.services.forgetting import remove_stored
from payments.services.subscribing import choose_use
from permits.eligibility import live_permits
from permits.invariants import check_permits
from permits.models import Permit, PermitStatus, PermitType, PermitVehicle, Rollover, Sale, Slot, SlotState
from permits.services.holding import give_back_reservation
from permits.services.renewing import refund_orphans
from permits.services.rollover import switch_off, switch_on
from permits.services.suspending import revoke_permit
from tests.factories.deductions import set_up
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import make_buyer, make_tax
from tests.factories.rollover import (
    DECLINED,
    SILENT,
    buy_monthly,
    let_it_end,
    make_monthly_sale,
    make_renewing,
    pay_permit,
    renewal_of,
    shift,
    take_steps,
    this_morning,
)
from tests.factories.stored import ROLLOVER, store_card
from tests.factories.vehicles import make_ownership

pytestmark = pytest.mark.django_db


def mails(name: str) -> list[Message]:
    return list(Message.objects.filter(template=f"permits/{name}").order_by("pk"))


def charges(permit: Permit) -> int:
    """Return how often the bank charged a stored card for the permit."""
    lines = OrderLine.objects.filter(kind="permit", object_id=permit.pk)
    payments = Payment.objects.filter(order__lines__in=lines, stored_method__isnull=False)
    return BankSession.objects.filter(reference__in=payments.values("reference"), status="approved").count()


# The notice


def test_seven_days_before_the_next_period_is_reserved_and_told():
    permit = make_renewing(make_monthly_sale(taxes=[make_tax()]), days_left=7)
    take_steps()
    renewal = renewal_of(permit)
    assert (renewal.status, renewal.number) == (PermitStatus.RESERVED, permit.number)
    assert (renewal.valid_from, renewal.held_until) == (permit.valid_until, permit.valid_until)
    assert renewal.holder_place is None
    assert not Slot.objects.filter(permit=renewal).exists()
    [mail] = mails("rollover_announced")
    assert mail.context["amount"] == "$113.00"
    assert "4242" in mail.context["method"]
    assert charges(renewal) == 0
    assert list(check_permits()) == []


def test_eight_days_before_nothing_happens():
    permit = make_renewing(days_left=8)
    take_steps()
    assert not permit.renewals.exists()


def test_a_permit_whose_switch_is_off_is_not_renewed():
    permit = make_renewing(days_left=7)
    switch_off(permit=permit, actor=permit.holder)
    take_steps()
    assert not permit.renewals.exists()
    assert not mails("rollover_announced")


def test_the_renewal_is_no_second_permit_to_its_holder():
    permit = make_renewing(days_left=7)
    take_steps()
    assert live_permits(permit.holder, timezone.now()) == [permit]


def test_the_price_is_that_of_the_notice():
    permit = make_renewing(days_left=7)
    PermitType.objects.update(price=Decimal("120.00"))
    take_steps()
    PermitType.objects.update(price=Decimal("150.00"))
    assert renewal_of(permit).net == Decimal("120.00")


# The charge


def announce(**options) -> tuple[Permit, Permit]:
    """Return a permit and its announced renewal, on the morning of the charge."""
    permit = make_renewing(days_left=7, **options)
    take_steps()
    shift(permit, 3)
    return Permit.objects.get(pk=permit.pk), renewal_of(permit)


def test_three_days_before_it_is_charged_once():
    permit, renewal = announce()
    for _run in range(3):
        take_steps()
        Rollover.objects.update(next_try_at=this_morning())
    take_steps()
    renewal.refresh_from_db()
    assert (renewal.status, charges(renewal)) == (PermitStatus.ACTIVE, 1)
    assert Rollover.objects.get(permit=permit).next_try_at is None
    assert list(check_permits()) == []


def test_four_days_before_it_is_not_charged():
    permit, renewal = announce()
    shift(permit, 4)
    Rollover.objects.update(next_try_at=this_morning())
    take_steps()
    assert charges(renewal) == 0


def test_at_the_end_number_and_place_go_over():
    permit, renewal = announce()
    take_steps()
    let_it_end(permit)
    permit.refresh_from_db()
    renewal.refresh_from_db()
    slot = Slot.objects.get(number=permit.number, sale=permit.sale)
    assert (permit.status, slot.permit, slot.state) == (PermitStatus.ENDED, renewal, SlotState.TAKEN)
    assert renewal.holder_place == 1
    assert renewal.rollover.is_on
    assert renewal.rollover.anchor_on == Rollover.objects.get(permit=permit).anchor_on
    assert list(check_permits()) == []


def test_it_goes_on_month_after_month():
    permit = make_renewing(days_left=7)
    for _month in range(3):
        take_steps()
        shift(permit, 3)
        take_steps()
        let_it_end(permit)
        permit = renewal_of(permit)
        shift(permit, 7)
    assert Permit.objects.filter(holder=permit.holder, status=PermitStatus.ENDED).count() == 3
    assert BankSession.objects.filter(status="approved").count() == 4
    assert list(check_permits()) == []


def test_payroll_pays_for_it_too():
    permit = buy_monthly(card="")
    stored = set_up(permit.holder, uses=["permit_rollover"])
    choose_use(person=permit.holder, use=ROLLOVER, stored_method=stored)
    switch_on(permit=permit, actor=permit.holder)
    shift(permit, 3)
    take_steps()
    Rollover.objects.update(charge_on=local_date(), next_try_at=this_morning())
    take_steps()
    assert renewal_of(permit).status == PermitStatus.ACTIVE
    assert Deduction.objects.count() == 1


def test_what_costs_nothing_is_simply_renewed():
    permit = make_renewing(days_left=7)
    PermitType.objects.update(price=0)
    take_steps()
    shift(permit, 3)
    take_steps()
    assert renewal_of(permit).status == PermitStatus.ACTIVE


def test_an_answer_that_is_not_known_is_looked_up_and_not_charged_again():
    _permit, renewal = announce(card=SILENT)
    for _run in range(3):
        Rollover.objects.update(next_try_at=this_morning())
        take_steps()
    payment = Payment.objects.get(stored_method__isnull=False)
    assert payment.status == PaymentStatus.CREATED
    BankSession.objects.update(answers_from=timezone.now() - dt.timedelta(seconds=1))
    confirm_payment(payment)
    renewal.refresh_from_db()
    assert (renewal.status, charges(renewal)) == (PermitStatus.ACTIVE, 1)


# Declined


def test_a_declined_card_is_tried_on_three_days_with_a_mail_each_time():
    permit, renewal = announce(card=DECLINED)
    for days_left in (3, 2, 1):
        shift_row_only(permit, days_left)
        take_steps()
        Rollover.objects.update(next_try_at=this_morning())
        take_steps()
    told = mails("rollover_declined")
    assert len(told) == 3
    assert [bool(mail.context["next_on"]) for mail in told] == [True, True, False]
    assert all(mail.context["pay_until"] for mail in told)
    assert Payment.objects.filter(status=PaymentStatus.DECLINED).count() == 3
    assert charges(renewal) == 0


def shift_row_only(permit: Permit, days_left: int) -> None:
    """Let a day pass: the day of the planned try is today, and what was declined was declined yesterday."""
    shift(permit, days_left)
    Payment.objects.filter(status=PaymentStatus.DECLINED).update(created_at=timezone.now() - dt.timedelta(days=2))
    row = Rollover.objects.get(permit=permit)
    assert row.charge_on == local_date()


def test_never_paid_it_lapses_and_the_number_is_free_for_the_list():
    permit, renewal = announce(card=DECLINED)
    take_steps()
    let_it_end(permit)
    renewal.refresh_from_db()
    slot = Slot.objects.get(number=permit.number, sale=permit.sale)
    assert (renewal.status, slot.permit, slot.state) == (PermitStatus.LAPSED, None, SlotState.FREE)
    assert len(mails("rollover_lapsed")) == 1
    assert list(check_permits()) == []


def test_after_a_refusal_another_card_mends_it():
    permit, renewal = announce(card=DECLINED)
    take_steps()
    store_card(permit.holder, ROLLOVER)
    shift_row_only(permit, 2)
    take_steps()
    renewal.refresh_from_db()
    assert (renewal.status, charges(renewal)) == (PermitStatus.ACTIVE, 1)


def test_after_a_refusal_it_is_paid_by_hand_in_the_cart():
    permit, renewal = announce(card=DECLINED)
    take_steps()
    pay_permit(renewal)
    shift_row_only(permit, 2)
    take_steps()
    assert Payment.objects.filter(status=PaymentStatus.DECLINED).count() == 1
    let_it_end(permit)
    renewal.refresh_from_db()
    assert (renewal.status, renewal.slot.state) == (PermitStatus.ACTIVE, SlotState.TAKEN)


def test_who_is_at_the_bank_by_hand_is_not_charged_beside():
    _permit, renewal = announce()
    payment = go_to_bank(order_permit(renewal))
    take_steps()
    assert Payment.objects.count() == 2
    pay_at_bank(payment)
    confirm_payment(payment)
    Rollover.objects.update(next_try_at=this_morning())
    take_steps()
    renewal.refresh_from_db()
    assert (renewal.status, Payment.objects.count()) == (PermitStatus.ACTIVE, 2)


def test_late_money_after_the_end_gets_the_number_back():
    permit, renewal = announce(card=DECLINED)
    payment = go_to_bank(order_permit(renewal))
    pay_at_bank(payment)
    Permit.objects.filter(pk=renewal.pk).update(gateway_holds=2)
    let_it_end(permit)
    Permit.objects.filter(pk=renewal.pk, status=PermitStatus.RESERVED).update(held_until=timezone.now())
    let_it_end(permit)
    confirm_payment(payment)
    renewal.refresh_from_db()
    assert (renewal.status, renewal.holder_place) == (PermitStatus.ACTIVE, 1)
    assert list(check_permits()) == []


def test_a_removed_card_is_told_and_can_be_replaced():
    permit, renewal = announce()
    remove_stored(stored_method=StoredMethod.objects.get(), actor=permit.holder)
    take_steps()
    [mail] = mails("rollover_declined")
    assert "stored" in mail.context["reason"]
    assert charges(renewal) == 0


# Switched off


def test_switched_off_before_the_charge_the_reservation_is_called_off():
    permit, renewal = announce()
    switch_off(permit=permit, actor=permit.holder)
    take_steps()
    renewal.refresh_from_db()
    assert (renewal.status, charges(renewal)) == (PermitStatus.CANCELLED, 0)
    switch_on(permit=permit, actor=permit.holder)
    take_steps()
    assert renewal_of(permit).status == PermitStatus.RESERVED


def test_switched_off_after_the_charge_it_ends_after_the_paid_period():
    permit, renewal = announce()
    take_steps()
    switch_off(permit=permit, actor=permit.holder)
    let_it_end(permit)
    renewal.refresh_from_db()
    assert (renewal.status, renewal.rollover.is_on) == (PermitStatus.ACTIVE, False)
    assert Refund.objects.count() == 0


def test_switched_off_while_the_answer_is_not_known_the_money_counts_for_one_period():
    permit, renewal = announce(card=SILENT)
    take_steps()
    switch_off(permit=permit, actor=permit.holder)
    renewal.refresh_from_db()
    assert renewal.status == PermitStatus.RESERVED
    BankSession.objects.update(answers_from=timezone.now() - dt.timedelta(seconds=1))
    confirm_payment(Payment.objects.get(stored_method__isnull=False))
    renewal.refresh_from_db()
    assert (renewal.status, Refund.objects.count()) == (PermitStatus.ACTIVE, 0)


def test_giving_the_reservation_back_switches_it_off():
    permit, renewal = announce()
    give_back_reservation(permit=renewal, actor=permit.holder)
    take_steps()
    assert Rollover.objects.get(permit=permit).is_on is False
    assert permit.renewals.count() == 1


def test_the_switch_needs_something_that_pays():
    permit = buy_monthly(card="")
    with pytest.raises(NotAllowed, match="First choose what pays"):
        switch_on(permit=permit, actor=permit.holder)
    assert not Rollover.objects.exists()


@pytest.mark.parametrize(
    "fields", [{"is_rollover_offered": False}, {"term_kind": "fixed", "is_rollover_offered": False}]
)
def test_the_switch_is_for_types_that_offer_it(fields):
    permit = buy_monthly()
    PermitType.objects.update(**fields)
    with pytest.raises(NotAllowed):
        switch_on(permit=Permit.objects.get(pk=permit.pk), actor=permit.holder)


# Not renewed


def on_hold(permit: Permit) -> None:
    place_hold(person=permit.holder, reason="Bad cheque")


def another_user_type(permit: Permit) -> None:
    from tests.factories.accounts import make_user_type

    permit.permit_type.user_types.set([make_user_type()])


def sale_closed(permit: Permit) -> None:
    Sale.objects.update(closes_at=timezone.now() - dt.timedelta(hours=1))


def sale_off(permit: Permit) -> None:
    Sale.objects.update(is_active=False)


def sale_ends(permit: Permit) -> None:
    Sale.objects.update(valid_from=local_date() - dt.timedelta(days=90), valid_until=local_date(permit.valid_until))


def type_off(permit: Permit) -> None:
    PermitType.objects.update(is_active=False)


def no_more_offered(permit: Permit) -> None:
    PermitType.objects.update(is_rollover_offered=False)


def vehicle_switched_off(permit: Permit) -> None:
    permit.holder.ownerships.update(is_active=False)


def suspended(permit: Permit) -> None:
    Permit.objects.filter(pk=permit.pk).update(suspended_at=timezone.now(), suspension_reason="Papers missing")


OBSTACLES = [
    suspended,
    on_hold, another_user_type, sale_closed, sale_off, sale_ends, type_off, no_more_offered, vehicle_switched_off,
]  # fmt: skip


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_may_not_be_renewed_is_told_once_with_the_reason(obstacle):
    permit = make_renewing(days_left=7)
    obstacle(permit)
    take_steps()
    shift(permit, 6)
    Rollover.objects.update(next_try_at=this_morning())
    take_steps()
    [mail] = mails("rollover_refused")
    assert mail.context["reason"]
    assert not permit.renewals.exists()
    let_it_end(permit)
    assert Slot.objects.get(number=permit.number, sale=permit.sale).state == SlotState.FREE


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_may_no_longer_be_renewed_on_the_day_is_not_charged(obstacle):
    permit, renewal = announce()
    obstacle(permit)
    take_steps()
    renewal.refresh_from_db()
    assert (renewal.status, charges(renewal)) == (PermitStatus.CANCELLED, 0)
    assert len(mails("rollover_refused")) == 1
    assert Rollover.objects.get(permit=permit).is_on


def test_a_refusal_that_goes_away_is_mended_the_next_day():
    permit = make_renewing(days_left=7)
    sale_off(permit)
    take_steps()
    Sale.objects.update(is_active=True)
    shift(permit, 6)
    Rollover.objects.update(next_try_at=this_morning())
    take_steps()
    assert renewal_of(permit).status == PermitStatus.RESERVED


# The old one is over before its time


def test_revoked_with_a_paid_renewal_its_money_goes_back(administrator):
    permit, renewal = announce()
    take_steps()
    revoke_permit(permit=permit, actor=administrator, reason="Lent out")
    refund_orphans()
    renewal.refresh_from_db()
    assert (renewal.status, Refund.objects.get().amount) == (PermitStatus.CANCELLED, Decimal("100.00"))
    assert refund_orphans() == 0
    assert list(check_permits()) == []


def test_revoked_with_an_unpaid_renewal_that_is_called_off(administrator):
    permit, renewal = announce()
    order = order_permit(renewal)
    payment = go_to_bank(order)
    revoke_permit(permit=permit, actor=administrator, reason="Lent out")
    renewal.refresh_from_db()
    assert renewal.status == PermitStatus.CANCELLED
    # Money that was under way goes back.
    pay_at_bank(payment)
    confirm_payment(payment)
    assert Refund.objects.get().amount == Decimal("100.00")
    assert list(check_permits()) == []


def test_what_changed_about_the_old_one_has_changed_about_the_next():
    permit, renewal = announce()
    take_steps()
    other = make_ownership(permit.holder).vehicle
    PermitVehicle.objects.filter(permit=permit).update(vehicle=other)
    let_it_end(permit)
    assert [link.vehicle for link in renewal.vehicle_links.all()] == [other]


def test_two_monthly_permits_of_one_person_both_renew():
    kind = {"max_per_person": 2, "second_price": Decimal("130.00")}
    sale = make_monthly_sale(**kind)
    buyer = make_buyer()[0]
    first = make_renewing(sale, buyer=buyer)
    second = make_renewing(sale, buyer=buyer)
    take_steps()
    assert {renewal_of(first).net, renewal_of(second).net} == {Decimal("100.00"), Decimal("130.00")}
    for permit in (first, second):
        shift(permit, 3)
    take_steps()
    for permit in (first, second):
        let_it_end(permit)
    assert sorted(Permit.objects.live().values_list("holder_place", flat=True)) == [1, 2]
    assert list(check_permits()) == []


# Planted wrong states


def test_a_renewal_that_begins_too_early_is_seen():
    permit, renewal = announce()
    Permit.objects.filter(pk=renewal.pk).update(valid_from=permit.valid_until - dt.timedelta(days=1))
    assert any("renews one that ends after it has begun" in line for line in check_permits())


def test_a_renewal_of_somebody_else_is_seen():
    _permit, renewal = announce()
    Permit.objects.filter(pk=renewal.pk).update(holder=make_buyer()[0])
    assert any("waits to renew somebody else's" in line for line in check_permits())


def test_a_renewal_left_behind_is_seen():
    permit, _renewal = announce()
    Slot.objects.filter(permit=permit).update(permit=None, state=SlotState.FREE)
    long_ago = timezone.now() - dt.timedelta(hours=5)
    Permit.objects.filter(pk=permit.pk).update(status=PermitStatus.CANCELLED, closed_at=long_ago)
    assert any("waits to renew one that was over hours ago" in line for line in check_permits())


def test_a_second_live_renewal_is_refused_by_the_database():
    from django.db import IntegrityError, transaction

    _permit, renewal = announce()
    copy = Permit.objects.get(pk=renewal.pk)
    copy.pk, copy.code, copy.public_code = None, "XXXX", "YYYY"
    with pytest.raises(IntegrityError, match="permits_permit_one_live_renewal"), transaction.atomic():
        copy.save(force_insert=True)
