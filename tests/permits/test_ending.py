"""Ended before its last day: the number is free, the money goes back by the type's rule, once, and the books are right."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from opscom.core.errors import DomainError, NotAllowed
from opscom.core.models import AuditEntry
from opscom.messaging.models import Message
from opscom.provider.models import Provider
from opscom.provider.selectors import local_date
from payments.models import LineStatus, OrderLine, Refund, RefundReason, RefundStatus
from payments.services.refunding import approve_refund, refund_line
from payments.services.refunds import due_refunds, send_refund
from permits.models import Permit, PermitStatus, Slot, SlotState
from permits.services.ending import can_end_early, end_early, quote_early_end
from tests.factories.permits import begin_days_ago, buy, make_buyer, make_permit_type, make_sale, make_tax, reserve
from tests.races.together import assert_books_and_numbers_are_right

pytestmark = pytest.mark.django_db
TERM = 40


def make_term_sale(**fields):
    """Return a sale of forty days, of which ten are over, at $80.00 a term, by the day, with a fee of $5.00."""
    values = {"price": Decimal("80.00"), "term_kind": "fixed", "proration": "days", "early_end_fee": Decimal("5.00")}
    kind = make_permit_type(**values | {"may_end_early": True} | fields)
    first = local_date() - dt.timedelta(days=10)
    return make_sale(permit_type=kind, valid_from=first, valid_until=first + dt.timedelta(days=TERM))


def test_bought_late_it_costs_its_share_and_says_how(resident):
    permit = reserve(make_term_sale())
    assert permit.net == Decimal("60.00")
    assert permit.price_parts == [
        {"kind": "whole", "amount": "80.00"},
        {"kind": "prorated", "unit": "days", "left": 30, "of": 40, "amount": "60.00"},
    ]


def test_what_goes_back_is_the_rule_backwards_on_what_was_paid_with_its_tax():
    permit = buy(make_term_sale(taxes=[make_tax("13")]))
    money = quote_early_end(permit, timezone.now())
    # $67.80 paid for thirty days; today is used.
    assert (money.paid, money.share.left, money.share.of) == (Decimal("67.80"), 29, 30)
    assert (money.part, money.fee, money.amount) == (Decimal("65.54"), Decimal("5.00"), Decimal("60.54"))

    refund = end_early(permit=permit, actor=permit.holder, shown=Decimal("60.54"))

    permit.refresh_from_db()
    assert permit.status == PermitStatus.ENDED
    assert Slot.objects.get(sale=permit.sale, number=permit.number).state in (SlotState.FREE, SlotState.FOR_LIST)
    assert (refund.amount, refund.status, refund.reason) == (
        Decimal("60.54"),
        RefundStatus.DUE,
        RefundReason.ENDED_EARLY,
    )
    [refund_id] = due_refunds()
    send_refund(refund_id)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SUCCEEDED
    line = OrderLine.objects.get(object_id=permit.pk)
    assert (line.status, line.kept) == (LineStatus.FULFILLED, Decimal("7.26"))
    assert AuditEntry.objects.get(action="permit.ended_early").facts["back"] == "60.54"
    assert Message.objects.get(template="permits/ended_early").context["amount"] == "$60.54"
    assert_books_and_numbers_are_right()


def test_it_ends_once():
    permit = buy(make_term_sale())
    end_early(permit=permit, actor=permit.holder)
    with pytest.raises(NotAllowed):
        end_early(permit=permit, actor=permit.holder)
    assert Refund.objects.count() == 1


def test_another_sum_than_was_shown_is_refused():
    permit = buy(make_term_sale())
    shown = quote_early_end(permit, timezone.now()).amount
    permit.permit_type.early_end_fee = Decimal("9.00")
    permit.permit_type.save()
    with pytest.raises(NotAllowed, match="changed meanwhile: it is"):
        end_early(permit=permit, actor=permit.holder, shown=shown)
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("fields", "days", "left", "of"),
    [
        ({"proration": "none"}, 3, 0, 1),
        ({"proration": "days"}, 3, 29, 33),
        # Sold for one month, begun.
        ({"proration": "months"}, 3, 1, 2),
    ],
)
def test_each_rule(fields, days, left, of):
    permit = begin_days_ago(buy(make_term_sale(**fields)), days)
    money = quote_early_end(permit, timezone.now())
    assert (money.share.left, money.share.of) == (left, of)


def test_before_its_first_day_the_whole_price_comes_back_less_the_fee():
    permit = buy(make_term_sale(proration="none"))
    tomorrow = timezone.now() + dt.timedelta(days=1)
    Permit.objects.filter(pk=permit.pk).update(valid_from=tomorrow)
    permit.refresh_from_db()
    assert quote_early_end(permit, timezone.now()).amount == permit.net - Decimal("5.00")


def test_what_has_gone_back_already_does_not_go_back_again(administrator):
    permit = buy(make_term_sale(proration="days"))
    refund_line(line=OrderLine.objects.get(object_id=permit.pk), actor=administrator, amount=Decimal("30.00"))
    assert quote_early_end(permit, timezone.now()).paid == Decimal("30.00")
    end_early(permit=permit, actor=permit.holder)
    assert sum(refund.amount for refund in Refund.objects.all()) <= Decimal("60.00")
    assert_books_and_numbers_are_right()


def test_a_free_permit_gives_nothing():
    from payments.services.paying import pay_order
    from tests.factories.payments import order_permit

    permit = reserve(make_term_sale(price=Decimal("0.00")))
    pay_order(order=order_permit(permit), method_code="", actor=permit.holder)
    permit.refresh_from_db()
    assert end_early(permit=permit, actor=permit.holder) is None
    assert not Refund.objects.exists()
    assert_books_and_numbers_are_right()


def test_above_the_limit_a_second_person_agrees_first_and_the_permit_is_over_at_once(administrator, clerk):
    Provider.objects.update(refund_second_person_above=Decimal("20.00"))
    permit = buy(make_term_sale())
    refund = end_early(permit=permit, actor=administrator, reason="Moved away")
    assert refund.status == RefundStatus.PROPOSED
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ENDED
    with pytest.raises(NotAllowed):
        approve_refund(refund=refund, actor=administrator)
    approve_refund(refund=refund, actor=clerk)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.DUE
    assert Message.objects.get(template="permits/ended_early").context["is_proposed"] is True
    assert_books_and_numbers_are_right()


def test_a_reservation_and_one_that_is_over_are_not_ended():
    permit = reserve(make_term_sale())
    with pytest.raises(DomainError):
        end_early(permit=permit, actor=permit.holder)
    assert not can_end_early(permit, timezone.now()).is_allowed


def test_the_holder_may_where_the_type_says_so_and_nothing_is_promised():
    permit = buy(make_term_sale())
    now = timezone.now()
    assert can_end_early(permit, now).is_allowed
    permit.promised_until = now
    assert can_end_early(permit, now).code == "promised"
    permit.promised_until = None
    permit.permit_type.may_end_early = False
    assert can_end_early(permit, now).code == "not_offered"


def test_two_reserved_together_cost_the_whole_price_each():
    sale = make_term_sale(second_price=Decimal("40.00"), max_per_person=3)
    buyer, _ownership = make_buyer()
    assert [reserve(sale, buyer).net, reserve(sale, buyer).net] == [Decimal("60.00"), Decimal("60.00")]


def test_the_card_shows_the_sum_that_is_charged(client_of):
    sale = make_term_sale(second_price=Decimal("40.00"), max_per_person=3)
    buyer, _ownership = make_buyer()
    buy(sale, buyer)
    client = client_of(buyer)
    page = client.get("/permits/").content.decode()
    assert "Price of a second one, instead of $80.00" in page
    assert "30 of 40 days" in page
    assert "$30.00" in page
    assert reserve(sale, buyer).net == Decimal("30.00")
