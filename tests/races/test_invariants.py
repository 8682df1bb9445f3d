"""`check_invariants` names each wrong state that the database lets in, and is silent about every right one."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from payments.models import GatewayEvent, Order, OrderLine, Payment, Refund
from payments.services.confirming import confirm_payment
from payments.services.refunding import refund_line
from permits.models import Permit, Slot
from tests.factories.payments import go_to_bank, order_permit, pay_at_bank
from tests.factories.permits import lapse_hold, make_sale, offer_demo_bank, reserve
from tests.races.together import assert_books_and_numbers_are_right

pytestmark = pytest.mark.django_db
NOW = timezone.now()
OLD = NOW - dt.timedelta(days=9)


@pytest.fixture
def history() -> dict[str, int]:
    """One of each: paid, at the bank, late and refunded, paid twice, given back by the office, only reserved."""
    offer_demo_bank()
    sale = make_sale(numbers=9)

    def pay(permit: Permit) -> Payment:
        payment = go_to_bank(order_permit(permit))
        pay_at_bank(payment)
        confirm_payment(payment)
        return payment

    reserved, at_bank = reserve(sale), go_to_bank(order_permit(reserve(sale)))
    paid = pay(reserve(sale))
    small = make_sale(numbers=1)
    late_permit = reserve(small)
    late = go_to_bank(order_permit(late_permit))
    pay_at_bank(late)
    lapse_hold(late_permit)
    reserve(small)
    confirm_payment(late)
    start_twice = order_permit(reserve(sale))
    for payment in [go_to_bank(start_twice), go_to_bank(start_twice)]:
        pay_at_bank(payment)
        confirm_payment(payment)
    office = pay(reserve(sale))
    refund_line(line=office.order.lines.get(), actor=reserved.holder)
    return {
        "reserved": reserved.pk,
        "active": paid.order.lines.get().object_id,
        "at_bank": at_bank.pk,
        "paid": paid.pk,
        "second": payment.pk,
        "late": late.pk,
    }


def test_all_that_is_right_is_right(history):
    assert_books_and_numbers_are_right()


def line_of(h: dict[str, int], name: str) -> object:
    return OrderLine.objects.filter(order__payments=h[name])


def order_of(h: dict[str, int], name: str) -> object:
    return Order.objects.filter(payments=h[name])


def refund_of(h: dict[str, int], name: str) -> object:
    return Refund.objects.filter(payment=h[name])


SUCCEEDED = {"status": "succeeded", "succeeded_at": NOW}
# What is planted, and a word of the sentence that must name it.
WRONG: dict[str, tuple[Callable[[dict[str, int]], object], str]] = {
    "order total": (lambda h: order_of(h, "paid").update(net=7, tax=0, total=7), "total 7"),
    "order tax": (lambda h: order_of(h, "paid").update(net=99, tax=1, total=100), "total 100"),
    "paid without payment": (lambda h: order_of(h, "at_bank").update(status="paid", paid_at=NOW), "without a payment"),
    "open line": (lambda h: line_of(h, "paid").update(settled=False, status="open"), "still open"),
    "settled unpaid": (lambda h: line_of(h, "at_bank").update(settled=True, status="settled"), "is not paid"),
    "finished early": (lambda h: line_of(h, "paid").update(status="needs_review"), "called finished"),
    "lost delivery": (
        lambda h: (order_of(h, "paid").update(paid_at=OLD), line_of(h, "paid").update(status="settled")),
        "paid hours ago",
    ),
    "asked another sum": (lambda h: Payment.objects.filter(pk=h["at_bank"]).update(amount=7), "not for the sum"),
    "asked another currency": (
        lambda h: Payment.objects.filter(pk=h["at_bank"]).update(currency="XXX"),
        "not for the sum",
    ),
    "second payment kept": (
        lambda h: (
            refund_of(h, "second").update(status="withdrawn"),
            Payment.objects.filter(pk=h["second"]).update(returned=0),
        ),
        "0.00 kept, 0.00 back",
    ),
    "given back without a refund": (lambda h: refund_of(h, "second").delete(), "counted as given back, refunds of 0"),
    "line refunded for nothing": (lambda h: line_of(h, "late").update(status="refunded"), "no refund succeeded"),
    "line owed, no refund": (lambda h: refund_of(h, "late").delete(), "has no refund"),
    "refund of another sum": (lambda h: refund_of(h, "late").update(amount=7), "refunds of 7.00"),
    "refund beyond": (lambda h: refund_of(h, "second").update(amount=700), "700.00 back"),
    "refund of another order": (
        lambda h: refund_of(h, "late").update(payment=h["paid"]),
        "gives the money of one order",
    ),
    "refunded line owed": (lambda h: refund_of(h, "late").update(**SUCCEEDED), "not called refunded"),
    "kept and refunded": (
        lambda h: line_of(h, "late").update(settled=True, status="fulfilled"),
        "still held",
    ),
    "nobody asks": (lambda h: Payment.objects.filter(pk=h["at_bank"]).update(next_check_at=None), "nobody will ask"),
    "asked late": (lambda h: Payment.objects.filter(pk=h["at_bank"]).update(next_check_at=OLD), "hours ago"),
    "silent gateway": (lambda h: Payment.objects.filter(pk=h["at_bank"]).update(created_at=OLD), "for days"),
    "refund stuck": (
        lambda h: refund_of(h, "late").update(status="sending", leased_until=OLD),
        "should have been sent",
    ),
    "refund forgotten": (lambda h: refund_of(h, "late").update(created_at=OLD), "should have been sent"),
    "event forgotten": (
        lambda h: (
            GatewayEvent.objects.create(gateway="x", event_id="y") and GatewayEvent.objects.update(received_at=OLD)
        ),
        "waited for hours",
    ),
    "live without number": (
        lambda h: Slot.objects.filter(permit=h["active"]).update(permit=None, state="free"),
        "has no number",
    ),
    "over with number": (
        lambda h: Permit.objects.filter(pk=h["reserved"]).update(status="lapsed", closed_at=NOW),
        "still has a number",
    ),
    "one number twice": (
        lambda h: Permit.objects.filter(pk=h["reserved"]).update(number=Permit.objects.get(pk=h["active"]).number),
        "two live permits",
    ),
    "one number in two sales": (
        lambda h: Permit.objects.filter(pk=h["reserved"]).update(
            number=Permit.objects.get(pk=h["active"]).number, sale=make_sale()
        ),
        "two live permits",
    ),
    "held but active": (lambda h: Slot.objects.filter(permit=h["active"]).update(state="held"), "its permit is not"),
    "taken but reserved": (
        lambda h: Slot.objects.filter(permit=h["reserved"]).update(state="taken"),
        "its permit is not",
    ),
    "slot of another number": (
        lambda h: Slot.objects.filter(permit=h["active"]).update(number="other"),
        "another number or sale",
    ),
    "slot of another sale": (
        lambda h: Slot.objects.filter(permit=h["active"]).update(sale=make_sale()),
        "another number or sale",
    ),
    "paid and cancelled": (
        lambda h: (
            Permit.objects.filter(pk=h["active"]).update(status="cancelled", closed_at=NOW),
            Slot.objects.filter(permit=h["active"]).update(permit=None, state="free"),
        ),
        "paid and delivered, but",
    ),
    "active for nothing": (lambda h: line_of(h, "paid").update(object_id=0), "nobody paid"),
    "overdue hold": (lambda h: Permit.objects.filter(pk=h["reserved"]).update(held_until=OLD), "ran out hours ago"),
    "overdue end": (
        lambda h: Permit.objects.filter(pk=h["active"]).update(valid_from=OLD - dt.timedelta(days=1), valid_until=OLD),
        "dates are over",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_state_is_named(history, name):
    from payments.invariants import check_books
    from permits.invariants import check_permits

    plant, words = WRONG[name]
    plant(history)
    found = [*check_books(), *check_permits()]
    assert any(words in sentence for sentence in found), found


IMPOSSIBLE = {
    "settled twice": lambda h: line_of(h, "late").update(
        settled=True, status="fulfilled", object_id=line_of(h, "paid").get().object_id
    ),
    "settled and open": lambda h: line_of(h, "paid").update(status="open"),
    "paid at no time": lambda h: order_of(h, "paid").update(paid_at=None),
    "finished and open": lambda h: order_of(h, "at_bank").update(finished_at=NOW),
    "sum differs, nobody told": lambda h: Payment.objects.filter(pk=h["paid"]).update(received_amount=7),
    "currency differs, nobody told": lambda h: Payment.objects.filter(pk=h["paid"]).update(received_currency="XXX"),
    "approved without money": lambda h: Payment.objects.filter(pk=h["paid"]).update(received_amount=None),
    "payment of nothing": lambda h: Payment.objects.filter(pk=h["at_bank"]).update(amount=0),
    "refund of nothing": lambda h: refund_of(h, "late").update(amount=0),
    "refund below nothing": lambda h: refund_of(h, "late").update(amount=-1),
    "more back than a line cost": lambda h: line_of(h, "late").update(returned=101),
    "more back than a payment brought": lambda h: Payment.objects.filter(pk=h["late"]).update(returned=101),
    "returns below nothing": lambda h: line_of(h, "late").update(returned=-1),
    "a second person who is the first": lambda h: refund_of(h, "late").update(
        requested_by=User.objects.first(), approved_by=User.objects.first()
    ),
    "two open orders of one payer": lambda h: Order.objects.create(
        payer=order_of(h, "at_bank").get().payer, language="en", currency="CAD", net=0, tax=0, total=0
    ),
    "one event twice": lambda h: [
        GatewayEvent.objects.create(gateway="x", event_id="y", reference="z") for _time in range(2)
    ],
    "one thing twice in an order": lambda h: OrderLine.objects.create(
        order=order_of(h, "paid").get(), kind="permit", object_id=h["active"], label="x", net=0, tax=0, amount=0
    ),
    "one reference twice": lambda h: Payment.objects.filter(pk=h["at_bank"]).update(
        reference=Payment.objects.get(pk=h["paid"]).reference
    ),
    "one number twice in a sale": lambda h: Slot.objects.filter(permit=h["active"]).update(
        number=Slot.objects.get(permit=h["reserved"]).number
    ),
    "unknown status": lambda h: Order.objects.update(status="lost"),
    "held by nobody": lambda h: Slot.objects.filter(permit=h["active"]).update(permit=None),
    "free and somebody's": lambda h: Slot.objects.filter(permit=h["active"]).update(state="free"),
    "one permit, two numbers": lambda h: Slot.objects.filter(permit=None).update(permit=h["active"], state="taken"),
    "past the limit": lambda h: Permit.objects.filter(pk=h["reserved"]).update(
        holder=Permit.objects.get(pk=h["active"]).holder
    ),
    "reserved without end": lambda h: Permit.objects.filter(pk=h["reserved"]).update(held_until=None),
    "over at no time": lambda h: Permit.objects.filter(pk=h["reserved"]).update(status="lapsed"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_the_database_itself_refuses(history, name):
    with pytest.raises(IntegrityError):
        run_whole(lambda: IMPOSSIBLE[name](history))


def run_whole(deed: Callable[[], object]) -> None:
    """Do it, and let deferred constraints look at it, too."""
    with transaction.atomic():
        deed()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.races
@pytest.mark.django_db(transaction=True)
def test_the_command_ends_with_an_error_and_names_it(capsys):
    offer_demo_bank()
    permit = reserve(make_sale())
    call_command("check_invariants")
    Permit.objects.filter(pk=permit.pk).update(number="other")
    with pytest.raises(CommandError):
        call_command("check_invariants")
    assert "other" not in capsys.readouterr().out
