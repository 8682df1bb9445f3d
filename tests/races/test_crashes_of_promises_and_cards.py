"""A process dies before any one of its writes: stored cards, promised money, deposits, money that is taken back.

As in `test_crashes.py`: in the end all of it or nothing, and whoever did it can do it again.
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from demo.bank.models import BankCard, BankRefund, BankSession
from opscom.messaging.models import Message
from payments.models import (
    CardSave,
    CardSaveStatus,
    Debt,
    Deposit,
    DepositKind,
    DepositStatus,
    LineStatus,
    MethodKind,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentStatus,
    Promise,
    PromiseStatus,
    Refund,
    RefundReason,
    RefundStatus,
    StoredMethod,
    Subscription,
)
from payments.services.charging import charge_stored
from payments.services.confirming import confirm_payment
from payments.services.deposits import ask_deposit, decide_deposit
from payments.services.orders import place_order
from payments.services.promising import promise_order, receive_promise
from payments.services.reversals import reverse_payment
from payments.services.settling import finish_order
from payments.services.storing import confirm_card_save
from permits.models import Permit, PermitStatus
from tests.factories.accounts import make_user
from tests.factories.bank_cards import store_at_bank
from tests.factories.payments import go_to_bank, offer_method, order_permit, pay_at_bank
from tests.factories.permits import make_buyer, make_sale, reserve
from tests.factories.stored import PARKING, begin_save, offer_storing, store_card
from tests.races.crashes import at_each_write
from tests.races.together import let_hours_pass

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
# Past this it is known that a charge is not on its way any more.
LONG_AGO = dt.timedelta(minutes=20)
Deed = Callable[[], object]


@pytest.fixture(autouse=True)
def methods() -> None:
    offer_storing()
    offer_method(kind=MethodKind.PROMISE, code="cash")


@pytest.fixture
def clerk() -> User:
    return make_user()


def order_one() -> Order:
    return order_permit(reserve(make_sale(numbers=1)))


def state_of(order: Order) -> tuple[str, str, str]:
    """Return how the order, its line and its permit stand."""
    line = OrderLine.objects.select_related("order").get(order=order)
    return line.order.status, line.status, Permit.objects.get(pk=line.object_id).status


DELIVERED = (OrderStatus.PAID, LineStatus.FULFILLED, PermitStatus.ACTIVE)


def test_storing_a_card() -> None:
    """The card that the bank has is the one that we have, with what it pays for, and its owner is told once."""
    save: CardSave

    def make() -> Deed:
        nonlocal save
        save = begin_save(make_buyer()[0], PARKING)
        store_at_bank(save.reference)
        return lambda: confirm_card_save(save)

    def check() -> None:
        kept = CardSave.objects.get(pk=save.pk)
        assert kept.status == CardSaveStatus.STORED
        stored = StoredMethod.objects.get(person=kept.person)
        assert (kept.stored_method, stored.forgotten_at) == (stored, None)
        assert Subscription.objects.get(person=kept.person, use=PARKING).stored_method == stored
        assert BankCard.objects.filter(token=stored.token).count() == 1
        assert Message.objects.filter(dedupe_key=f"card-stored:{stored.pk}").count() == 1

    at_each_write(make, check)


def test_charging_a_stored_card() -> None:
    """Charged and delivered, or never charged; then the payer tries again, and is charged once."""
    order: Order
    card: StoredMethod

    def make() -> Deed:
        nonlocal order, card
        order = order_one()
        card = store_card(order.payer)
        return lambda: charge_stored(order=order, stored_method=card, reason="customer_present")

    def check() -> None:
        assert not order.payments.filter(status=PaymentStatus.STARTED).exists()
        charged = BankSession.objects.filter(reference__in=order.payments.values("reference"), status="approved")
        assert (state_of(order) == DELIVERED) == charged.exists()
        # Nobody knows yet whether a charge is on its way: after some minutes it is known that it is not.
        Payment.objects.filter(order=order).update(created_at=timezone.now() - LONG_AGO, next_check_at=timezone.now())
        let_hours_pass()
        if not charged.exists():
            charge_stored(order=order, stored_method=card, reason="customer_present")
        assert state_of(order) == DELIVERED
        assert charged.count() == 1

    at_each_write(make, check)


def test_promising_to_pay() -> None:
    """Promised whole or not at all, and the second click is the same promise."""
    order: Order

    def make() -> Deed:
        nonlocal order
        order = order_one()
        return lambda: promise_order(order=order, method_code="cash", actor=order.payer)

    def check() -> None:
        promises = Promise.objects.filter(order=order)
        is_promised = Order.objects.get(pk=order.pk).status == OrderStatus.PROMISED
        assert promises.count() == int(is_promised)
        promise = promise_order(order=Order.objects.get(pk=order.pk), method_code="cash", actor=order.payer)
        assert promises.get() == promise
        assert promise.status == PromiseStatus.PROMISED
        assert Message.objects.filter(dedupe_key=f"promised:{promise.pk}").count() == 1

    at_each_write(make, check)


def test_receiving_what_was_promised(clerk: User) -> None:
    """Received and delivered, or still owed: then the clerk takes it again, once."""
    promise: Promise

    def receive() -> None:
        receive_promise(promise=promise, actor=clerk, amount=promise.order.due, tender="cash")
        finish_order(promise.order_id)

    def make() -> Deed:
        nonlocal promise
        order = order_one()
        promise = promise_order(order=order, method_code="cash", actor=order.payer)
        return receive

    def check() -> None:
        promise.refresh_from_db()
        if promise.status == PromiseStatus.PROMISED:
            assert not promise.order.payments.exists()
            receive()
        assert state_of(promise.order) == DELIVERED
        payment = promise.order.payments.get()
        assert (payment.status, payment.received_amount) == (PaymentStatus.APPROVED, promise.order.total)

    at_each_write(make, check)


def test_deciding_about_a_deposit(clerk: User) -> None:
    """Decided with its money sent once, or held as it was."""
    deposit: Deposit

    def make() -> Deed:
        nonlocal deposit
        deposit = hold_deposit(clerk)
        return lambda: decide_deposit(deposit=deposit, returned=Decimal("15.00"), actor=clerk, reason="Scratched")

    def check() -> None:
        deposit.refresh_from_db()
        refunds = Refund.objects.filter(line=deposit.line)
        if deposit.status == DepositStatus.HELD:
            assert not refunds.exists()
            return
        assert (deposit.returned_amount, deposit.kept_amount) == (Decimal("15.00"), Decimal("25.00"))
        assert (refunds.get().status, refunds.get()) == (RefundStatus.SUCCEEDED, deposit.refund)
        assert BankRefund.objects.filter(key=deposit.refund.reference).count() == 1

    at_each_write(make, check)


def hold_deposit(clerk: User) -> Deposit:
    """Return a tag's deposit of $40.00 that was paid."""
    person = make_buyer()[0]
    deposit = ask_deposit(person=person, kind=DepositKind.TAG, amount=Decimal("40.00"), actor=clerk)
    order = place_order(payer=person, selection={"deposit": [deposit.pk]}, email="m@example.org", language="en")
    payment = go_to_bank(order)
    pay_at_bank(payment)
    confirm_payment(payment)
    return Deposit.objects.get(pk=deposit.pk)


@pytest.mark.parametrize("takes_back", [True, False])
def test_reversing_a_payment(clerk: User, takes_back: bool) -> None:
    """The money is gone and the permit with it, or owed again; or all is as it was. No bank is asked to send any."""
    payment: Payment

    def make() -> Deed:
        nonlocal payment
        payment = go_to_bank(order_one())
        pay_at_bank(payment)
        confirm_payment(payment)
        return lambda: reverse_payment(
            payment=payment, reason=RefundReason.DISPUTED, actor=clerk, takes_back=takes_back
        )

    def check() -> None:
        state = state_of(payment.order)
        debts = Debt.objects.filter(order=payment.order)
        if not payment.refunds.exists():
            assert state == DELIVERED
            assert not debts.exists()
            return
        assert payment.refunds.get().amount == payment.amount
        taken = (OrderStatus.PAID, LineStatus.REFUNDED, PermitStatus.CANCELLED)
        assert state == (taken if takes_back else DELIVERED)
        assert debts.count() == int(not takes_back)
        assert not BankRefund.objects.filter(key=payment.refunds.get().reference).exists()

    at_each_write(make, check)
