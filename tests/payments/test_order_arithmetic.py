"""Whatever the office does to an order, and in whatever order: sums never go below nothing, and always add up."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Max
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from opscom.core.errors import DomainError
from payments import tasks
from payments.gateways.base import GatewayError, Result
from payments.invariants import check_books
from payments.models import Order, OrderLine, Payment, Refund, RefundReason, RefundStatus
from payments.services.adjusting import adjust_line
from payments.services.attempts import start_payment
from payments.services.confirming import confirm_payment
from payments.services.promising import promise_order
from payments.services.refunding import approve_refund, refund_line, withdraw_refund
from payments.services.refunds import retry_refund
from payments.services.reversals import reverse_payment
from tests.factories.accounts import make_user
from tests.factories.payments import offer_method, place_thing
from tests.factories.peers import approved
from tests.factories.vehicles import set_provider

pytestmark = pytest.mark.django_db
CENTS = st.integers(1, 15_000).map(lambda cents: Decimal(cents) / 100)
THING = st.integers(0, 2)
ANSWERS = st.sampled_from(
    [
        Result(status="approved", gateway_reference="r"),
        Result(status="declined", message="No"),
        Result(status="pending", gateway_reference="r"),
        GatewayError("away"),
    ]
)
DEED = st.one_of(
    st.tuples(st.just("adjust"), THING, CENTS, st.booleans()),
    st.tuples(st.just("refund"), THING, st.one_of(st.none(), CENTS)),
    st.tuples(st.just("send"), ANSWERS),
    st.tuples(st.just("pay")),
    st.tuples(st.just("reverse"), st.booleans()),
    st.tuples(st.just("decide"), st.booleans()),
    st.tuples(st.just("retry")),
)


class Desk:
    """An order of three things, somebody who pays it, and two people of the office who do what they may."""

    def __init__(self, order: Order, gateway: Any, people: tuple[User, User]) -> None:
        self.order, self.gateway, (self.first, self.second) = order, gateway, people

    def adjust(self, thing: int, amount: Decimal, is_less: bool) -> None:
        line = self.order.lines.order_by("object_id")[thing]
        adjust_line(line=line, amount=-amount if is_less else amount, reason="Because", actor=self.first)

    def refund(self, thing: int, amount: Decimal | None) -> None:
        refund_line(line=self.order.lines.order_by("object_id")[thing], amount=amount, actor=self.first)

    def send(self, answer: Any) -> None:
        self.gateway.refunds = self.gateway.refund_answers = [answer]
        Refund.objects.update(next_try_at=None)
        tasks.send_refunds()

    def pay(self) -> None:
        order = Order.objects.get(pk=self.order.pk)
        start_payment(order=order, method_code="scripted")
        self.gateway.answers = [approved(str(order.due))]
        confirm_payment(order.payments.order_by("-pk")[0])

    def reverse(self, takes_back: bool) -> None:
        payment = self.order.payments.order_by("pk")[0]
        reverse_payment(payment=payment, reason=RefundReason.BOUNCED, actor=self.first, takes_back=takes_back)

    def decide(self, is_yes: bool) -> None:
        refund = Refund.objects.filter(status=RefundStatus.PROPOSED).order_by("pk")[0]
        if is_yes:
            approve_refund(refund=refund, actor=self.second)
        else:
            withdraw_refund(refund=refund, actor=self.second, note="No")

    def retry(self) -> None:
        retry_refund(refund=Refund.objects.filter(status=RefundStatus.FAILED).order_by("pk")[0], actor=self.first)


def look(order: Order) -> None:
    """The books say nothing, and no sum is below nothing or beyond what came in."""
    assert [*check_books()] == []
    for line in OrderLine.objects.filter(order=order):
        assert 0 <= line.returned <= line.due
    for payment in Payment.objects.filter(order=order, status="approved"):
        live = Refund.objects.filter(payment=payment).exclude(status__in=["failed", "withdrawn"])
        assert sum(refund.amount for refund in live) == payment.returned <= payment.received_amount


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prices=st.lists(CENTS, min_size=3, max_size=3),
    percents=st.lists(st.sampled_from(["5.000", "9.975", "13.000"]), max_size=2),
    limit=st.one_of(st.none(), CENTS),
    frees=st.sampled_from(["whole", "always", "never"]),
    deeds=st.lists(DEED, max_size=12),
)
def test_sums_add_up_after_any_deeds(gateway, product, clerk, administrator, prices, percents, limit, frees, deeds):
    offer_method(kind="promise")
    set_provider(refund_second_person_above=limit, refund_frees=frees)
    # Things of its own: examples share one database.
    first = OrderLine.objects.aggregate(most=Max("object_id"))["most"] or 0
    product.prices = dict(enumerate(prices, first + 1))
    product.percents = percents
    order = place_thing(*product.prices, payer=make_user())
    promise_order(order=order, method_code="promise", actor=order.payer)
    desk = Desk(order, gateway, (clerk, administrator))
    for name, *values in deeds:
        with suppress(DomainError, IndexError):
            getattr(desk, name)(*values)
        look(order)
