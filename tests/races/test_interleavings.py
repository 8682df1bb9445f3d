"""Two things at once, one of them stopped at the worst place."""

import contextlib
import threading

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from opscom.core.errors import NotAllowed
from payments.models import LineStatus, OrderLine, Payment, PaymentStatus, Refund
from payments.services import settling
from payments.services.confirming import check_payment, confirm_payment
from payments.services.settling import finish_order
from payments.tasks import finish_paid_orders, reconcile_payments
from permits.models import Permit, PermitStatus, Slot, SlotState
from permits.services import reserving
from permits.services.allotting import NumberRange, allot_numbers, retire_numbers
from permits.services.holding import extend_hold, hold_for_gateway, lapse_next
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import lapse_hold, make_buyer, make_permit_type, make_sale, offer_demo_bank, reserve
from tests.factories.vehicles import make_owner
from tests.races.together import assert_books_and_numbers_are_right, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
WAIT = 5


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_demo_bank()


class Stop:
    """A place where a thread waits until it is let go."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        self.go_on.wait(WAIT)


def test_somebody_unproved_holds_one_permit_whatever_the_kinds():
    """The limits per kind are the database's; this one goes over all kinds."""
    sales = [make_sale() for _number in range(5)]
    buyer, _ownership = make_buyer(email_proved_at=None)
    assert not buyer.is_email_proved
    together([lambda sale=sale: reserve(sale, buyer) for sale in sales])
    assert Permit.objects.live().count() == 1


def test_two_clicks_within_a_limit_of_two_are_two_permits():
    sale = make_sale(numbers=9, permit_type=make_permit_type(max_per_person=2))
    for _round in range(4):
        buyer, _ownership = make_buyer()
        results = together([lambda buyer=buyer: reserve(sale, buyer) for _one in range(2)])
        assert [type(result) for result in results] == [Permit, Permit]


def test_one_number_is_not_allotted_in_two_lots_at_once():
    actor = make_owner()
    for turn in range(4):
        sales = [make_sale(numbers=0) for _number in range(3)]
        numbers = NumberRange(f"R{turn}-", 1, 20)
        together(
            [
                lambda sale=sale, numbers=numbers: allot_numbers(sale=sale, numbers=numbers, actor=actor)
                for sale in sales
            ]
        )
        assert Slot.objects.filter(sale__in=sales).count() == 20


def test_a_lot_is_not_overfilled_by_two_sales_at_once():
    sales = [make_sale(numbers=0)]
    lot = sales[0].lot
    type(lot).objects.filter(pk=lot.pk).update(stalls=10)
    sales += [make_sale(numbers=0, lot=lot) for _number in range(3)]
    actor = make_owner()
    together(
        [
            lambda sale=sale: allot_numbers(sale=sale, numbers=NumberRange(f"L{sale.pk}-", 1, 6), actor=actor)
            for sale in sales
        ]
    )
    assert Slot.objects.count() == 6


def test_keeping_two_numbers_for_the_bank_takes_them_in_order():
    """In order of their place on disk, it would stand across from somebody who takes them by number."""
    sale = make_sale(numbers=2, permit_type=make_permit_type(max_per_person=2))
    buyer, _ownership = make_buyer()
    first, second = reserve(sale, buyer), reserve(sale, buyer)
    Permit.objects.filter(pk=first.pk).update(gateway_holds=1)  # Its row is now the last one on disk.

    def keep() -> None:
        with transaction.atomic():
            # As the planner would in a small table, or one whose statistics are old.
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
            hold_for_gateway(permit_ids=[first.pk, second.pk], until=timezone.now())

    with transaction.atomic():
        Permit.objects.select_for_update(no_key=True).get(pk=first.pk)
        thread = threading.Thread(target=lambda: (keep(), connection.close()))
        thread.start()
        wait_until_somebody_waits()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '500ms'")
        Permit.objects.select_for_update(no_key=True).get(pk=second.pk)
    thread.join(WAIT)


def wait_until_somebody_waits() -> None:
    """Return when another transaction waits for a lock."""
    for _time in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("Nobody waits.")


def test_a_hold_that_somebody_is_closing_is_passed_over():
    """A worker never waits for another one's row: it takes the next."""
    permits = [reserve(make_sale()) for _number in range(2)]
    Permit.objects.update(held_until=timezone.now())

    def lapse() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '500ms'")
        return lapse_next()

    with transaction.atomic():
        Permit.objects.select_for_update(no_key=True).get(pk=permits[0].pk)
        assert together([lapse]) == [True]
    assert [permit.pk for permit in Permit.objects.live()] == [permits[0].pk]


def test_a_hold_that_is_being_freed_cannot_be_extended():
    permit = reserve(make_sale())
    results = []
    with transaction.atomic():
        assert lapse_next(now=permit.held_until)
        thread = threading.Thread(
            target=lambda: results.extend(together([lambda: extend_hold(permit=permit, actor=permit.holder)]))
        )
        thread.start()
        wait_until_somebody_waits()
    thread.join(WAIT)
    assert isinstance(results[0], NotAllowed)
    permit.refresh_from_db()
    assert (permit.status, permit.held_until) == (PermitStatus.LAPSED, None)


def test_late_money_is_not_refunded_because_a_reservation_took_its_place(monkeypatch):
    """With a limit of two, the second place is still free: looking again finds it."""
    sale = make_sale(numbers=5, permit_type=make_permit_type(max_per_person=2))
    permit = reserve(sale)
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    lapse_hold(permit)
    stop = Stop()
    real = reserving.audit.record

    def record_and_wait(action, *args, **facts):
        entry = real(action, *args, **facts)
        if action == "permit.reserved":
            stop()
        return entry

    monkeypatch.setattr(reserving.audit, "record", record_and_wait)
    rival = threading.Thread(target=lambda: (reserve(sale, permit.holder), connection.close()))
    rival.start()
    stop.reached.wait(WAIT)
    payer = threading.Thread(target=lambda: (confirm_payment(payment), connection.close()))
    payer.start()
    wait_until_somebody_waits()
    stop.go_on.set()
    for thread in (rival, payer):
        thread.join(WAIT)
    OrderLine.objects.filter(status=LineStatus.SETTLED).update(next_try_at=timezone.now())
    finish_paid_orders()
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE
    assert Refund.objects.count() == 0
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("locked", ["order", "payment", "permit", "slot"])
def test_a_lock_that_is_not_given_in_time_loses_nothing(locked):
    """Three seconds, then the database says no: the reconciler and the delivery come back."""
    sale = make_sale(numbers=1)
    permit = reserve(sale)
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    Payment.objects.filter(pk=payment.pk).update(next_check_at=timezone.now())
    rows = {
        "order": type(payment.order).objects.filter(pk=payment.order_id),
        "payment": Payment.objects.filter(pk=payment.pk),
        "permit": Permit.objects.filter(pk=permit.pk),
        "slot": Slot.objects.filter(permit=permit),
    }[locked]

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        with contextlib.suppress(OperationalError):
            check_payment(payment.pk)

    with transaction.atomic():
        list(rows.select_for_update())
        together([ask])
    Payment.objects.filter(next_check_at__isnull=False).update(next_check_at=timezone.now())
    OrderLine.objects.filter(next_try_at__isnull=False).update(next_try_at=timezone.now())
    reconcile_payments()
    finish_paid_orders()
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE
    assert Payment.objects.get().order.finished_at
    assert_books_and_numbers_are_right()


def test_delivering_one_order_from_six_threads_writes_one_receipt():
    from opscom.messaging.models import Message

    permit = reserve(make_sale())
    payment = go_to_bank(order_permit(permit))
    pay_at_bank(payment)
    result = settling.Result(status="approved", amount=payment.amount, currency=payment.currency)
    settling.settle(payment_id=payment.pk, result=result)
    together([lambda: finish_order(payment.order_id)] * 6)
    assert Message.objects.filter(template="payments/receipt").count() == 1
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("_round", range(3))
def test_everything_at_once_leaves_the_books_and_numbers_right(_round):
    """Payers, late payers, second payments, lapses, refunds, the office: in the end everybody has a permit or their money."""
    sale = make_sale(numbers=4)
    deeds = []
    for number in range(6):
        try:
            permit = reserve(sale)
        except NotAllowed:
            break
        payment = go_to_bank(order_permit(permit))
        pay_at_bank(payment)
        if number % 2:
            lapse_hold(permit)
        deeds.append(lambda payment=payment: confirm_payment(Payment.objects.get(pk=payment.pk)))
        deeds.append(lambda payment=payment: finish_order(payment.order_id))
    buyers = [make_buyer()[0] for _number in range(3)]
    deeds += [lambda buyer=buyer: reserve(sale, buyer) for buyer in buyers]
    deeds += [lapse_next, lambda: retire_numbers(slots=list(sale.slots.all())[:1], actor=buyers[0])]
    together(deeds)
    OrderLine.objects.filter(next_try_at__isnull=False).update(next_try_at=timezone.now())
    finish_paid_orders()
    assert Payment.objects.exclude(status=PaymentStatus.APPROVED).count() == 0
    assert OrderLine.objects.filter(status__in=[LineStatus.SETTLED, LineStatus.NEEDS_REVIEW]).count() == 0
    assert Slot.objects.filter(state=SlotState.FOR_LIST).count() == 0
    assert_books_and_numbers_are_right()
