"""Charging a stored card: once, only while it is stored, and what is not known is looked up."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from opscom.core.context import acting_for
from opscom.core.errors import NotAllowed
from opscom.provider.selectors import local_date
from payments.gateways.base import GatewayError, Result
from payments.models import OrderStatus, Payment, PaymentStatus, StoredMethod
from payments.services.attempts import ChargeUnderWay, start_payment
from payments.services.charging import charge_stored
from payments.services.confirming import check_payment, confirm_payment
from payments.services.forgetting import cards_to_forget, remove_stored
from payments.services.paying import pay_order
from tests.factories.payments import place_thing
from tests.factories.peers import approved
from tests.factories.stored import PARKING, ROLLOVER, make_stored, offer_storing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("product")]


@pytest.fixture(autouse=True)
def method(gateway):
    return offer_storing("scripted")


@pytest.fixture
def card(resident) -> StoredMethod:
    return make_stored(resident, PARKING)


@pytest.fixture
def order(resident):
    return place_thing(payer=resident, email=resident.email)


def charge(order, card) -> Payment:
    return charge_stored(order=order, stored_method=card, reason="customer_present")


def test_an_approved_charge_pays_and_delivers(gateway, product, order, card):
    gateway.charges = [lambda: approved() if Payment.objects.get().status == PaymentStatus.CREATED else None]
    payment = charge(order, card)
    order.refresh_from_db()
    assert (payment.status, order.status, product.delivered) == (PaymentStatus.APPROVED, OrderStatus.PAID, [1])
    assert (payment.stored_method, payment.method) == (card, card.method)
    asked, attempt, reason = gateway.charged[0]
    assert (asked.token, attempt.amount, attempt.card.token) == (card.token, Decimal("100.00"), card.token)
    assert reason == "customer_present"


def test_a_declined_charge_leaves_the_order_open(gateway, order, card):
    gateway.charges = [Result(status="declined", message="No funds")]
    payment = charge(order, card)
    order.refresh_from_db()
    assert (payment.status, payment.message, payment.needs_customer) == (PaymentStatus.DECLINED, "No funds", False)
    assert order.status == OrderStatus.OPEN
    gateway.charges = [approved()]
    assert charge(order, card).status == PaymentStatus.APPROVED


def test_an_unknown_end_is_looked_up_and_never_charged_again(gateway, order, card):
    gateway.charges = [GatewayError("time-out")]
    payment = charge(order, card)
    assert payment.status == PaymentStatus.CREATED
    with pytest.raises(ChargeUnderWay) as refused:
        charge(order, card)
    assert refused.value.payment == payment
    with pytest.raises(ChargeUnderWay):
        start_payment(order=order, method_code="scripted")
    gateway.answers = [approved()]
    Payment.objects.update(next_check_at=timezone.now())
    check_payment(payment.pk)
    order.refresh_from_db()
    assert order.status == OrderStatus.PAID
    assert len(gateway.charged) == 1


def test_a_charge_on_its_way_is_not_called_absent(gateway, order, card):
    """The second click comes back before the gateway has heard of the first: nothing may be charged anew."""
    gateway.charges, gateway.answers = [GatewayError("time-out")], [Result(status="absent")]
    payment = charge(order, card)
    confirm_payment(payment)
    with pytest.raises(ChargeUnderWay):
        charge(order, card)
    Payment.objects.update(created_at=timezone.now() - dt.timedelta(minutes=3))
    confirm_payment(Payment.objects.get())
    assert Payment.objects.get().status == PaymentStatus.FAILED
    gateway.charges = [approved()]
    assert charge(order, card).status == PaymentStatus.APPROVED


@pytest.mark.parametrize("gone", ["removed_at", "expires_on"])
def test_a_card_that_is_gone_is_not_charged(gateway, order, card, gone):
    StoredMethod.objects.update(**{gone: timezone.now() if gone == "removed_at" else local_date()})
    with pytest.raises(NotAllowed):
        charge(order, card)
    assert not gateway.charged
    assert not Payment.objects.exists()


def test_a_card_under_charge_is_not_forgotten_at_its_gateway(gateway, order, card):
    gateway.charges = [GatewayError("time-out")]
    payment = charge(order, card)
    remove_stored(stored_method=card, actor=order.payer)
    assert cards_to_forget() == []
    gateway.answers = [approved()]
    confirm_payment(payment)
    assert cards_to_forget() == [card.pk]


def test_the_payer_s_bank_wants_to_ask(gateway, client_of, resident, order, card):
    gateway.charges = gateway.answers = [Result(status="needs_customer", message="Ask")]
    browser = client_of(resident)
    page = reverse("payments:checkout", args=[order.code])
    back = browser.post(page, {"method": f"stored:{card.code}"})
    assert Payment.objects.get().needs_customer
    assert browser.get(back.url).url == page
    text = browser.get(page).content.decode()
    assert "Your bank wants to ask you" in text
    assert 'value="scripted"' in text
    assert text.split('value="scripted"')[1].split(">")[0].count("checked") == 1


def test_the_checkout_charges_the_chosen_card_and_shows_the_receipt(gateway, client_of, resident, order, card):
    browser = client_of(resident)
    page = reverse("payments:checkout", args=[order.code])
    assert "Visa ···· 4242" in browser.get(page).content.decode()
    response = browser.post(page, {"method": f"stored:{card.code}"}, follow=True)
    assert response.redirect_chain[-1][0] == reverse("payments:receipt", args=[order.code])
    assert len(gateway.charged) == 1


def test_only_a_card_chosen_for_such_things_is_offered(resident, order):
    card = make_stored(resident, ROLLOVER)
    with pytest.raises(NotAllowed):
        pay_order(order=order, method_code=f"stored:{card.code}", actor=order.payer)


def test_where_the_office_does_not_allow_it_no_card_is_offered(order, card):
    offer_storing("scripted", ROLLOVER)
    with pytest.raises(NotAllowed):
        pay_order(order=order, method_code=f"stored:{card.code}", actor=order.payer)


def test_nobody_pays_with_somebody_else_s_card(gateway, client_of, other_resident, order, card):
    theirs = place_thing(2, payer=other_resident, email=other_resident.email)
    browser = client_of(other_resident)
    response = browser.post(reverse("payments:checkout", args=[theirs.code]), {"method": f"stored:{card.code}"})
    assert response.status_code == 422
    with pytest.raises(NotAllowed):
        pay_order(order=theirs, method_code=f"stored:{card.code}", actor=other_resident)
    assert not gateway.charged


def test_who_acts_for_the_owner_does_not_pay_with_their_card(gateway, manager, resident, order, card):
    with acting_for(actor=manager, person=resident), pytest.raises(NotAllowed):
        pay_order(order=order, method_code=f"stored:{card.code}", actor=order.payer)
    assert not gateway.charged
