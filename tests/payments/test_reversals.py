"""A payment that counted and has not come after all: its money is gone from the books, and somebody owes it again."""

from decimal import Decimal

import pytest
from django.urls import reverse as url_of

from opscom.core.errors import NotAllowed
from opscom.messaging.models import Message
from payments import tasks
from payments.gateways.base import Event, Result
from payments.invariants import check_books
from payments.models import Debt, DebtStatus, LineStatus, OrderLine, Payment, Refund, RefundReason, RefundStatus
from payments.selectors import list_due
from payments.services.adjusting import adjust_line
from payments.services.attempts import start_payment
from payments.services.confirming import confirm_payment, handle_event, keep_event
from payments.services.debts import write_off_debt
from payments.services.orders import place_order
from payments.services.refunding import refund_line
from payments.services.reversals import reverse_payment
from payments.tax_sums import split_tax
from tests.factories.payments import place_thing
from tests.factories.peers import approved
from tests.factories.vehicles import set_provider

pytestmark = pytest.mark.django_db


def pay_things(gateway, *things: int, payer="new") -> Payment:
    order = place_thing(*things, payer=payer)
    start_payment(order=order, method_code="scripted")
    gateway.answers = [approved(str(order.due))]
    payment = order.payments.get()
    confirm_payment(payment)
    return payment


def reverse(payment: Payment, actor, **options) -> list[Refund]:
    given = {"reason": RefundReason.BOUNCED, "takes_back": False, **options}
    return reverse_payment(payment=payment, actor=actor, **given)


def test_the_debt_stands_again_and_can_be_paid(gateway, product, clerk):
    payment = pay_things(gateway, 1, 2)
    person = payment.order.payer
    reverse(payment, clerk)
    assert [row.quote.kind for row in list_due(person)] == ["debt", "debt"]
    assert {r.status for r in payment.refunds.all()} == {RefundStatus.SUCCEEDED}
    assert not gateway.refund_keys, "no gateway is asked to send anything"
    assert product.released == [], "what was bought is kept"
    assert [*check_books()] == []
    debts = list(Debt.objects.values_list("pk", flat=True))
    order = place_order(payer=person, selection={"debt": debts}, email="a@example.org", language="en")
    start_payment(order=order, method_code="scripted")
    gateway.answers = [approved(str(order.due))]
    confirm_payment(order.payments.get())
    assert set(Debt.objects.values_list("status", flat=True)) == {DebtStatus.PAID}
    assert list_due(person) == []
    assert [*check_books()] == []


def test_what_was_bought_is_taken_back(gateway, product, clerk):
    payment = pay_things(gateway, 1)
    reverse(payment, clerk, takes_back=True)
    assert product.released == [1]
    assert OrderLine.objects.get().status == LineStatus.REFUNDED
    assert not Debt.objects.exists()
    assert [*check_books()] == []


def test_only_what_has_not_gone_back_is_reversed(gateway, product, clerk):
    payment = pay_things(gateway, 1, 2)
    refund_line(line=payment.order.lines.get(object_id=1), actor=clerk)
    [refund] = reverse(payment, clerk)
    assert (refund.amount, refund.line.object_id) == (Decimal("100.00"), 2)
    assert Debt.objects.get().amount == Decimal("100.00")
    with pytest.raises(NotAllowed):
        reverse(payment, clerk)
    assert [*check_books()] == []


def test_nobody_owes_for_a_guest(gateway, product, clerk):
    from tests.factories.payments import offer_method

    offer_method("scripted", is_for_guests=True)
    payment = pay_things(gateway, 1, payer=None)
    with pytest.raises(NotAllowed):
        reverse(payment, clerk)
    assert not Refund.objects.exists()
    reverse(payment, clerk, takes_back=True)
    assert [*check_books()] == []


def test_a_written_off_debt_is_not_paid_any_more(gateway, product, clerk):
    payment = pay_things(gateway, 1)
    reverse(payment, clerk)
    debt = Debt.objects.get()
    order = place_order(payer=debt.person, selection={"debt": [debt.pk]}, email="a@example.org", language="en")
    start_payment(order=order, method_code="scripted")
    write_off_debt(debt=debt, actor=clerk, note="Our mistake.")
    with pytest.raises(NotAllowed):
        write_off_debt(debt=debt, actor=clerk, note="Again.")
    gateway.answers = [approved(str(order.due))]
    confirm_payment(order.payments.get())
    assert order.lines.get().status == LineStatus.REFUND_DUE, "the money that came late goes back"
    assert [*check_books()] == []


@pytest.mark.parametrize("amount", ["100.00", "113.00", "0.01", "-56.50", "99.99"])
def test_a_sum_is_split_to_the_cent(amount):
    taxes = [
        {"name": "GST", "number": "1", "percent": "5.000"},
        {"name": "QST", "number": "2", "percent": "9.975"},
    ]
    net, parts = split_tax(Decimal(amount), taxes)
    assert net + sum(part.amount for part in parts) == Decimal(amount)
    assert (net >= 0) == (Decimal(amount) >= 0)


def test_a_report_about_a_done_refund_is_asked_until_there_is_an_answer(gateway, product, clerk):
    payment = pay_things(gateway, 1)
    refund = refund_line(line=payment.order.lines.get(), actor=clerk)
    tasks.send_refunds()
    gateway.refund_answers = [Result(status="unknown"), Result(status="declined", message="Account closed")]
    event = keep_event(gateway_code="scripted", event=Event("e-1", refund.reference, "refund"), body=b"{}")
    handle_event(event.pk)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED, "the gateway did not answer"
    Refund.objects.update(next_try_at=refund.created_at)
    tasks.send_refunds()
    tasks.send_refunds()
    refund.refresh_from_db()
    assert (refund.status, refund.next_try_at, len(gateway.refund_looks)) == (RefundStatus.FAILED, None, 2)
    assert [*check_books()] == []


def test_receipt_says_what_went_back_and_what_is_only_proposed_is_not_said(gateway, product, clerk, client_of):
    set_provider(refund_second_person_above=Decimal("40.00"))
    payment = pay_things(gateway, 1)
    line = payment.order.lines.get()
    for amount in ("30.00", "25.00"):
        refund_line(line=line, actor=clerk, amount=Decimal(amount))
    client = client_of(payment.order.payer)
    path = url_of("payments:receipt", args=[payment.order.code])
    assert "$30.00 are on their way back to your card." in client.get(path).content.decode()
    tasks.send_refunds()
    text = client.get(path).content.decode()
    assert "$30.00 went back to your card on" in text
    assert "$25.00" not in text
    reverse_payment(payment=payment, reason=RefundReason.DISPUTED, actor=clerk, takes_back=False)
    assert "$45.00 have not come after all" in client.get(path).content.decode()


def test_a_higher_price_is_told(gateway, product, clerk):
    line = pay_things(gateway, 1).order.lines.get()
    adjust_line(line=line, amount=Decimal("12.50"), reason="The wrong type was sold.", actor=clerk)
    shown = Message.objects.get(template="payments/owed_again")
    assert shown.context["amount"].startswith("$12.50")
