"""Lockers under races: one locker for one renter, money that adds up, and nobody loses what they paid for."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.utils import timezone

from lockers.models import Locker, Rental, RentalStatus
from lockers.services.holding import give_back, lapse_next
from lockers.services.managing import empty_locker, switch_locker
from lockers.services.reserving import reserve_locker
from payments.models import Deposit, DepositStatus, Refund
from payments.services.confirming import confirm_payment
from payments.services.settling import finish_order
from tests.factories.accounts import make_user
from tests.factories.lockers import (
    free_locker,
    let_end,
    make_area,
    make_locker_sale,
    order_rental,
    pay_for_locker,
    rent_one,
    reserve_one,
)
from tests.factories.payments import go_to_bank, offer_method, pay_at_bank
from tests.races.together import assert_books_and_numbers_are_right, let_hours_pass, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
FORTY = Decimal("40.00")


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_method("demo-bank")


def test_two_people_choose_the_same_number_in_the_same_second() -> None:
    sale = make_locker_sale()
    locker, people = free_locker(sale), [make_user() for _ in range(4)]
    results = together([lambda who=who: reserve_locker(renter=who, sale=sale, locker=locker) for who in people])
    assert sum(isinstance(result, Rental) for result in results) == 1
    assert sum("taken" in str(result) for result in results) == 3
    assert_books_and_numbers_are_right()


def test_the_database_itself_refuses_an_overlap() -> None:
    rental = reserve_one()
    for start, end in ((rental.starts_at, rental.ends_at), (rental.starts_at, rental.starts_at + dt.timedelta(1))):
        with pytest.raises(IntegrityError, match="lockers_rental_no_overlap"):
            Rental.objects.create(
                locker=rental.locker,
                renter=make_user(),
                sale=rental.sale,
                starts_at=start,
                ends_at=end,
                net=0,
                held_until=timezone.now(),
            )


def test_one_person_chooses_two_in_one_moment() -> None:
    sale, person = make_locker_sale(make_area(deposit=FORTY)), make_user()
    lockers = list(Locker.objects.filter(area=sale.area))
    results = together([lambda one=one: reserve_locker(renter=person, sale=sale, locker=one) for one in lockers])
    assert sum(isinstance(result, Rental) for result in results) == 1
    assert Deposit.objects.count() == 1


def test_paid_in_the_second_in_which_the_hold_lapses() -> None:
    for _round in range(6):
        rental = reserve_one(make_user(), make_locker_sale(make_area(1, deposit=FORTY)))
        payment = go_to_bank(order_rental(rental))
        pay_at_bank(payment)
        Rental.objects.filter(pk=rental.pk).update(held_until=timezone.now())
        together([lambda one=payment: confirm_payment(one), lapse_next, lapse_next])
        finish_order(payment.order_id)
        let_hours_pass()
        rental.refresh_from_db()
        deposit = Deposit.objects.get(about_id=rental.pk)
        back = sum((one.amount for one in Refund.objects.filter(payment=payment)), Decimal(0))
        if rental.status == RentalStatus.ACTIVE:
            assert (deposit.status, back) == (DepositStatus.HELD, 0)
        else:
            assert (deposit.status, back) == (DepositStatus.CANCELLED, Decimal(65))
    assert_books_and_numbers_are_right()


def test_given_back_and_paid_in_one_moment() -> None:
    rental = reserve_one(make_user(), make_locker_sale(make_area(1, deposit=FORTY)))
    payment = go_to_bank(order_rental(rental))
    pay_at_bank(payment)
    together([lambda: confirm_payment(payment), lambda: give_back(rental=rental, actor=rental.renter)])
    finish_order(payment.order_id)
    let_hours_pass()
    rental.refresh_from_db()
    back = sum((one.amount for one in Refund.objects.all()), Decimal(0))
    assert (rental.status == RentalStatus.ACTIVE) == (back == 0)
    assert_books_and_numbers_are_right()


def test_two_clerks_empty_the_same_locker() -> None:
    rental = rent_one(make_user(), make_locker_sale(make_area(1, deposit=FORTY)))
    let_end(rental)
    clerks = [make_user() for _ in range(3)]
    deeds = [
        lambda who=who, word=f"9-9-{place}": empty_locker(locker=rental.locker, actor=who, combination=word)
        for place, who in enumerate(clerks)
    ]
    results = together(deeds)
    assert sum(result is None for result in results) == 1
    assert sum(refund.amount for refund in Refund.objects.all()) == FORTY
    assert_books_and_numbers_are_right()


def test_two_people_are_moved_into_one_locker() -> None:
    sale = make_locker_sale()
    rentals = [rent_one(make_user(), sale) for _ in range(2)]
    to, clerk = free_locker(sale), make_user()
    results = together(
        [lambda one=one: switch_locker(rental=one, to=to, actor=clerk, reason="Wish") for one in rentals]
    )
    assert sum(isinstance(result, Rental) for result in results) == 1
    assert_books_and_numbers_are_right()


def test_chosen_and_moved_into_in_one_moment() -> None:
    sale = make_locker_sale()
    rental = rent_one(make_user(), sale)
    to, clerk, other = free_locker(sale), make_user(), make_user()
    together(
        [
            lambda: switch_locker(rental=rental, to=to, actor=clerk, reason="Wish"),
            lambda: reserve_locker(renter=other, sale=sale, locker=to),
        ]
    )
    assert Rental.objects.live().filter(locker=to).count() == 1


def test_paid_once_whatever_is_reported_twice() -> None:
    rental = reserve_one()
    payment = pay_for_locker(rental)
    together(
        [lambda: confirm_payment(payment), lambda: finish_order(payment.order_id), lambda: confirm_payment(payment)]
    )
    rental.refresh_from_db()
    assert rental.status == RentalStatus.ACTIVE
    assert not Refund.objects.exists()
