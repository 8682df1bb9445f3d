"""A release that is paid without a page of a bank: from wages, by a stored card, by the company; and its deposit's way back."""

import pytest

from boots.invariants import check_boots
from boots.models import Booting
from boots.services.returning import Returned, return_boot
from opscom.messaging.models import Message
from payments.invariants import check_books
from payments.models import DepositStatus, OrderStatus, RefundStatus
from payments.services.paying import pay_order
from payments.services.settling import finish_order
from payments.tasks import send_refunds
from tests.factories.billing import offer_accounts, open_account, pay_for
from tests.factories.boots import TWENTY, make_booting, order_release, set_policy
from tests.factories.deductions import deduct, set_up
from tests.factories.stored import offer_storing, store_card

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy() -> None:
    set_policy(deposit=TWENTY)


def assert_released(booting: Booting) -> Booting:
    booting = Booting.objects.select_related("deposit", "line__order").get(pk=booting.pk)
    assert booting.released_at
    assert booting.deposit.status == DepositStatus.HELD
    assert booting.line.order.status == OrderStatus.PAID
    assert Message.objects.filter(template="boots/code").count() == 1
    return booting


def assert_given_back(booting: Booting, clerk) -> None:
    return_boot(booting=booting, how=Returned(), actor=clerk)
    send_refunds()
    booting.deposit.refresh_from_db()
    assert booting.deposit.refund.amount == TWENTY
    assert booting.deposit.refund.status == RefundStatus.SUCCEEDED
    assert [*check_boots(), *check_books()] == []


@pytest.mark.parametrize("kind", ["payroll", "eft"])
def test_from_wages_the_code_comes_at_once_and_a_deposit_not_taken_yet_never_is(resident, clerk, kind):
    stored = set_up(resident, kind)
    order = order_release(make_booting(resident, actor=clerk), resident, resident.email)
    deduction = deduct(resident, stored=stored, order=order)
    finish_order(order.pk)
    booting = assert_released(Booting.objects.get())
    before = deduction.amount
    assert_given_back(booting, clerk)
    deduction.refresh_from_db()
    assert deduction.amount == before - TWENTY


def test_stored_card(resident, clerk):
    offer_storing("demo-bank")
    stored = store_card(resident)
    order = order_release(make_booting(resident, actor=clerk), resident, resident.email)
    pay_order(order=order, method_code=f"stored:{stored.code}", actor=resident)
    finish_order(order.pk)
    assert_given_back(assert_released(Booting.objects.get()), clerk)


def test_company_pays_while_its_manager_is_there(resident, manager, clerk):
    offer_accounts()
    open_account(resident.company)
    order = order_release(make_booting(resident, actor=clerk), resident, resident.email)
    pay_for(resident, manager=manager, order=order)
    finish_order(order.pk)
    booting = assert_released(Booting.objects.get())
    return_boot(booting=booting, how=Returned(), actor=clerk)
    send_refunds()
    booting.deposit.refresh_from_db()
    assert booting.deposit.refund.amount == TWENTY
    assert [*check_boots(), *check_books()] == []
