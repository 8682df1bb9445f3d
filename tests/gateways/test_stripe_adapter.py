"""What Stripe's adapter does beyond the contract: clocks, keys, retries and refusals; by the fact sheet throughout."""

import dataclasses
import datetime as dt
import urllib.error
import urllib.request
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.utils import timezone

from payments.gateways.base import GatewayError, Result
from payments.gateways.registry import installed_gateways
from payments.gateways.stripe import StripeGateway, reading
from payments.gateways.stripe.events import EVENTS
from tests.factories.payments import offer_method
from tests.factories.vehicles import set_provider
from tests.gateways import fact_sheet as sheet
from tests.gateways import fact_sheet_server, localstripe
from tests.gateways.conftest import use_stripe
from tests.gateways.contract import PAGE
from tests.gateways.fact_sheet_server import FactSheet
from tests.gateways.peers import FactSheetPeer, LocalStripePeer, describe_setup
from tests.gateways.test_contract import SUM, assert_paid, describe


@pytest.fixture
def gateway() -> StripeGateway:
    return StripeGateway()


def ago(**parts: int) -> dt.datetime:
    return timezone.now() - dt.timedelta(**parts)


def asked(server: FactSheet, method: str = "POST") -> list[str]:
    """Return the addresses that were asked."""
    return [path for verb, path, _headers in server.requests if verb == method]


# Time


def test_page_closes_soon_by_the_fact_sheet(gateway, fact_sheet) -> None:
    page = gateway.start(describe())
    session = fact_sheet.books.things[page.gateway_reference]
    assert dt.timedelta(minutes=30) < page.expires_at - timezone.now() < dt.timedelta(minutes=34)
    assert session["expires_at"] == int(page.expires_at.timestamp())


def test_page_that_is_asked_for_late_is_never_made_by_the_fact_sheet(gateway, fact_sheet) -> None:
    """So an attempt of which Stripe knows nothing after a while is absent for good."""
    late = describe(begun_at=ago(minutes=4))
    with pytest.raises(GatewayError, match="30 minutes"):
        gateway.start(late)
    assert fact_sheet.books.all("checkout.session") == []


@pytest.mark.parametrize(
    ("minutes", "status"), [(0, "unknown"), (14, "unknown"), (16, "absent"), (60 * 24 * 9, "absent")]
)
@pytest.mark.parametrize("has_card", [False, True])
def test_absent_is_said_only_when_nothing_can_still_come_by_the_fact_sheet(
    gateway, fact_sheet, minutes, status, has_card
) -> None:
    card = FactSheetPeer(fact_sheet).keep_card("good") if has_card else None
    attempt = describe("NEVER", card=card, begun_at=ago(minutes=minutes))
    assert gateway.confirm(attempt) == Result(status=status)


def test_stale_charge_is_looked_up_and_not_sent_by_the_fact_sheet(gateway, fact_sheet) -> None:
    """A worker that wakes up late, or a key that Stripe has forgotten: neither may take money."""
    card = FactSheetPeer(fact_sheet).keep_card("good")
    result = gateway.charge_card(card, describe(card=card, begun_at=ago(minutes=6)), reason="recurring")
    assert result.status == "unknown"
    assert asked(fact_sheet) == []


def test_refund_of_a_forgotten_key_is_found_by_the_fact_sheet(gateway, fact_sheet) -> None:
    card = FactSheetPeer(fact_sheet).keep_card("good")
    paid = gateway.charge_card(card, describe(card=card), reason="recurring")
    refund = {"gateway_reference": paid.gateway_reference, "amount": Decimal("10.00"), "currency": "CAD", "key": "B1"}
    first = gateway.refund(**refund)
    # Stripe forgets keys after a day; it does not forget refunds.
    fact_sheet.books.kept.clear()
    assert gateway.refund(**refund) == first
    assert len(fact_sheet.books.all("refund")) == 1


# Keys and retries


def test_every_request_that_makes_something_has_a_key_by_the_fact_sheet(gateway, fact_sheet) -> None:
    page = gateway.start(describe())
    fact_sheet.pay(page.gateway_reference, sheet.GOOD)
    paid = gateway.confirm(describe())
    gateway.start_card_save(describe_setup("SAVE1"))
    gateway.refund(gateway_reference=paid.gateway_reference, amount=SUM, currency="CAD", key="BACK1")
    keys = [headers.get("Idempotency-Key") for verb, _path, headers in fact_sheet.requests if verb == "POST"]
    assert keys == ["PAY1", "SAVE1-customer", "SAVE1", "BACK1"]


def test_the_library_repeats_once_under_the_same_key_by_the_fact_sheet(gateway, fact_sheet) -> None:
    peer = FactSheetPeer(fact_sheet)
    card = peer.keep_card("good")
    fact_sheet.faults = ["cut"]
    assert_paid(gateway.charge_card(card, describe(card=card), reason="recurring"))
    assert asked(fact_sheet) == ["/v1/payment_intents"] * 2
    assert peer.count_charges("PAY1") == 1


def test_a_decline_is_told_again_by_the_fact_sheet(gateway, fact_sheet) -> None:
    card = FactSheetPeer(fact_sheet).keep_card("declined")
    results = [gateway.charge_card(card, describe(card=card), reason="recurring") for _time in range(2)]
    assert results[0] == results[1]
    assert results[0].message == "generic_decline card_declined"
    assert len(fact_sheet.books.all("payment_intent")) == 1


def test_the_same_key_for_another_sum_takes_nothing_by_the_fact_sheet(gateway, fact_sheet, caplog) -> None:
    peer = FactSheetPeer(fact_sheet)
    card = peer.keep_card("good")
    gateway.charge_card(card, describe(card=card), reason="recurring")
    with pytest.raises(GatewayError, match="IdempotencyError"):
        gateway.charge_card(card, describe(card=card, amount=Decimal("1.00")), reason="recurring")
    assert peer.count_charges("PAY1") == 1
    assert "Stripe refused a request" in caplog.text


@pytest.mark.parametrize("fault", ["break", "break after", "cut", "slow"])
def test_page_whose_answer_was_lost_by_the_fact_sheet(gateway, fact_sheet, fault) -> None:
    fact_sheet.faults = [fault, fault]
    with pytest.raises(GatewayError):
        gateway.start(describe())
    expected = "unknown" if fault == "break" else "pending"
    assert gateway.confirm(describe()).status == expected


@pytest.mark.parametrize("fault", ["break after", "cut", "slow"])
def test_refund_whose_answer_was_lost_is_given_once_by_the_fact_sheet(gateway, fact_sheet, fault) -> None:
    card = FactSheetPeer(fact_sheet).keep_card("good")
    paid = gateway.charge_card(card, describe(card=card), reason="recurring")
    refund = {"gateway_reference": paid.gateway_reference, "amount": Decimal("10.00"), "currency": "CAD", "key": "B1"}
    fact_sheet.faults = [fault, fault]
    with pytest.raises(GatewayError):
        gateway.refund(**refund)
    assert gateway.refund(**refund).status == "approved"
    assert len(fact_sheet.books.all("refund")) == 1


def test_a_customer_that_was_deleted_at_stripe_is_made_anew_by_the_fact_sheet(gateway, fact_sheet) -> None:
    fact_sheet.books.make("customer", "cus", deleted=True)
    (deleted,) = fact_sheet.books.all("customer")
    for reference, known in [("SAVE1", deleted["id"]), ("SAVE2", "cus_of_the_sandbox")]:
        page = gateway.start_card_save(describe_setup(reference, known))
        session = fact_sheet.books.things[page.gateway_reference]
        assert session["customer"] not in ("", None, known)


def test_a_charge_that_waits_for_its_holder_is_closed_by_localstripe(gateway, localstripe_server, settings) -> None:
    """The real Stripe answers 402 at once; whoever waits instead must not be paid behind the next attempt's back."""
    use_stripe(settings, localstripe.SECRET_KEY, localstripe_server.url)
    card = LocalStripePeer(localstripe_server).keep_card("asks")
    result = gateway.charge_card(card, describe(card=card), reason="recurring")
    assert result.status == "needs_customer"
    assert localstripe_server.get(f"payment_intents/{result.gateway_reference}")["status"] == "canceled"


# Refusals


def test_a_wrong_key_is_told_to_whoever_runs_the_portal_by_the_fact_sheet(
    gateway, fact_sheet, settings, caplog
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_of_somebody_else"
    with pytest.raises(GatewayError):
        gateway.start(describe())
    assert "Stripe refused a request" in caplog.text


def test_a_reference_of_another_account_is_not_absent_by_the_fact_sheet(gateway, fact_sheet) -> None:
    with pytest.raises(GatewayError):
        gateway.confirm(describe(gateway_reference="cs_live_elsewhere", begun_at=ago(days=1)))


@pytest.mark.parametrize(
    ("email", "sent"), [("a@example.org", "a@example.org"), ("jürgen@example.org", None), ("", None)]
)
def test_an_address_that_stripe_cannot_read_stops_nobody_by_the_fact_sheet(gateway, fact_sheet, email, sent) -> None:
    page = gateway.start(describe(email=email))
    assert fact_sheet.books.things[page.gateway_reference]["customer_email"] == sent


@pytest.mark.parametrize(("language", "locale"), [("en", "en"), ("fr-ca", "fr-CA"), ("xx", "auto")])
def test_page_speaks_the_payers_language_by_the_fact_sheet(gateway, fact_sheet, language, locale) -> None:
    page = gateway.start(describe(language=language))
    assert fact_sheet.books.things[page.gateway_reference]["locale"] == locale


def test_a_charge_of_no_card_of_ours_stays_unknown_by_the_fact_sheet(gateway, fact_sheet) -> None:
    card = dataclasses.replace(FactSheetPeer(fact_sheet).keep_card("good"), customer_reference="cus_elsewhere")
    with pytest.raises(GatewayError):
        gateway.charge_card(card, describe(card=card), reason="recurring")


def test_a_report_about_nothing_of_ours_is_ignored_by_the_fact_sheet(gateway, fact_sheet) -> None:
    """Somebody may use the same Stripe account for other things, or refund by hand in its dashboard."""
    peer = FactSheetPeer(fact_sheet)
    for about in ("payment", "refund", "dispute"):
        assert gateway.read_event(*peer.report(about, "")) is None


@pytest.mark.parametrize("status", ["requires_payment_method", "canceled"])
def test_a_slow_payment_that_failed_is_declined_by_the_fact_sheet(gateway, fact_sheet, status) -> None:
    page = gateway.start(describe())
    fact_sheet.finish_unpaid(page.gateway_reference, status)
    assert gateway.confirm(describe()).status == "declined"


def test_a_page_is_paid_when_it_says_so_itself_by_the_fact_sheet(gateway, fact_sheet) -> None:
    page = gateway.start(describe())
    fact_sheet.finish_unpaid(page.gateway_reference, "succeeded")
    assert gateway.confirm(describe()).status == "pending"
    fact_sheet.books.things[page.gateway_reference]["payment_status"] = "paid"
    assert gateway.confirm(describe()).status == "approved"


# Money


@pytest.mark.parametrize(
    ("amount", "cents"), [("0.50", 50), ("100.05", 10005), ("99999999.99", 9999999999), ("7", 700)]
)
def test_sums_are_counted_in_cents(amount, cents) -> None:
    assert reading.to_minor(Decimal(amount)) == cents
    assert reading.from_minor(cents) == Decimal(amount)


def test_no_cent_is_lost_by_rounding() -> None:
    with pytest.raises(ValueError, match="cents"):
        reading.to_minor(Decimal("0.005"))


@pytest.mark.parametrize("currency", ["JPY", "jpy", "KWD"])
def test_currencies_without_cents_are_refused_by_the_fact_sheet(gateway, fact_sheet, currency) -> None:
    assert not gateway.takes(currency)
    with pytest.raises(GatewayError, match="hundredths"):
        gateway.start(describe(currency=currency))
    assert fact_sheet.requests == []


@pytest.mark.django_db
@pytest.mark.parametrize(("currency", "key", "told"), [("JPY", "sk", "E001"), ("CAD", "", "W001"), ("CAD", "sk", "")])
def test_what_would_fail_at_the_first_payment_is_told_before(settings, currency, key, told) -> None:
    settings.PAYMENT_GATEWAYS = ["payments.gateways.stripe.StripeGateway"]
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = key, "whsec"
    installed_gateways.cache_clear()
    set_provider(currency=currency)
    offer_method("stripe")
    try:
        if told:
            with pytest.raises(SystemCheckError, match=f"payments.{told}"):
                call_command("check", databases=["default"], fail_level="WARNING")
        else:
            call_command("check", databases=["default"], fail_level="WARNING")
    finally:
        installed_gateways.cache_clear()


def test_the_docs_name_every_event_to_subscribe() -> None:
    text = (PAGE.parent / "gateways.md").read_text()
    assert [name for name in EVENTS if f"`{name}`" not in text] == []


# The strict server refuses what the real one refuses


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("payment_intents", "amount=500&currency=cad&off_session=true&confirm=true&colour=red", 400),
        ("payment_intents", "currency=cad", 400),
        ("payment_intents", "amount=49&currency=cad&customer=c&payment_method=p", 400),
        ("payment_intents", "amount=-5&currency=cad&customer=c&payment_method=p", 400),
        ("payment_intents", "amount=500&currency=CAD&customer=c&payment_method=p", 400),
        ("payment_intents", "amount=500&currency=cad&customer=nobody&payment_method=p", 404),
        ("checkout/sessions", "mode=payment&success_url=https://x.example&line_items[0][price_data][sum]=5", 400),
        ("checkout/sessions", "mode=setup&success_url=https://x.example", 400),
        ("refunds", "payment_intent=nothing", 404),
        ("tokens", "", 404),
    ],
)
def test_the_server_of_the_fact_sheet_is_strict(fact_sheet, path, body, status) -> None:
    request = urllib.request.Request(f"{fact_sheet.url}/v1/{path}", body.encode())
    request.add_header("Authorization", f"Bearer {fact_sheet_server.SECRET_KEY}")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    assert refused.value.code == status
    refused.value.close()
