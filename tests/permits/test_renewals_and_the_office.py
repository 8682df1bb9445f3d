"""What the office does to a permit whose next period is known already."""

import pytest

from opscom.core.errors import NotAllowed
from permits.invariants import check_permits
from permits.models import NumberChangeReason, Permit, PermitStatus, Rollover
from permits.services.moving import hand_over_permit, move_permit, replace_permit, switch_permits
from tests.factories.permits import make_buyer, make_sale
from tests.factories.rollover import (
    let_it_end,
    make_monthly_sale,
    make_renewing,
    renewal_of,
    shift,
    take_steps,
    this_morning,
)

pytestmark = pytest.mark.django_db


def announced(sale=None) -> tuple[Permit, Permit]:
    permit = make_renewing(sale or make_monthly_sale(), days_left=7)
    take_steps()
    return permit, renewal_of(permit)


def test_a_replaced_number_goes_over_to_the_next_period(administrator):
    permit, renewal = announced()
    replace_permit(permit=permit, why=NumberChangeReason.LOST, reason="Lost", with_fee=False, actor=administrator)
    shift(permit, 3)
    take_steps()
    let_it_end(permit)
    renewal.refresh_from_db()
    assert (renewal.status, renewal.number[-3:], renewal.slot.number) == (PermitStatus.ACTIVE, "-R1", renewal.number)
    assert list(check_permits()) == []


def test_switched_with_another_holder_the_next_periods_follow(administrator):
    sale = make_monthly_sale()
    (one, next_one), (other, next_other) = announced(sale), announced(sale)
    switch_permits(one=one, other=other, reason="Asked", actor=administrator)
    next_one.refresh_from_db()
    next_other.refresh_from_db()
    assert (next_one.number, next_other.number) == (other.number, one.number)
    assert list(check_permits()) == []


def test_moved_to_another_sale_an_unpaid_next_period_is_made_anew_there(administrator):
    permit, renewal = announced()
    target = make_sale(lot=permit.sale.lot, permit_type=permit.permit_type)
    move_permit(permit=permit, sale=target, number="", reason="Works", actor=administrator)
    Rollover.objects.update(next_try_at=this_morning())
    take_steps()
    renewal.refresh_from_db()
    anew = renewal_of(permit)
    assert (renewal.status, anew.status, anew.sale) == (PermitStatus.CANCELLED, PermitStatus.RESERVED, target)
    assert list(check_permits()) == []


def test_moved_to_another_sale_with_a_paid_next_period_is_refused(administrator):
    permit, renewal = announced()
    shift(permit, 3)
    take_steps()
    target = make_sale(lot=permit.sale.lot, permit_type=permit.permit_type)
    with pytest.raises(NotAllowed, match="refund that one first"):
        move_permit(permit=permit, sale=target, number="", reason="Works", actor=administrator)
    renewal.refresh_from_db()
    assert renewal.status == PermitStatus.ACTIVE


def test_handed_over_it_is_not_renewed_at_the_former_holder_s_cost(administrator):
    permit, renewal = announced()
    buyer, ownership = make_buyer()
    hand_over_permit(permit=permit, to=buyer, vehicles=[ownership.vehicle], reason="Moved out", actor=administrator)
    take_steps()
    renewal.refresh_from_db()
    assert (renewal.status, Rollover.objects.get().is_on) == (PermitStatus.CANCELLED, False)
    assert list(check_permits()) == []


def test_the_next_period_itself_is_not_moved(administrator):
    permit, renewal = announced()
    shift(permit, 3)
    take_steps()
    renewal.refresh_from_db()
    with pytest.raises(NotAllowed, match="change that one"):
        replace_permit(permit=renewal, why=NumberChangeReason.LOST, reason="Lost", with_fee=False, actor=administrator)
