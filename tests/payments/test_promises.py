"""A promise to bring the money: made, kept, called off, overtaken, or not kept; what it bought waits with it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from opscom.core.errors import NotAllowed
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from opscom.provider.models import Holiday
from opscom.provider.selectors import local_date, start_of_day
from payments.invariants import check_books
from payments.models import (
    COUNTER,
    Debt,
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
)
from payments.selectors import list_due
from payments.services.attempts import start_payment
from payments.services.confirming import confirm_payment
from payments.services.promising import (
    bounce_promise,
    cancel_promise,
    close_due_promise,
    promise_order,
    promises_to_close,
    promises_to_remind,
    receive_promise,
    remind_of_promise,
)
from payments.services.settling import finish_order
from payments.tasks import close_promises
from tests.factories.payments import offer_method, place_thing
from tests.factories.peers import approved
from tests.factories.permits import make_buyer
from tests.factories.vehicles import set_provider

pytestmark = pytest.mark.django_db
MONDAY = dt.datetime(2027, 3, 1, 15, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def cash(gateway, product):
    return offer_method(kind=MethodKind.PROMISE, code="cash", days_to_pay=7)


def place(*things: int, payer=None, **options) -> Order:
    payer = payer or make_buyer()[0]
    return place_thing(*things, payer=payer, **options)


def promise(order: Order, **options) -> Promise:
    return promise_order(order=order, method_code="cash", actor=order.payer, **options)


def receive(given: Promise, clerk, amount: str = "100.00", **options) -> Payment:
    payment = receive_promise(
        promise=given, actor=clerk, amount=Decimal(amount), **{"tender": "cash", "reference": "R-1", **options}
    )
    finish_order(given.order_id)
    return payment


def mails(name: str) -> int:
    return Message.objects.filter(template=f"payments/{name}").count()


def test_a_promise_keeps_the_things_until_the_last_day(product):
    given = promise(place(1, 2))
    assert given.order.status == OrderStatus.PROMISED
    assert given.get_status_display() == "Paid but not Processed"
    assert sorted(product.promised) == [1, 2]
    assert product.delivered == []
    assert given.pay_by == start_of_day(given.last_day + dt.timedelta(days=1))
    assert mails("promised") == 1
    assert [*check_books()] == []


def test_the_rows_are_locked_and_say_until_when():
    given = promise(place(1))
    [row] = list_due(given.order.payer)
    assert not row.is_ticked
    assert row.quote.lock_reason.startswith("Paid but not Processed: bring the money to the office until")
    with pytest.raises(NotAllowed, match="You promised to bring the money"):
        place(1, payer=given.order.payer)


def test_a_second_click_finds_the_first_promise(product):
    order = place(1)
    assert promise(order) == promise(order)
    assert product.promised == [1]
    assert mails("promised") == 1


def test_the_last_day_is_one_on_which_the_office_is_open():
    set_provider(office_weekdays=[0, 1, 2, 3, 4], time_zone="UTC")
    offer_method(kind=MethodKind.PROMISE, code="cash", days_to_pay=5)
    assert promise(place(1), now=MONDAY).last_day == dt.date(2027, 3, 8), "the fifth day is a Saturday"
    Holiday.objects.create(on=dt.date(2027, 3, 8), name={"en": "Day off"})
    assert promise(place(2), now=MONDAY).last_day == dt.date(2027, 3, 9)


def test_a_thing_that_ends_before_sets_the_last_day(product):
    set_provider(time_zone="UTC")
    product.quote_facts = {"promise_before": MONDAY + dt.timedelta(hours=30)}
    assert promise(place(1), now=MONDAY).pay_by == MONDAY + dt.timedelta(hours=30)


def test_without_an_office_day_left_nothing_is_promised(product):
    set_provider(office_weekdays=[0], time_zone="UTC")
    product.quote_facts = {"promise_before": MONDAY + dt.timedelta(days=4)}
    with pytest.raises(NotAllowed, match="does not open in time"):
        promise(place(1), now=MONDAY + dt.timedelta(days=1))


def test_what_must_be_paid_at_once_is_not_promised(product):
    product.quote_facts = {"is_payable_by_promise": False}
    with pytest.raises(NotAllowed, match="only be paid online"):
        promise(place(1))
    assert not Promise.objects.exists()


def test_an_unproved_address_promises_nothing(unproved_resident):
    with pytest.raises(NotAllowed, match="promise to pay later"):
        promise(place(1, payer=unproved_resident))


def test_a_guest_promises_nothing():
    with pytest.raises(NotAllowed, match="not offered"):
        promise(place_thing(1, payer=None))


def test_a_method_of_another_kind_is_no_promise():
    order = place(1)
    with pytest.raises(NotAllowed, match="not offered"):
        promise_order(order=order, method_code="scripted", actor=order.payer)
    with pytest.raises(NotAllowed, match="not offered"):
        start_payment(order=order, method_code="cash")


def test_the_money_is_received(product, clerk):
    given = promise(place(1, 2))
    payment = receive(given, clerk, "200.00", tender="cheque", reference="No. 17")
    given.refresh_from_db()
    assert (given.status, given.received_by, given.reference) == (PromiseStatus.RECEIVED, clerk, "No. 17")
    assert (payment.gateway, payment.recorded_by, payment.status) == (COUNTER, clerk, PaymentStatus.APPROVED)
    assert product.delivered == [1, 2]
    assert Order.objects.get().status == OrderStatus.PAID
    assert mails("receipt") == 1
    assert AuditEntry.objects.get(action="promise.received").actor == clerk
    assert [*check_books()] == []


@pytest.mark.parametrize("amount", ["0", "-100", "99.99", "100.01", "1e9", "NaN"])
def test_only_the_whole_sum_counts(clerk, amount):
    given = promise(place(1))
    with pytest.raises(NotAllowed, match="exactly what is due"):
        receive(given, clerk, amount)
    assert not Payment.objects.exists()
    assert Promise.objects.get().status == PromiseStatus.PROMISED


def test_money_is_received_once(clerk):
    given = promise(place(1))
    receive(given, clerk)
    with pytest.raises(NotAllowed, match="already paid"):
        receive(given, clerk)
    assert Payment.objects.count() == 1


def test_called_off_by_its_payer(product):
    given = promise(place(1))
    cancel_promise(promise=given, actor=given.order.payer)
    assert product.ended == [1]
    assert Order.objects.get().status == OrderStatus.CLOSED
    assert mails("promise_cancelled") == 1
    assert list_due(given.order.payer) == []
    with pytest.raises(NotAllowed, match="over already"):
        cancel_promise(promise=given, actor=given.order.payer)


def test_money_for_what_was_called_off_is_not_taken(clerk):
    given = promise(place(1))
    cancel_promise(promise=given, actor=clerk, note="Sold by mistake")
    with pytest.raises(NotAllowed, match="promise is over"):
        receive(given, clerk)


def test_it_lapses_after_the_last_day(product):
    given = promise(place(1))
    assert promises_to_close(given.pay_by - dt.timedelta(seconds=1)) == []
    close_due_promise(given.pk, given.pay_by - dt.timedelta(seconds=1))
    assert Promise.objects.get().status == PromiseStatus.PROMISED
    Promise.objects.update(pay_by=timezone.now())
    close_promises()
    close_promises()
    assert Promise.objects.get().status == PromiseStatus.LAPSED
    assert Order.objects.get().status == OrderStatus.CLOSED
    assert product.ended == [1]
    assert mails("promise_lapsed") == 1
    assert [*check_books()] == []


def test_money_that_comes_late_is_still_money(product, clerk):
    given = promise(place(1))
    close_due_promise(given.pk, given.pay_by)
    receive(given, clerk)
    assert product.delivered == [1]
    assert Promise.objects.get().status == PromiseStatus.RECEIVED
    assert [*check_books()] == []


def test_money_that_comes_too_late_for_the_thing_is_owed_back(product, clerk):
    from opscom.core.errors import Refused

    given = promise(place(1))
    close_due_promise(given.pk, given.pay_by)
    product.outcomes = [Refused("gone", "It is gone.")]
    receive(given, clerk)
    refund = Refund.objects.get()
    assert (refund.reason, refund.amount) == (RefundReason.NOT_AVAILABLE, Decimal("100.00"))


def test_paid_online_instead(gateway, product):
    given = promise(place(1))
    start_payment(order=given.order, method_code="scripted")
    gateway.answers = [approved("100.00")]
    confirm_payment(Payment.objects.get())
    assert Promise.objects.get().status == PromiseStatus.PAID_OTHERWISE
    assert product.delivered == [1]
    assert product.ended == []
    assert [*check_books()] == []


def test_a_card_that_comes_after_the_cash_goes_back(gateway, clerk):
    given = promise(place(1))
    start_payment(order=given.order, method_code="scripted")
    receive(given, clerk)
    gateway.answers = [approved("100.00")]
    confirm_payment(Payment.objects.get(gateway="scripted"))
    refund = Refund.objects.get()
    assert (refund.payment.gateway, refund.reason) == ("scripted", RefundReason.PAID_TWICE)
    assert [*check_books()] == []


def test_a_card_of_an_older_order_overtakes_the_promise(gateway, product):
    """The payer was at the bank with the thing, went back, and promised it in a new order; then the bank says yes."""
    older = place(1)
    start_payment(order=older, method_code="scripted")
    given = promise(place(1, 2, payer=older.payer))
    gateway.answers = [approved("100.00")]
    confirm_payment(Payment.objects.get())
    assert promises_to_close() == [], "the second thing is still promised"
    cancel_promise(promise=given, actor=older.payer)
    assert product.ended == [2], "what is paid for is not taken away"


def test_a_promise_of_which_everything_is_paid_elsewhere_closes(gateway, product):
    older = place(1)
    start_payment(order=older, method_code="scripted")
    promise(place(1, payer=older.payer, email="other@example.org"))
    gateway.answers = [approved("100.00")]
    confirm_payment(Payment.objects.get())
    close_promises()
    assert Promise.objects.get().status == PromiseStatus.PAID_OTHERWISE
    assert product.ended == []
    assert mails("promise_lapsed") == 0


def test_a_cheque_that_bounces_is_owed_again(product, clerk):
    given = promise(place(1))
    receive(given, clerk, tender="cheque")
    bounce_promise(promise=given, actor=clerk, takes_back=False, note="No funds")
    assert Promise.objects.get().status == PromiseStatus.BOUNCED
    assert Debt.objects.get().amount == Decimal("100.00")
    assert product.released == []
    assert mails("promise_bounced") == 1
    assert [*check_books()] == []


def test_a_cheque_that_bounces_takes_back_what_it_bought(product, clerk):
    given = promise(place(1))
    receive(given, clerk, tender="cheque")
    bounce_promise(promise=given, actor=clerk, takes_back=True)
    assert product.released == [1]
    assert OrderLine.objects.get().status == LineStatus.REFUNDED
    assert not Debt.objects.exists()
    assert [*check_books()] == []
    with pytest.raises(NotAllowed, match="Only a cheque"):
        bounce_promise(promise=given, actor=clerk, takes_back=True)


def test_cash_does_not_bounce(clerk):
    given = promise(place(1))
    with pytest.raises(NotAllowed, match="Only a cheque"):
        bounce_promise(promise=given, actor=clerk, takes_back=False)
    receive(given, clerk)
    with pytest.raises(NotAllowed, match="Only a cheque"):
        bounce_promise(promise=given, actor=clerk, takes_back=False)


def test_who_breaks_two_promises_pays_online(clerk):
    payer = make_buyer()[0]
    for thing in (1, 2):
        given = promise(place(thing, payer=payer))
        close_due_promise(given.pk, given.pay_by)
    order = place(3, payer=payer)
    with pytest.raises(NotAllowed, match="not kept"):
        promise(order)
    Promise.objects.update(closed_at=timezone.now() - dt.timedelta(days=91))
    assert promise(order)


def test_calling_off_oneself_counts_and_the_office_does_not(clerk):
    payer = make_buyer()[0]
    for thing in (1, 2):
        cancel_promise(promise=promise(place(thing, payer=payer)), actor=clerk)
    for thing in (3, 4):
        cancel_promise(promise=promise(place(thing, payer=payer)), actor=payer)
    with pytest.raises(NotAllowed, match="not kept"):
        promise(place(5, payer=payer))


def test_it_is_recalled_once_two_days_before():
    given = promise(place(1))
    Promise.objects.update(created_at=timezone.now() - dt.timedelta(days=3))
    assert promises_to_remind(given.pay_by - dt.timedelta(days=2, seconds=1)) == []
    assert promises_to_remind(given.pay_by) == [], "too late"
    assert promises_to_remind(given.pay_by - dt.timedelta(days=2)) == [given.pk]
    remind_of_promise(given.pk)
    remind_of_promise(given.pk)
    assert mails("promise_reminder") == 1
    assert promises_to_remind(given.pay_by - dt.timedelta(days=1)) == []


def test_a_promise_of_today_is_not_recalled_at_once():
    promise(place(1))
    Promise.objects.update(pay_by=timezone.now() + dt.timedelta(days=1))
    assert promises_to_remind() == []


def test_the_day_is_the_providers():
    set_provider(time_zone="America/Vancouver")
    given = promise(place(1))
    assert given.last_day >= local_date() + dt.timedelta(days=7)
    assert given.pay_by == start_of_day(given.last_day + dt.timedelta(days=1))
