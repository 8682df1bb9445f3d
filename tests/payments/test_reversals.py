"""A payment that counted and has not come after all: its money is gone from the books, and somebody owes it again."""

from decimal import Decimal

import pytest

from opscom.core.errors import NotAllowed
from payments.invariants import check_books
from payments.models import Debt, DebtStatus, LineStatus, OrderLine, Payment, Refund, RefundReason, RefundStatus
from payments.rates import split_tax
from payments.selectors import list_due
from payments.services.attempts import start_payment
from payments.services.confirming import confirm_payment
from payments.services.debts import write_off_debt
from payments.services.orders import place_order
from payments.services.refunding import refund_line
from payments.services.reversals import reverse_payment
from tests.factories.payments import place_thing
from tests.factories.peers import approved

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
