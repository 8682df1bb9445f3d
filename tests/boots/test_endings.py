"""What becomes of a boot that is out: back, taken off by hand, lost, found; the deposit; whose business it is not."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from boots.invariants import check_boots
from boots.models import Booting, BootStatus, Condition, Ending
from boots.services.codes import look_at_code, read_code, set_code
from boots.services.putting_on import put_on
from boots.services.returning import Returned, find_boot, lose_boot, lose_from_shelf, return_boot, take_off
from boots.services.steps import give_more_time
from opscom.core.errors import Busy, NotAllowed
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from payments.gateways.base import Result
from payments.invariants import check_books
from payments.models import Deposit, DepositStatus, LineStatus, Order, Payment, Refund, RefundStatus
from payments.services.confirming import confirm_payment
from payments.services.orders import place_order
from payments.services.settling import deliver_line, finish_order, settle
from payments.tasks import send_refunds
from tests.factories.boots import (
    TWENTY,
    make_boot,
    make_booting,
    make_released,
    order_release,
    pay_for_release,
    set_policy,
)
from tests.factories.payments import go_to_bank, offer_method, pay_at_bank
from tests.factories.provider import set_provider
from tests.factories.violations import make_offence, make_ticket, reload
from violations.models import Ticket, TicketStatus
from violations.services.collecting import send_to_collections

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy() -> None:
    offer_method("demo-bank", is_for_guests=True)
    set_policy(deposit=TWENTY)


def fresh(booting: Booting) -> Booting:
    return Booting.objects.select_related("boot", "deposit", "ticket").get(pk=booting.pk)


def settled(payment: Payment) -> Payment:
    """Count the money; nothing is delivered yet."""
    settle(payment_id=payment.pk, result=Result(status="approved", amount=payment.amount, currency=payment.currency))
    return payment


def assert_all_is_right() -> None:
    assert [*check_boots(), *check_books()] == []


# Back


def test_good_return_gives_the_whole_deposit_back(clerk):
    booting = make_released(code="old-1")
    return_boot(booting=booting, how=Returned(new_code="new-2"), actor=clerk)
    after = fresh(booting)
    assert (after.ending, after.condition, after.ended_by) == (Ending.RETURNED, Condition.GOOD, clerk)
    assert (after.boot.status, after.boot.is_out_of_service) == (BootStatus.AVAILABLE, False)
    assert read_code(after.boot) == "new-2"
    assert (after.deposit.status, after.deposit.returned_amount) == (DepositStatus.CLOSED, TWENTY)
    send_refunds()
    refund = Refund.objects.get()
    assert (refund.amount, refund.status, refund.payment) == (
        TWENTY,
        RefundStatus.SUCCEEDED,
        booting.line.order.paying_payment,
    )
    assert Message.objects.filter(template="boots/returned").count() == 1
    assert_all_is_right()


def test_damaged_return_keeps_a_part_and_the_boot_off_the_street(clerk):
    booting = make_released()
    with pytest.raises(NotAllowed, match="what is damaged"):
        return_boot(booting=booting, how=Returned(Condition.DAMAGED, kept=Decimal(5)), actor=clerk)
    return_boot(booting=booting, how=Returned(Condition.DAMAGED, Decimal(5), "Lock bent"), actor=clerk)
    after = fresh(booting)
    assert (after.boot.status, after.boot.is_out_of_service, after.boot.has_code) == (BootStatus.AVAILABLE, True, False)
    assert (after.deposit.returned_amount, after.deposit.kept_amount) == (15, 5)
    assert Refund.objects.get().amount == 15
    with pytest.raises(NotAllowed, match="out of service"):
        put_on(boot=after.boot, ticket=make_ticket(offence=make_offence(is_boot_eligible=True)), actor=clerk)
    assert_all_is_right()


@pytest.mark.parametrize("kept", ["20.01", "-0.01"])
def test_not_more_than_the_deposit_is_kept(clerk, kept):
    booting = make_released()
    with pytest.raises(NotAllowed, match="can be returned"):
        return_boot(booting=booting, how=Returned(Condition.DAMAGED, Decimal(kept), "Bent"), actor=clerk)
    assert fresh(booting).ended_at is None
    assert fresh(booting).boot.status == BootStatus.RELEASED
    assert not Refund.objects.exists()


def test_without_a_deposit_nothing_is_kept(clerk):
    set_policy(deposit=None)
    booting = make_released()
    with pytest.raises(NotAllowed, match="nothing can be kept"):
        return_boot(booting=booting, how=Returned(Condition.DAMAGED, Decimal(5), "Bent"), actor=clerk)
    return_boot(booting=booting, how=Returned(), actor=clerk)
    assert fresh(booting).deposit is None
    assert not Refund.objects.exists()
    assert_all_is_right()


def test_a_large_deposit_waits_for_a_second_person(clerk):
    set_provider(refund_second_person_above=Decimal(10))
    booting = make_released()
    return_boot(booting=booting, how=Returned(), actor=clerk)
    send_refunds()
    assert Refund.objects.get().status == RefundStatus.PROPOSED
    assert fresh(booting).ending == Ending.RETURNED
    assert_all_is_right()


def test_boot_comes_back_once(clerk):
    booting = make_released()
    return_boot(booting=booting, how=Returned(), actor=clerk)
    for deed in (
        lambda: return_boot(booting=booting, how=Returned(), actor=clerk),
        lambda: lose_boot(booting=booting, reason="Gone", actor=clerk),
        lambda: take_off(booting=booting, reason="Why", actor=clerk),
        lambda: give_more_time(booting=booting, until=timezone.now() + dt.timedelta(days=9), actor=clerk),
    ):
        with pytest.raises(NotAllowed):
            deed()
    assert Refund.objects.count() == 1
    assert_all_is_right()


def test_what_was_not_released_is_not_returned(clerk):
    booting = make_booting()
    with pytest.raises(NotAllowed, match="released and is not back"):
        return_boot(booting=booting, how=Returned(), actor=clerk)
    assert fresh(booting).boot.status == BootStatus.ISSUED


@pytest.mark.parametrize("end", ["return", "lose"])
def test_deposit_that_is_paid_at_this_moment_is_waited_for(clerk, end):
    """The release is delivered before the deposit: who decides in between would let it be held for ever."""
    booting = make_booting()
    payment = settled(go_to_bank(order_release(booting)))
    deliver_line(line_id=payment.order.lines.get(kind="boot").pk)

    def decide() -> None:
        if end == "return":
            return_boot(booting=booting, how=Returned(), actor=clerk)
        else:
            lose_boot(booting=booting, reason="Gone", actor=clerk)

    with pytest.raises(Busy):
        decide()
    finish_order(payment.order_id)
    decide()
    assert fresh(booting).deposit.status == DepositStatus.CLOSED
    assert_all_is_right()


# Taken off by hand


def test_taken_off_by_hand_everything_is_as_before(resident, clerk):
    booting = make_booting(resident, code="old-1")
    with pytest.raises(NotAllowed, match="reason"):
        take_off(booting=booting, reason="", actor=clerk)
    take_off(booting=booting, reason="Wrong car", actor=clerk)
    after = fresh(booting)
    assert (after.ending, after.boot.status, after.boot.has_code) == (Ending.TAKEN_OFF, BootStatus.AVAILABLE, False)
    assert after.deposit.status == DepositStatus.CANCELLED
    ticket = reload(booting.ticket)
    assert (ticket.booted_at, ticket.release_id, ticket.release_path) == (None, None, "")
    with pytest.raises(NotAllowed, match="no release code"):
        put_on(boot=after.boot, ticket=ticket, actor=clerk)
    set_code(boot=after.boot, code="new-2", actor=clerk)
    assert put_on(boot=after.boot, ticket=ticket, actor=clerk).pk != booting.pk
    assert_all_is_right()


def test_money_at_the_bank_when_an_officer_takes_it_off(clerk):
    """The ticket is paid; release and deposit go back, and no code goes out."""
    booting = make_booting(code="old-1")
    payment = go_to_bank(order_release(booting))
    pay_at_bank(payment)
    take_off(booting=booting, reason="Fire brigade", actor=clerk)
    confirm_payment(payment)
    finish_order(payment.order_id)
    send_refunds()
    lines = {line.kind: line.status for line in payment.order.lines.all()}
    assert lines == {"boot": LineStatus.REFUNDED, "deposit": LineStatus.REFUNDED, "ticket": LineStatus.FULFILLED}
    assert [refund.amount for refund in Refund.objects.all()] == [TWENTY]
    assert reload(booting.ticket).status == TicketStatus.PAID
    assert not Message.objects.filter(template="boots/code").exists()
    assert fresh(booting).released_at is None
    assert_all_is_right()


def test_paid_a_moment_ago_it_is_not_taken_off(clerk):
    booting = make_booting()
    payment = settled(go_to_bank(order_release(booting)))
    with pytest.raises(NotAllowed, match="at this very moment"):
        take_off(booting=booting, reason="Why", actor=clerk)
    with pytest.raises((NotAllowed, Busy)):
        lose_boot(booting=booting, reason="Why", actor=clerk)
    finish_order(payment.order_id)
    assert fresh(booting).released_at
    assert_all_is_right()


def test_order_from_before_the_boot_pays_the_ticket_alone(resident, clerk):
    """Who had begun to pay the ticket has paid it; what is left is the release, with its deposit."""
    ticket = make_ticket(resident, offence=make_offence(is_boot_eligible=True))
    payment = go_to_bank(place_order(payer=resident, selection={"ticket": [ticket.pk]}, email="", language="en"))
    booting = make_booting(ticket=ticket, actor=clerk)
    pay_at_bank(payment)
    confirm_payment(payment)
    finish_order(payment.order_id)
    assert reload(ticket).status == TicketStatus.PAID
    assert fresh(booting).released_at is None
    released = pay_for_release(booting, resident)
    assert released.amount == TWENTY
    assert fresh(booting).released_at
    assert_all_is_right()


# Lost and found


def test_lost_boot_costs_the_deposit_and_a_fine(clerk):
    set_policy(lost_offence=make_offence(fine=Decimal(400)))
    booting = make_released()
    lose_boot(booting=booting, reason="Seen nowhere", actor=clerk)
    after = fresh(booting)
    assert (after.boot.status, after.boot.has_code, after.ending) == (BootStatus.LOST, False, Ending.LOST)
    assert (after.deposit.status, after.deposit.kept_amount) == (DepositStatus.CLOSED, TWENTY)
    assert after.lost_ticket.fine == 400
    assert after.lost_ticket.plate_key == after.ticket.plate_key
    assert not Refund.objects.exists()
    assert Message.objects.filter(template="boots/lost").count() == 1
    assert_all_is_right()


def test_boot_torn_off_without_paying_asks_no_deposit(clerk):
    set_policy(lost_offence=make_offence(fine=Decimal(400)))
    booting = make_booting()
    lose_boot(booting=booting, reason="Torn off", actor=clerk)
    after = fresh(booting)
    assert (after.boot.status, after.deposit.status) == (BootStatus.LOST, DepositStatus.CANCELLED)
    assert after.lost_ticket
    assert reload(booting.ticket).booted_at is None
    assert_all_is_right()


def test_found_boot_needs_a_new_code(clerk):
    booting = make_released()
    boot = booting.boot
    with pytest.raises(NotAllowed, match="is not lost"):
        find_boot(boot=boot, actor=clerk)
    with pytest.raises(NotAllowed, match="Only a boot that is available"):
        lose_from_shelf(boot=boot, reason="Gone", actor=clerk)
    lose_boot(booting=booting, reason="Gone", actor=clerk)
    find_boot(boot=boot, actor=clerk)
    boot.refresh_from_db()
    assert (boot.status, boot.has_code) == (BootStatus.AVAILABLE, False)
    lose_from_shelf(boot=boot, reason="Stolen", actor=clerk)
    find_boot(boot=boot, actor=clerk)
    assert AuditEntry.objects.filter(action="boot.found").count() == 2
    assert_all_is_right()


# More time, and one's own


def test_more_time_begins_the_reminders_anew(clerk):
    booting = make_released()
    until = booting.return_by + dt.timedelta(days=2)
    give_more_time(booting=booting, until=until, actor=clerk)
    after = fresh(booting)
    assert (after.return_by, after.reminded_at, after.overdue_at) == (until, None, None)
    assert after.next_step_at == until - dt.timedelta(hours=after.reminder_hours)
    assert Message.objects.filter(template="boots/more_time").count() == 1
    for earlier in (until, until - dt.timedelta(hours=1)):
        with pytest.raises(NotAllowed, match="later than"):
            give_more_time(booting=booting, until=earlier, actor=clerk)
    assert_all_is_right()


@pytest.mark.parametrize("deed", ["put_on", "take_off", "return", "lose", "lose_released", "more_time", "look"])
def test_staff_keep_their_hands_off_their_own_boot(clerk, officer, deed):
    ticket = make_ticket(clerk, offence=make_offence(is_boot_eligible=True))
    boot = make_boot()
    booting = put_on(boot=boot, ticket=ticket, actor=officer) if deed != "put_on" else None
    if deed in ("return", "lose_released", "more_time"):
        pay_for_release(booting, clerk)
    deeds = {
        "put_on": lambda: put_on(boot=boot, ticket=ticket, actor=clerk),
        "take_off": lambda: take_off(booting=booting, reason="Mine", actor=clerk),
        "return": lambda: return_boot(booting=booting, how=Returned(), actor=clerk),
        "lose": lambda: lose_boot(booting=booting, reason="Mine", actor=clerk),
        "lose_released": lambda: lose_boot(booting=booting, reason="Mine", actor=clerk),
        "more_time": lambda: give_more_time(
            booting=booting, until=booting.return_by + dt.timedelta(days=9), actor=clerk
        ),
        "look": lambda: look_at_code(boot=boot, actor=clerk),
    }
    with pytest.raises(NotAllowed, match="your own"):
        deeds[deed]()


# Collections


def test_booted_ticket_is_never_sent_to_collections(clerk):
    offence = make_offence(is_boot_eligible=True)
    booted, plain = make_ticket(offence=offence, days_ago=100), make_ticket(offence=offence, days_ago=100)
    booting = make_booting(ticket=booted, actor=clerk)
    assert send_to_collections(overdue_days=30, actor=clerk).tickets.get() == plain
    take_off(booting=booting, reason="Wrong car", actor=clerk)
    assert send_to_collections(overdue_days=30, actor=clerk).tickets.get() == booted


def test_guest_who_paid_holds_the_deposit_not_the_owner(resident):
    booting = make_booting(resident)
    assert booting.deposit.person == resident
    pay_for_release(booting)
    assert Deposit.objects.get().person is None
    assert Order.objects.get().payer is None
    assert Ticket.objects.get(pk=booting.ticket_id).person == resident
