"""A permit whose money is promised: held, or valid at once, by its type; every page and the officer say which."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from opscom.core.errors import NotAllowed
from payments.invariants import check_books
from payments.models import MethodKind, Promise
from payments.services.confirming import confirm_payment
from payments.services.promising import cancel_promise, close_due_promise, promise_order, receive_promise
from payments.services.settling import finish_order
from permits.entitlement import PermitEntitlements
from permits.invariants import check_permits
from permits.models import Permit, PermitStatus
from permits.services.documents import can_print, load_permit, print_permit, render_document
from permits.services.holding import give_back_reservation
from permits.tasks import make_document, release_lapsed_holds
from tests.factories.payments import go_to_bank, offer_method, order_permit, pay_at_bank
from tests.factories.permits import make_permit_type, make_sale, offer_demo_bank, reserve

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[False, True], ids=["held", "valid_at_once"])
def promised(request) -> Promise:
    return promise_permit(valid_at_once=request.param)


def promise_permit(*, valid_at_once: bool, **options) -> Promise:
    offer_demo_bank()
    offer_method(kind=MethodKind.PROMISE, code="cash")
    kind = make_permit_type(is_valid_when_promised=valid_at_once)
    order = order_permit(reserve(make_sale(permit_type=kind, **options)))
    return promise_order(order=order, method_code="cash", actor=order.payer)


def the_permit() -> Permit:
    return Permit.objects.get()


def right_to_park(at=None):
    permit = the_permit()
    vehicle = permit.vehicle_links.get().vehicle
    at = at or timezone.now()
    [found] = PermitEntitlements().find(plate_key=vehicle.plate_key, region="", lot=permit.lot, at=at)
    return found


def all_is_right() -> bool:
    return [*check_books(), *check_permits()] == []


def test_held_is_not_valid_and_valid_at_once_is():
    given = promise_permit(valid_at_once=False)
    assert the_permit().held_until == the_permit().promised_until == given.pay_by
    assert the_permit().status == PermitStatus.RESERVED
    right = right_to_park()
    assert not right.is_valid
    assert "not valid until the money is in" in right.note
    assert all_is_right()


def test_valid_at_once_is_valid_until_the_last_day():
    given = promise_permit(valid_at_once=True)
    assert the_permit().status == PermitStatus.ACTIVE
    right = right_to_park()
    assert right.is_valid
    assert "Paid but not Processed" in right.note
    late = given.pay_by if given.pay_by < the_permit().valid_until else given.pay_by - dt.timedelta(seconds=1)
    Permit.objects.update(promised_until=late)
    found = PermitEntitlements().find(
        plate_key=the_permit().vehicle_links.get().vehicle.plate_key, region="", lot=the_permit().lot, at=late
    )
    assert [right.is_valid for right in found if right.is_valid] == [], "also when no worker has ended it yet"
    assert all_is_right()


def test_the_money_makes_it_a_permit_like_any_other(promised, clerk):
    receive_promise(promise=promised, actor=clerk, amount=promised.order.due, tender="cash")
    finish_order(promised.order_id)
    assert (the_permit().status, the_permit().promised_until) == (PermitStatus.ACTIVE, None)
    assert right_to_park().note == ""
    assert all_is_right()


def test_paid_online_instead(promised):
    payment = go_to_bank(promised.order)
    pay_at_bank(payment)
    confirm_payment(payment)
    assert (the_permit().status, the_permit().promised_until) == (PermitStatus.ACTIVE, None)
    assert all_is_right()


def test_without_the_money_its_number_is_free_again(promised, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        close_due_promise(promised.pk, promised.pay_by)
    assert the_permit().status == PermitStatus.LAPSED
    assert the_permit().sale.slots.filter(state="free").count() == 5
    assert all_is_right()


def test_late_money_finds_a_number(promised, clerk, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        close_due_promise(promised.pk, promised.pay_by)
    receive_promise(promise=promised, actor=clerk, amount=promised.order.due, tender="cash")
    finish_order(promised.order_id)
    assert (the_permit().status, the_permit().promised_until) == (PermitStatus.ACTIVE, None)
    assert all_is_right()


def test_called_off_is_cancelled(promised):
    cancel_promise(promise=promised, actor=promised.order.payer)
    assert the_permit().status == PermitStatus.CANCELLED
    assert all_is_right()


def test_the_hold_s_own_clock_leaves_it_alone(promised):
    release_lapsed_holds()
    assert the_permit().status in (PermitStatus.RESERVED, PermitStatus.ACTIVE)


def test_it_is_not_given_back_behind_the_promise():
    promise_permit(valid_at_once=False)
    with pytest.raises(NotAllowed, match="take that promise back first"):
        give_back_reservation(permit=the_permit(), actor=the_permit().holder)


def test_a_printed_promise_is_printed_anew_when_paid(clerk):
    given = promise_permit(valid_at_once=True)
    holder = the_permit().holder
    make_document(the_permit().pk)
    assert "Paid but not Processed" in render_document(load_permit(the_permit().pk))
    assert print_permit(permit=the_permit(), actor=holder)
    receive_promise(promise=given, actor=clerk, amount=given.order.due, tender="cash")
    finish_order(given.order_id)
    assert "Paid but not Processed" not in render_document(load_permit(the_permit().pk))
    assert can_print(the_permit(), now=timezone.now() + dt.timedelta(days=1)).is_allowed


def test_every_page_says_which(client_of, promised):
    permit, payer = the_permit(), promised.order.payer
    client = client_of(payer)
    for address in (
        reverse("home:home"),
        reverse("payments:due"),
        reverse("payments:promised", args=[promised.order.code]),
        reverse("permits:list"),
        reverse("permits:detail", args=[permit.code]),
        reverse("permits:status", args=[permit.public_code]),
        reverse("accounts:history"),
    ):
        text = client.get(address, follow=True).content.decode()
        assert "Paid but not Processed" in text, address
    status = client_of().get(reverse("permits:status", args=[permit.public_code])).content.decode()
    assert ("Not valid" in status) == (permit.status == PermitStatus.RESERVED)
    assert payer.last_name not in status


def test_checkout_promise_and_the_way_out(client_of):
    offer_demo_bank()
    offer_method(kind=MethodKind.PROMISE, code="cash")
    order = order_permit(reserve(make_sale()))
    client = client_of(order.payer)
    checkout = reverse("payments:checkout", args=[order.code])
    assert "Cash or Cheque" in client.get(checkout).content.decode()
    answer = client.post(checkout, {"method": "cash"}, follow=True)
    text = answer.content.decode()
    assert answer.redirect_chain[-1][0] == reverse("payments:promised", args=[order.code])
    assert "Paid but not Processed" in text
    assert "Pay online instead" in text
    assert "Cash or Cheque" not in client.get(checkout).content.decode(), "promised once is promised"
    cancel = reverse("payments:promise-cancel", args=[order.code])
    assert "Cancel the promise" in client.get(cancel).content.decode()
    assert Promise.objects.get().is_running, "a look cancels nothing"
    client.post(cancel)
    assert the_permit().status == PermitStatus.CANCELLED


def test_strangers_find_no_promise(client_of, promised, other_resident):
    for name in ("promised", "promise-cancel"):
        address = reverse(f"payments:{name}", args=[promised.order.code])
        assert client_of(other_resident).get(address).status_code == 404
        assert client_of(other_resident).post(address).status_code in (404, 405)
    assert Promise.objects.get().is_running


def test_an_unproved_payer_reads_why_not(client_of, unproved_resident):
    offer_demo_bank()
    offer_method(kind=MethodKind.PROMISE, code="cash")
    from tests.factories.vehicles import make_ownership

    make_ownership(unproved_resident)
    order = order_permit(reserve(make_sale(), unproved_resident))
    answer = client_of(unproved_resident).post(
        reverse("payments:checkout", args=[order.code]), {"method": "cash"}, follow=True
    )
    assert "Before you can promise to pay later" in answer.content.decode()
    assert not Promise.objects.exists()
