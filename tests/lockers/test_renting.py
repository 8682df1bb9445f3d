"""Reserving, paying, renewing and ending a rental, and what each refusal says."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import AccountHold
from lockers.models import Locker, Rental, RentalStatus
from lockers.services.combinations import combination_for, look_at_combination
from lockers.services.delivering import end_promised_rentals, promise_rentals
from lockers.services.holding import extend_hold, give_back, lapse_next, leave_early
from lockers.services.managing import add_lockers, empty_locker, make_numbers, read_list, switch_locker
from lockers.services.reminding import recall_next
from opscom.core.errors import DomainError, NotAllowed
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from payments.models import Deposit, DepositStatus, Refund
from payments.services.confirming import confirm_payment
from payments.services.settling import finish_order
from tests.factories.accounts import make_hold, make_user_type
from tests.factories.lockers import (
    free_locker,
    let_end,
    make_area,
    make_locker_sale,
    make_term,
    order_rental,
    pay_for_locker,
    rent_one,
    reserve_one,
)
from tests.factories.merging import merge
from tests.factories.payments import go_to_bank, offer_method, pay_at_bank
from tests.factories.permits import make_tax
from tests.factories.provider import set_provider
from tests.races.together import assert_books_and_numbers_are_right

pytestmark = pytest.mark.django_db
FORTY = Decimal("40.00")


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_method("demo-bank")


def refused(sale, *, renter=None, locker=None) -> str:
    with pytest.raises(NotAllowed) as error:
        reserve_one(renter, sale, locker)
    return str(error.value)


def test_reserved_paid_and_open(resident) -> None:
    rental = reserve_one(resident)
    assert rental.status == RentalStatus.RESERVED
    assert combination_for(rental, timezone.now()) is None
    payment = pay_for_locker(rental)
    assert (rental.status, payment.amount) == (RentalStatus.ACTIVE, Decimal("25.00"))
    assert combination_for(rental, timezone.now()) == "10-20-00"
    mail = Message.objects.get(template="lockers/rented")
    assert "10-20-00" not in str(mail.context)
    assert_books_and_numbers_are_right()


def test_taxes_are_those_of_the_area(resident) -> None:
    sale = make_locker_sale()
    sale.area.taxes.add(make_tax("13"))
    assert pay_for_locker(reserve_one(resident, sale)).amount == Decimal("28.25")


def test_one_locker_for_one_renter(resident, other_resident) -> None:
    rental = reserve_one(resident)
    assert "taken" in refused(rental.sale, renter=other_resident, locker=rental.locker)


def test_a_limit_per_person_and_term(resident) -> None:
    rental = reserve_one(resident)
    words = refused(rental.sale, renter=resident)
    assert "1 locker" in words
    assert str(rental.locker) in words


def test_another_term_is_another_limit(resident) -> None:
    rental = rent_one(resident)
    later = make_locker_sale(rental.sale.area, term=make_term(100))
    assert reserve_one(resident, later, rental.locker).renews == rental


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"out_of_order": "Hinge broken"}, "out of order"),
        ({"is_visible": False}, "cannot be rented"),
        ({"sealed_combination": ""}, "cannot be rented"),
    ],
)
def test_what_is_not_let(changes, words) -> None:
    sale = make_locker_sale()
    locker = free_locker(sale)
    Locker.objects.filter(pk=locker.pk).update(**changes)
    assert words in refused(sale, locker=locker)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"opens_at": timezone.now() + dt.timedelta(days=2)}, "can be rented from"),
        ({"closes_at": timezone.now() - dt.timedelta(hours=1)}, "ended on"),
        ({"is_active": False}, "not for your user type"),
    ],
)
def test_when_nothing_is_sold(changes, words) -> None:
    assert words in refused(make_locker_sale(**changes))


def test_only_for_their_user_types(resident) -> None:
    sale = make_locker_sale()
    sale.area.user_types.add(make_user_type("athletes"))
    assert "user type" in refused(sale, renter=resident)


def test_who_is_on_hold_rents_nothing(resident, clerk) -> None:
    make_hold(resident)
    assert AccountHold.objects.exists()
    assert "on hold" in refused(make_locker_sale(), renter=resident)


def test_switched_off_nothing_is_let() -> None:
    sale = make_locker_sale()
    set_provider(is_lockers_on=False)
    refused(sale)


def test_a_locker_of_another_area(resident) -> None:
    other = free_locker(make_locker_sale())
    assert "somewhere else" in refused(make_locker_sale(), renter=resident, locker=other)


# Holds


def test_a_hold_that_runs_out_frees_the_locker_and_its_deposit(resident, other_resident) -> None:
    rental = reserve_one(resident, make_locker_sale(make_area(deposit=FORTY)))
    assert rental.deposit.status == DepositStatus.DUE
    Rental.objects.update(held_until=timezone.now() - dt.timedelta(seconds=1))
    assert lapse_next()
    assert not lapse_next()
    rental.refresh_from_db()
    assert rental.status == RentalStatus.LAPSED
    assert Deposit.objects.get().status == DepositStatus.CANCELLED
    assert reserve_one(other_resident, rental.sale, rental.locker).status == RentalStatus.RESERVED


def test_a_dead_hold_that_no_worker_freed_is_in_nobodys_way(resident, other_resident) -> None:
    rental = reserve_one(resident)
    Rental.objects.update(held_until=timezone.now() - dt.timedelta(seconds=1))
    assert reserve_one(other_resident, rental.sale, rental.locker).renter == other_resident
    assert reserve_one(resident, rental.sale).renter == resident


def test_extended_once(resident) -> None:
    rental = reserve_one(resident)
    extend_hold(rental=rental, actor=resident, now=timezone.now() + dt.timedelta(minutes=20))
    with pytest.raises(NotAllowed, match="already extended"):
        extend_hold(rental=rental, actor=resident)


def test_given_back_is_free_at_once(resident, other_resident) -> None:
    rental = reserve_one(resident)
    give_back(rental=rental, actor=resident)
    assert reserve_one(other_resident, rental.sale, rental.locker)
    with pytest.raises(NotAllowed):
        give_back(rental=rental, actor=resident)


def test_money_that_comes_late_gets_the_locker_when_it_is_free(resident) -> None:
    rental = reserve_one(resident)
    payment = go_to_bank(order_rental(rental))
    Rental.objects.update(held_until=timezone.now() - dt.timedelta(seconds=1))
    assert lapse_next()
    pay_at_bank(payment)
    confirm_payment(payment)
    finish_order(payment.order_id)
    rental.refresh_from_db()
    assert rental.status == RentalStatus.ACTIVE
    assert_books_and_numbers_are_right()


@pytest.mark.parametrize("deposit", [None, FORTY])
def test_money_that_comes_late_goes_back_when_somebody_else_has_it(resident, other_resident, deposit) -> None:
    rental = reserve_one(resident, make_locker_sale(make_area(deposit=deposit)))
    payment = go_to_bank(order_rental(rental))
    Rental.objects.update(held_until=timezone.now() - dt.timedelta(seconds=1))
    reserve_one(other_resident, rental.sale, rental.locker)
    pay_at_bank(payment)
    confirm_payment(payment)
    finish_order(payment.order_id)
    rental.refresh_from_db()
    assert rental.status == RentalStatus.LAPSED
    payment.refresh_from_db()
    assert sum(refund.amount for refund in Refund.objects.all()) == payment.amount
    assert_books_and_numbers_are_right()


# Deposits, the end, and what is to be emptied


def test_locker_and_deposit_are_paid_together_and_decided_when_it_is_emptied(resident, clerk) -> None:
    rental = reserve_one(resident, make_locker_sale(make_area(deposit=FORTY)))
    assert pay_for_locker(rental).amount == Decimal("65.00")
    rental.deposit.refresh_from_db()
    assert rental.deposit.status == DepositStatus.HELD
    let_end(rental)
    locker = rental.locker
    locker.refresh_from_db()
    assert locker.to_empty_since
    assert combination_for(Rental.objects.get(pk=rental.pk), timezone.now()) is None
    assert "cannot be rented" in refused(make_locker_sale(locker.area), locker=locker)
    assert_books_and_numbers_are_right()
    with pytest.raises(DomainError, match="this very combination"):
        empty_locker(locker=locker, actor=clerk, combination="10-20-00")
    with pytest.raises(NotAllowed, match="why a part"):
        empty_locker(locker=locker, actor=clerk, combination="1-2-3", returned=Decimal(10))
    empty_locker(locker=locker, actor=clerk, combination="1-2-3", returned=Decimal(10), reason="Bent door")
    rental.deposit.refresh_from_db()
    assert (rental.deposit.returned_amount, rental.deposit.kept_amount) == (Decimal(10), Decimal(30))
    locker.refresh_from_db()
    assert locker.to_empty_since is None
    with pytest.raises(NotAllowed, match="need not"):
        empty_locker(locker=locker, actor=clerk, combination="4-5-6")
    assert_books_and_numbers_are_right()


def test_who_renews_keeps_locker_combination_and_deposit(resident, clerk) -> None:
    area = make_area(deposit=FORTY)
    rental = rent_one(resident, make_locker_sale(area))
    opens = timezone.now() + dt.timedelta(days=5)
    renewals = timezone.now() - dt.timedelta(days=1)
    later = make_locker_sale(area, term=make_term(100), opens_at=opens, renewal_opens_at=renewals)
    assert "can be rented from" in refused(later)
    assert "can be rented from" in refused(later, renter=resident, locker=area.lockers.get(number="L-2"))
    renewal = rent_one(resident, later, rental.locker)
    assert (renewal.renews, renewal.deposit_id) == (rental, rental.deposit_id)
    assert Deposit.objects.count() == 1
    let_end(rental)
    locker = Locker.objects.get(pk=rental.locker_id)
    assert locker.to_empty_since is None
    assert combination_for(Rental.objects.get(pk=renewal.pk), timezone.now()) == "10-20-00"
    let_end(renewal)
    locker.refresh_from_db()
    assert locker.left_by == renewal
    empty_locker(locker=locker, actor=clerk, combination="7-7-7")
    assert Deposit.objects.get().returned_amount == FORTY
    assert_books_and_numbers_are_right()


def test_a_renewal_that_is_not_paid_lets_the_locker_be_emptied(resident) -> None:
    rental = rent_one(resident)
    renewal = reserve_one(resident, make_locker_sale(rental.sale.area, term=make_term(100)), rental.locker)
    let_end(rental)
    assert Locker.objects.get(pk=rental.locker_id).to_empty_since is None
    Rental.objects.filter(pk=renewal.pk).update(held_until=timezone.now() - dt.timedelta(seconds=1))
    assert lapse_next()
    locker = Locker.objects.get(pk=rental.locker_id)
    assert (locker.left_by, bool(locker.to_empty_since)) == (rental, True)


def test_leaving_early(resident) -> None:
    rental = rent_one(resident)
    leave_early(rental=rental, actor=resident)
    rental.refresh_from_db()
    assert rental.status == RentalStatus.ENDED
    assert Locker.objects.get(pk=rental.locker_id).left_by == rental
    with pytest.raises(NotAllowed):
        leave_early(rental=rental, actor=resident)


def test_the_next_terms_renter_sees_no_combination_before_it_begins(resident, other_resident) -> None:
    rental = rent_one(resident)
    later = make_locker_sale(rental.sale.area, term=make_term(100))
    follower = rent_one(other_resident, later, rental.locker)
    assert follower.status == RentalStatus.ACTIVE
    assert combination_for(follower, timezone.now()) is None
    assert combination_for(rental, timezone.now())


def test_reminded_once_unless_renewed(resident, other_resident) -> None:
    sale = make_locker_sale(term=make_term(-30, 40))
    rent_one(resident, sale)
    other = rent_one(other_resident, sale)
    reserve_one(other_resident, make_locker_sale(sale.area, term=make_term(20)), other.locker)
    while recall_next():
        pass
    assert [mail.to for mail in Message.objects.filter(template="lockers/ends_soon")] == [resident.contact_email]


# The office


def test_switched_to_another_locker(resident, clerk) -> None:
    rental = rent_one(resident)
    former, to = rental.locker, free_locker(rental.sale)
    switch_locker(rental=rental, to=to, actor=clerk, reason="Water damage")
    rental.refresh_from_db()
    assert rental.locker == to
    former.refresh_from_db()
    assert former.to_empty_since
    assert Message.objects.filter(template="lockers/switched").count() == 1
    empty_locker(locker=former, actor=clerk, combination="5-5-5")
    assert combination_for(Rental.objects.get(pk=rental.pk), timezone.now()) == "10-20-01"


def test_not_switched_to_one_that_is_taken(resident, other_resident, clerk) -> None:
    rental = rent_one(resident)
    other = rent_one(other_resident, rental.sale)
    with pytest.raises(NotAllowed, match="taken"):
        switch_locker(rental=rental, to=other.locker, actor=clerk, reason="Wish")


def test_a_deposit_stays_while_its_renter_is_in_another_locker(resident, clerk) -> None:
    rental = rent_one(resident, make_locker_sale(make_area(deposit=FORTY)))
    former = rental.locker
    switch_locker(rental=rental, to=free_locker(rental.sale), actor=clerk, reason="Wish")
    empty_locker(locker=former, actor=clerk, combination="5-5-5")
    assert Deposit.objects.get().status == DepositStatus.HELD
    assert_books_and_numbers_are_right()


def test_numbers_by_range_and_by_list(clerk) -> None:
    assert make_numbers(first=8, last=10, prefix="W-", postfix="a", digits=3) == ["W-008a", "W-009a", "W-010a"]
    assert read_list("A1, A2\nA3;A1") == ["A1", "A2", "A3"]
    for first, last in ((3, 2), (1, 1001), (-1, 2)):
        with pytest.raises(DomainError):
            make_numbers(first=first, last=last)
    area = make_area(2)
    fields = {"columns": 2, "size": "small", "is_accessible": True, "is_visible": True, "actor": clerk}
    made = add_lockers(area=area, numbers=["X1", "X2", "X3"], **fields)
    assert [(one.row, one.column) for one in made] == [(2, 1), (2, 2), (3, 1)]
    for numbers in (["x1"], ["=cmd"], [""], []):
        with pytest.raises(DomainError):
            add_lockers(area=area, numbers=numbers, **fields)


def test_looking_at_a_combination_is_written_down(clerk) -> None:
    locker = make_area(1, combination="31-41-59").lockers.get()
    assert look_at_combination(locker=locker, actor=clerk) == "31-41-59"
    entry = AuditEntry.objects.get(action="locker.combination_seen")
    assert "31-41-59" not in str(entry.__dict__)
    assert "31-41-59" not in repr(look_at_combination(locker=locker, actor=clerk))


def test_a_promise_keeps_the_locker_and_shows_no_combination(resident) -> None:
    rental = reserve_one(resident)
    promise_rentals(rental_ids=[rental.pk], until=timezone.now() + dt.timedelta(days=3))
    rental.refresh_from_db()
    assert rental.held_until > timezone.now() + dt.timedelta(days=2)
    assert combination_for(rental, timezone.now()) is None
    with pytest.raises(NotAllowed, match="promise"):
        give_back(rental=rental, actor=resident)
    end_promised_rentals(rental_ids=[rental.pk], to=RentalStatus.LAPSED)
    rental.refresh_from_db()
    assert rental.status == RentalStatus.LAPSED


def test_two_records_of_one_person_become_one_with_all_lockers(resident, other_resident, clerk) -> None:
    sale = make_locker_sale(make_area(deposit=FORTY))
    kept, moved = rent_one(resident, sale), rent_one(other_resident, sale)
    held = reserve_one(other_resident, make_locker_sale())
    merge(resident, other_resident, clerk)
    assert set(Rental.objects.live().filter(renter=resident)) == {kept, moved, held}
    assert sorted(Rental.objects.filter(sale=sale).values_list("place", flat=True)) == [1, 2]
    assert_books_and_numbers_are_right()
