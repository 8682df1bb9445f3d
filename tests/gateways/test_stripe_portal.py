"""Stripe as people and the portal meet it: checkout, return, reports, refunds."""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from payments import purchasables, tasks
from payments.models import (
    CardSave,
    CardSaveStatus,
    GatewayEvent,
    Order,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
    StoredMethod,
)
from payments.services.charging import charge_stored
from payments.services.forgetting import cards_to_forget, remove_stored
from payments.services.refunding import refund_unmatched_payment
from payments.services.refunds import check_refund, owe_refund
from payments.services.storing import confirm_card_save
from permits.models import Permit, PermitStatus
from tests.factories.payments import order_permit, place_thing
from tests.factories.peers import ScriptedProduct
from tests.factories.permits import make_sale, reserve
from tests.factories.stored import PARKING, begin_save, offer_storing
from tests.gateways import fact_sheet as sheet
from tests.gateways import localstripe
from tests.gateways.conftest import use_stripe
from tests.gateways.fact_sheet_server import FactSheet
from tests.gateways.localstripe import LocalStripe
from tests.gateways.peers import WEBHOOK_SECRET, FactSheetPeer, sign_as_stripe

WEBHOOK = "/payments/webhooks/stripe/"


@pytest.fixture
def permit(stripe_only: None) -> Permit:
    return reserve(make_sale())


@pytest.fixture
def product() -> Iterator[ScriptedProduct]:
    """Something that anybody may pay for."""
    product = ScriptedProduct()
    purchasables.register(product)
    yield product
    del purchasables._registry[product.kind]


@pytest.fixture
def browser(permit: Permit, client_of: Callable[..., Client]) -> Client:
    return client_of(permit.holder)


@pytest.fixture
def payment(browser: Client, permit: Permit, fact_sheet: FactSheet) -> Payment:
    """A payer on Stripe's page."""
    order = order_permit(permit)
    response = browser.post(f"/payments/checkout/{order.code}/", {"method": "stripe"})
    assert response.url.startswith("https://checkout.stripe.com/")
    return order.payments.get()


def post(event: dict[str, Any], *, secret: str = WEBHOOK_SECRET) -> int:
    """Report as Stripe does: no session, no CSRF token."""
    body, headers = sign_as_stripe(event, secret)
    stranger = Client(enforce_csrf_checks=True)
    return stranger.post(WEBHOOK, body, content_type="application/json", headers=headers).status_code


def handle_all() -> None:
    for event in GatewayEvent.objects.filter(handled_at=None):
        tasks.handle_event(event.pk)


def test_checkout_page_lets_forms_lead_to_stripe(browser, permit, fact_sheet) -> None:
    page = browser.get(f"/payments/checkout/{order_permit(permit).code}/")
    policy = page["Content-Security-Policy"].split("; ")
    assert "form-action 'self' https://checkout.stripe.com" in policy
    other = browser.get("/payments/")["Content-Security-Policy"]
    assert "stripe" not in other


def test_permit_is_bought_and_given_back_by_the_fact_sheet(browser, permit, payment, fact_sheet) -> None:
    session = fact_sheet.books.things[payment.gateway_reference]
    assert (session["amount_total"], session["currency"]) == (int(payment.amount * 100), "cad")
    fact_sheet.pay(session["id"], sheet.GOOD)
    page = browser.get(session["success_url"], follow=True)
    assert "Thank you" in page.content.decode()
    permit.refresh_from_db()
    payment.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE
    assert payment.gateway_reference.startswith("pi_")
    assert payment.card_label == "Visa ···· 4242"
    assert payment.received_amount == payment.amount


def test_sum_that_differs_is_kept_and_goes_back_by_the_fact_sheet(browser, payment, fact_sheet, manager) -> None:
    """What counts is what Stripe says it took."""
    fact_sheet.pay(payment.gateway_reference, sheet.GOOD)
    (intent,) = fact_sheet.books.all("payment_intent")
    intent["amount_received"] -= 1
    browser.get(f"/payments/return/{payment.reference}/")
    payment.refresh_from_db()
    assert payment.needs_review
    refund_unmatched_payment(payment=payment, actor=manager)
    tasks.send_refunds()
    refund = Refund.objects.get()
    assert (refund.status, refund.amount) == (RefundStatus.SUCCEEDED, payment.received_amount)
    assert [row["amount"] for row in fact_sheet.books.all("refund")] == [intent["amount_received"]]


def test_payer_who_leaves_the_page_pays_anew_by_the_fact_sheet(browser, permit, payment, fact_sheet) -> None:
    session = fact_sheet.books.things[payment.gateway_reference]
    page = browser.get(session["cancel_url"], follow=True)
    assert "The payment page closed before anything was paid." in page.content.decode()
    assert session["status"] == "expired"
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.EXPIRED
    response = browser.post(f"/payments/checkout/{payment.order.code}/", {"method": "stripe"})
    assert response.url.startswith("https://checkout.stripe.com/")


def test_way_out_after_paying_leads_to_the_receipt_by_the_fact_sheet(browser, payment, fact_sheet) -> None:
    fact_sheet.pay(payment.gateway_reference, sheet.GOOD)
    page = browser.get(f"/payments/return/{payment.reference}/?left=1", follow=True)
    assert "Thank you" in page.content.decode()


def test_stranger_closes_nobodys_page_by_the_fact_sheet(payment, fact_sheet, client_of, other_resident) -> None:
    response = client_of(other_resident).get(f"/payments/return/{payment.reference}/?left=1")
    assert response.status_code == 404
    assert fact_sheet.books.things[payment.gateway_reference]["status"] == "open"


def test_declined_card_can_be_followed_by_another_by_the_fact_sheet(browser, permit, payment, fact_sheet) -> None:
    fact_sheet.pay(payment.gateway_reference, sheet.NO_MONEY)
    assert "Waiting for the bank" in browser.get(f"/payments/return/{payment.reference}/").content.decode()
    fact_sheet.pay(payment.gateway_reference, sheet.GOOD)
    browser.get(f"/payments/return/{payment.reference}/")
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE


def test_report_settles_when_the_payer_never_comes_back_by_the_fact_sheet(permit, payment, fact_sheet) -> None:
    fact_sheet.pay(payment.gateway_reference, sheet.GOOD)
    event = FactSheetPeer(fact_sheet).describe_event("payment", payment.reference)
    assert [post(event), post(event)] == [204, 204]
    handle_all()
    assert GatewayEvent.objects.count() == 1
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE


def test_report_of_money_that_is_not_in_settles_nothing_by_the_fact_sheet(payment, fact_sheet) -> None:
    assert post(FactSheetPeer(fact_sheet).describe_event("payment", payment.reference)) == 204
    handle_all()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.STARTED


def test_what_is_not_for_us_is_taken_and_forgotten(payment, fact_sheet) -> None:
    event = FactSheetPeer(fact_sheet).describe_event("payment", payment.reference, "customer.created")
    assert post(event) == 204
    assert not GatewayEvent.objects.exists()


def test_unsigned_report_is_refused_and_not_kept(payment, fact_sheet) -> None:
    event = FactSheetPeer(fact_sheet).describe_event("payment", payment.reference)
    assert post(event, secret="whsec_of_somebody_else") == 400
    assert Client().post(WEBHOOK, json.dumps(event), content_type="application/json").status_code == 400
    assert not GatewayEvent.objects.exists()


def test_dispute_that_cannot_be_looked_up_now_is_reported_again_by_the_fact_sheet(payment, fact_sheet) -> None:
    event = FactSheetPeer(fact_sheet).describe_event("dispute", payment.reference)
    disputed = fact_sheet.books.things.pop("pi_disputed")
    assert post(event) == 503
    assert not GatewayEvent.objects.exists()
    fact_sheet.books.things["pi_disputed"] = disputed
    assert post(event) == 204
    assert GatewayEvent.objects.get().reference == payment.reference


def test_portal_that_died_before_it_wrote_the_reference_finds_the_page_by_the_fact_sheet(
    browser, permit, payment, fact_sheet
) -> None:
    fact_sheet.pay(payment.gateway_reference, sheet.GOOD)
    Payment.objects.update(gateway_reference="", status=PaymentStatus.CREATED, next_check_at=timezone.now())
    tasks.reconcile_payments()
    permit.refresh_from_db()
    assert permit.status == PermitStatus.ACTIVE


# Stored cards


@pytest.fixture
def save(resident, stripe_only, fact_sheet) -> CardSave:
    """Somebody on Stripe's page that stores a card."""
    offer_storing("stripe")
    return begin_save(resident, PARKING, gateway="stripe")


def test_card_is_stored_charged_and_removed_by_the_fact_sheet(client_of, resident, save, fact_sheet, product) -> None:
    session = fact_sheet.books.things[save.gateway_reference]
    fact_sheet.store(session["id"], sheet.GOOD)
    page = client_of(resident).get(session["success_url"], follow=True)
    assert "Credit Card successfully stored" in page.content.decode()
    stored = StoredMethod.objects.get()
    assert (stored.label, stored.expires_on) == ("Visa ···· 4242", dt.date(2032, 1, 1))

    order = place_thing(payer=resident, email=resident.email)
    payment = charge_stored(order=order, stored_method=stored, reason="customer_present")
    assert (payment.status, payment.received_amount) == (PaymentStatus.APPROVED, order.total)

    remove_stored(stored_method=stored, actor=resident)
    tasks.forget_card(stored.pk)
    assert fact_sheet.books.things[stored.token]["customer"] is None
    assert cards_to_forget() == []


def test_charge_whose_answer_was_lost_is_found_by_the_fact_sheet(resident, save, fact_sheet, product) -> None:
    fact_sheet.store(save.gateway_reference, sheet.GOOD)
    confirm_card_save(save)
    order = place_thing(payer=resident, email=resident.email)
    fact_sheet.faults = ["cut", "cut"]
    payment = charge_stored(order=order, stored_method=StoredMethod.objects.get(), reason="recurring")
    assert payment.status == PaymentStatus.CREATED
    Payment.objects.update(next_check_at=timezone.now())
    tasks.reconcile_payments()
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.APPROVED
    assert len(fact_sheet.books.all("charge")) == 1


def test_bank_that_wants_to_ask_sends_the_holder_to_the_page_by_the_fact_sheet(
    resident, save, fact_sheet, product
) -> None:
    fact_sheet.store(save.gateway_reference, sheet.ASKS_ALWAYS)
    confirm_card_save(save)
    order = place_thing(payer=resident, email=resident.email)
    payment = charge_stored(order=order, stored_method=StoredMethod.objects.get(), reason="customer_present")
    assert payment.needs_customer
    assert payment.status == PaymentStatus.DECLINED
    assert fact_sheet.books.all("charge") == []


def test_who_leaves_the_page_stores_nothing_by_the_fact_sheet(client_of, resident, save, fact_sheet) -> None:
    session = fact_sheet.books.things[save.gateway_reference]
    client_of(resident).get(session["cancel_url"])
    assert session["status"] == "expired"
    save.refresh_from_db()
    assert save.status == CardSaveStatus.DECLINED


def test_report_stores_the_card_and_a_refund_of_it_fails_later_by_the_fact_sheet(
    resident, save, fact_sheet, product
) -> None:
    peer = FactSheetPeer(fact_sheet)
    fact_sheet.store(save.gateway_reference, sheet.REFUND_FAILS)
    assert post(peer.describe_event("card", save.reference)) == 204
    handle_all()
    stored = StoredMethod.objects.get()
    order = place_thing(payer=resident, email=resident.email)
    payment = charge_stored(order=order, stored_method=stored, reason="recurring")
    with transaction.atomic():
        refund = owe_refund(payment=payment, amount=payment.amount, reason=RefundReason.OFFICE)
    tasks.send_refunds()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.PENDING
    peer.finish_refund(refund.reference)
    check_refund(refund.pk)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.FAILED


@pytest.mark.django_db(transaction=True)
def test_localstripe_reports_over_http_and_the_payment_is_settled(
    live_server, settings, localstripe_server: LocalStripe, stripe_only
) -> None:
    """Written by others, signed by others, delivered over HTTP: the portal takes it and asks back."""
    use_stripe(settings, localstripe.SECRET_KEY, localstripe_server.url)
    permit = reserve(make_sale())
    order: Order = order_permit(permit)
    customer, method = localstripe_server.store_card("4242424242424242")
    payment = Payment.objects.create(
        order=order, gateway="stripe", amount=order.total, currency=order.currency, status=PaymentStatus.STARTED
    )
    localstripe_server.report_to(live_server.url + WEBHOOK, WEBHOOK_SECRET)
    intent = localstripe_server.post(
        "payment_intents",
        amount=str(int(order.total * 100)),
        currency="cad",
        customer=customer,
        payment_method=method,
        off_session="true",
        confirm="true",
        **{"metadata[reference]": payment.reference},
    )
    Payment.objects.filter(pk=payment.pk).update(gateway_reference=intent["id"])
    end = time.monotonic() + 20
    while time.monotonic() < end and not GatewayEvent.objects.exists():
        time.sleep(0.2)
    assert GatewayEvent.objects.get().reference == payment.reference
    handle_all()
    payment.refresh_from_db()
    permit.refresh_from_db()
    assert (payment.status, permit.status) == (PaymentStatus.APPROVED, PermitStatus.ACTIVE)
