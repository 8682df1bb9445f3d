"""Stored cards under several hands at once: one charge for two clicks, one card for three reports, nothing after removal."""

import datetime as dt

import pytest
from django.utils import timezone

from demo.bank.models import BankCard, BankSession, SessionStatus
from payments.models import CardSave, Order, OrderStatus, Payment, PaymentStatus, Refund, StoredMethod, Subscription
from payments.services.attempts import start_payment
from payments.services.charging import charge_stored
from payments.services.confirming import check_payment, confirm_payment
from payments.services.forgetting import forget_card, remove_stored
from payments.services.paying import pay_order
from payments.services.storing import check_card_save, confirm_card_save
from payments.services.subscribing import choose_use
from payments.tasks import forget_removed_cards
from tests.factories.bank_cards import store_at_bank
from tests.factories.payments import order_permit
from tests.factories.permits import make_sale, reserve
from tests.factories.stored import begin_save, offer_storing, store_card
from tests.races.together import assert_books_and_numbers_are_right, together

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def bank() -> None:
    offer_storing()


@pytest.fixture
def order() -> Order:
    return order_permit(reserve(make_sale()))


def test_two_tabs_and_a_double_click_are_one_charge(order) -> None:
    card = store_card(order.payer)
    together(
        [lambda: pay_order(order=Order.objects.get(pk=order.pk), method_code=f"stored:{card.code}", actor=order.payer)]
        * 4
    )
    order.refresh_from_db()
    assert order.status == OrderStatus.PAID
    assert BankSession.objects.filter(status=SessionStatus.APPROVED).count() == 1
    assert Payment.objects.filter(status=PaymentStatus.APPROVED).count() == 1
    assert Refund.objects.count() == 0
    assert_books_and_numbers_are_right()


def test_a_stored_charge_and_the_hosted_page_in_one_moment(order) -> None:
    """Whichever row is written first: the card is charged at most once, and the page opens at most once."""
    card = store_card(order.payer)
    together(
        [
            lambda: charge_stored(order=order, stored_method=card, reason="customer_present"),
            lambda: start_payment(order=order, method_code="demo-bank"),
        ]
    )
    assert BankSession.objects.filter(status=SessionStatus.APPROVED).count() <= 1
    assert_books_and_numbers_are_right()


def test_removed_while_it_is_charged(order) -> None:
    """Charged or refused, never charged after the gateway forgot it; and the gateway forgets it in the end."""
    card = store_card(order.payer)
    together(
        [
            lambda: charge_stored(order=order, stored_method=card, reason="customer_present"),
            lambda: remove_stored(stored_method=card, actor=order.payer),
            lambda: forget_removed_cards(),
        ]
    )
    StoredMethod.objects.update(next_try_at=timezone.now())
    forget_removed_cards()
    order.refresh_from_db()
    paid = order.status == OrderStatus.PAID
    assert BankSession.objects.filter(status=SessionStatus.APPROVED).count() == int(paid)
    assert not Payment.objects.filter(status=PaymentStatus.DECLINED).exists()
    assert BankCard.objects.get().forgotten_at
    assert StoredMethod.objects.get().forgotten_at
    assert_books_and_numbers_are_right()


def test_return_page_report_and_reconciler_store_one_card() -> None:
    person = order_permit(reserve(make_sale())).payer
    save = begin_save(person)
    store_at_bank(save.reference)
    CardSave.objects.update(next_check_at=timezone.now())
    together([lambda: confirm_card_save(CardSave.objects.get(pk=save.pk))] * 3 + [lambda: check_card_save(save.pk)])
    assert StoredMethod.objects.count() == 1
    assert Subscription.objects.count() == 1


def test_removed_six_times_in_one_moment_is_removed_once() -> None:
    person = order_permit(reserve(make_sale())).payer
    card = store_card(person)
    assert sum(together([lambda: remove_stored(stored_method=card, actor=person)] * 6)) == 1
    together([lambda: forget_card(card.pk)] * 4)
    assert StoredMethod.objects.get().attempts == 1


def test_chosen_while_it_is_removed_pays_for_nothing_afterwards() -> None:
    person = order_permit(reserve(make_sale())).payer
    card = store_card(person)
    together(
        [
            lambda: choose_use(person=person, use="permit_rollover", stored_method=card),
            lambda: remove_stored(stored_method=card, actor=person),
        ]
    )
    assert not Subscription.objects.exists()


def test_a_silent_bank_and_an_impatient_payer(order) -> None:
    """The charge went through, the answer did not: the reconciler finds it, whatever the payer clicks meanwhile."""
    card = store_card(order.payer, card="4000000000000119")
    first = pay_order(order=order, method_code=f"stored:{card.code}", actor=order.payer)
    assert Payment.objects.get(pk=first.pk).status == PaymentStatus.CREATED
    again = together([lambda: pay_order(order=order, method_code=f"stored:{card.code}", actor=order.payer)] * 3)
    assert {payment.pk for payment in again} == {first.pk}
    BankSession.objects.update(answers_from=timezone.now() - dt.timedelta(seconds=1))
    Payment.objects.update(next_check_at=timezone.now())
    together([lambda: check_payment(first.pk), lambda: confirm_payment(Payment.objects.get(pk=first.pk))])
    order.refresh_from_db()
    assert order.status == OrderStatus.PAID
    assert BankSession.objects.filter(status=SessionStatus.APPROVED).count() == 1
    assert_books_and_numbers_are_right()
