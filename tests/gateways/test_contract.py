"""What the portal relies on, asked of every gateway by the same tests; see contract.py for the table they write."""

import dataclasses
import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from payments.gateways.base import Attempt, Card, Event, GatewayError, NotSigned, Redirect, Result
from tests.gateways import contract
from tests.gateways.contract import ABILITIES, PEERS, ability
from tests.gateways.peers import WEBHOOK_SECRET, Peer, describe_setup, sign_as_stripe

SUM = Decimal("100.05")


def describe(reference: str = "PAY1", *, card: Card | None = None, **changes: Any) -> Attempt:
    """Return a try to pay."""
    attempt = Attempt(
        reference=reference,
        amount=SUM,
        currency="CAD",
        label="Permit R-1, Lot A",
        email="robin@example.org",
        language="fr-ca",
        return_url="https://portal.example/back/",
        begun_at=timezone.now(),
        card=card,
    )
    return dataclasses.replace(attempt, **changes)


def open_page(peer: Peer, attempt: Attempt) -> tuple[Redirect, Attempt]:
    """Open the page, and return it with the attempt as the portal knows it then."""
    page = peer.gateway.start(attempt)
    assert isinstance(page, Redirect)
    return page, dataclasses.replace(attempt, gateway_reference=page.gateway_reference)


def pay(peer: Peer, card: str = "good", reference: str = "PAY1") -> Result:
    """Pay by the hosted page where there is one, else by a stored card; return the gateway's yes."""
    if "opens a page for the sum" in peer.lacks:
        kept = peer.keep_card(card)
        return peer.gateway.charge_card(kept, describe(reference, card=kept), reason="recurring")
    page, attempt = open_page(peer, describe(reference))
    peer.pay(page, card)
    return peer.gateway.confirm(attempt)


def assert_paid(result: Result) -> None:
    assert (result.status, result.amount, result.currency) == ("approved", SUM, "CAD")
    assert result.gateway_reference


# Hosted pages


@ability("opens a page for the sum")
def test_open(peer: Peer) -> None:
    page, _attempt = open_page(peer, describe())
    assert page.url.startswith("http")
    assert dt.timedelta(minutes=10) < page.expires_at - timezone.now() < dt.timedelta(hours=1)


@ability("opens one page for one attempt")
def test_open_twice(peer: Peer) -> None:
    attempt = describe()
    assert peer.gateway.start(attempt) == peer.gateway.start(attempt)


@ability("waits while the page is open")
def test_waiting(peer: Peer) -> None:
    _page, attempt = open_page(peer, describe())
    assert peer.gateway.confirm(attempt).status == "pending"
    # The portal may have died before it wrote the gateway's reference down.
    assert peer.gateway.confirm(describe()).status == "pending"


@ability("takes the money of a good card on its page")
def test_paid(peer: Peer) -> None:
    page, attempt = open_page(peer, describe())
    peer.pay(page, "good")
    result = peer.gateway.confirm(attempt)
    assert_paid(result)
    assert result.card_label == "Visa ···· 4242"
    assert peer.gateway.confirm(attempt) == result
    assert_paid(peer.gateway.confirm(describe()))
    assert peer.count_charges("PAY1") == 1


@ability("takes nothing of a declined card on its page")
def test_declined(peer: Peer) -> None:
    page, attempt = open_page(peer, describe())
    peer.pay(page, "declined")
    # Some pages end with a refusal; others let their payer try another card.
    result = peer.gateway.confirm(attempt)
    assert result.status in ("declined", "pending")
    assert (result.amount, peer.count_charges("PAY1")) == (None, 0)


@ability("tells a slow payment when it arrives")
def test_slow(peer: Peer) -> None:
    page, attempt = open_page(peer, describe())
    peer.pay(page, "slow")
    assert peer.gateway.confirm(attempt).status == "pending"
    peer.finish_slow(page)
    assert_paid(peer.gateway.confirm(attempt))


@ability("takes nothing from a page that was left")
def test_left(peer: Peer) -> None:
    page, attempt = open_page(peer, describe())
    peer.leave(page)
    assert peer.gateway.confirm(attempt).status in ("declined", "expired")


@ability("closes the page that its payer left")
def test_leave_twice_and_after_paying(peer: Peer) -> None:
    page, attempt = open_page(peer, describe())
    for _time in range(2):
        peer.gateway.leave(gateway_reference=page.gateway_reference)
    assert peer.gateway.confirm(attempt).status == "expired"
    paid, attempt = open_page(peer, describe("PAY2"))
    peer.pay(paid, "good")
    peer.gateway.leave(gateway_reference=paid.gateway_reference)
    assert_paid(peer.gateway.confirm(attempt))


@ability("takes nothing from a page that has closed")
def test_closed(peer: Peer) -> None:
    page, attempt = open_page(peer, describe())
    peer.close(page)
    assert peer.gateway.confirm(attempt).status == "expired"


@ability("knows no attempt that never came")
def test_absent(peer: Peer) -> None:
    long_ago = timezone.now() - dt.timedelta(hours=1)
    assert peer.gateway.confirm(describe("NEVER", begun_at=long_ago)).status == "absent"


# Storing a card


@ability("opens a page that stores a card")
def test_store(peer: Peer) -> None:
    setup = describe_setup("SAVE1")
    page = peer.gateway.start_card_save(setup)
    assert isinstance(page, Redirect)
    assert peer.gateway.confirm_card_save(setup).status == "pending"
    peer.store(page, "good")
    for asked in (setup, dataclasses.replace(setup, gateway_reference=page.gateway_reference)):
        result = peer.gateway.confirm_card_save(asked)
        assert result.status == "stored"
        assert result.card
        assert (result.card.brand, result.card.last_four) == ("Visa", "4242")
        assert result.card.expires_on == dt.date(2032, 1, 1)
    charged = peer.gateway.charge_card(result.card, describe(card=result.card), reason="recurring")
    assert_paid(charged)


@ability("opens one page for one try to store")
def test_store_twice(peer: Peer) -> None:
    setup = describe_setup("SAVE1")
    assert peer.gateway.start_card_save(setup) == peer.gateway.start_card_save(setup)


@ability("stores no declined card")
def test_store_declined(peer: Peer) -> None:
    setup = describe_setup("SAVE1")
    page = peer.gateway.start_card_save(setup)
    assert isinstance(page, Redirect)
    peer.store(page, "declined")
    result = peer.gateway.confirm_card_save(setup)
    assert result.status in ("declined", "pending")
    assert result.card is None


@ability("stores a second card with the same person")
def test_store_second(peer: Peer) -> None:
    cards: list[Card] = []
    for reference in ("SAVE1", "SAVE2"):
        setup = describe_setup(reference, cards[0].customer_reference if cards else "")
        page = peer.gateway.start_card_save(setup)
        assert isinstance(page, Redirect)
        peer.store(page, "good")
        card = peer.gateway.confirm_card_save(setup).card
        assert card
        cards.append(card)
    assert cards[0].customer_reference == cards[1].customer_reference
    assert cards[0].token != cards[1].token


@ability("knows no try to store that never came")
def test_store_absent(peer: Peer) -> None:
    setup = dataclasses.replace(describe_setup("NEVER"), begun_at=timezone.now() - dt.timedelta(hours=1))
    assert peer.gateway.confirm_card_save(setup).status == "absent"


# Charging a stored card


@ability("charges a stored card")
def test_charge(peer: Peer) -> None:
    card = peer.keep_card("good")
    attempt = describe(card=card)
    result = peer.gateway.charge_card(card, attempt, reason="recurring")
    assert_paid(result)
    known = dataclasses.replace(attempt, gateway_reference=result.gateway_reference)
    assert peer.gateway.confirm(known) == result
    assert peer.count_charges("PAY1") == 1


@ability("names the stored card that paid")
def test_charge_label(peer: Peer) -> None:
    card = peer.keep_card("good")
    result = peer.gateway.charge_card(card, describe(card=card), reason="recurring")
    assert result.card_label == "Visa ···· 4242"


@ability("charges one attempt once")
def test_charge_twice(peer: Peer) -> None:
    card = peer.keep_card("good")
    attempt = describe(card=card)
    results = [peer.gateway.charge_card(card, attempt, reason="recurring") for _time in range(2)]
    assert results[0] == results[1]
    assert peer.count_charges("PAY1") == 1


@ability("finds a charge by our reference alone")
def test_charge_lookup(peer: Peer) -> None:
    card = peer.keep_card("good")
    attempt = describe(card=card)
    result = peer.gateway.charge_card(card, attempt, reason="unscheduled")
    assert peer.gateway.confirm(attempt) == result
    long_ago = timezone.now() - dt.timedelta(hours=1)
    assert peer.gateway.confirm(describe("NEVER", card=card, begun_at=long_ago)).status == "absent"


@ability("takes nothing of a stored card that is declined")
def test_charge_declined(peer: Peer) -> None:
    card = peer.keep_card("declined")
    attempt = describe(card=card)
    result = peer.gateway.charge_card(card, attempt, reason="recurring")
    assert (result.status, result.amount) == ("declined", None)
    assert result.message


@ability("says when the bank wants to ask the cardholder")
def test_charge_asks(peer: Peer) -> None:
    card = peer.keep_card("asks")
    attempt = describe(card=card)
    result = peer.gateway.charge_card(card, attempt, reason="customer_present")
    assert (result.status, result.amount) == ("needs_customer", None)
    # Nothing is left that could be paid behind our back.
    known = dataclasses.replace(attempt, gateway_reference=result.gateway_reference)
    assert peer.gateway.confirm(known).status in ("needs_customer", "declined")


@ability("leaves an answer that did not come to be looked up")
def test_no_answer(peer: Peer) -> None:
    assert_lost_and_found(peer, "slow")


@ability("fails with an error of its own")
def test_own_error(peer: Peer) -> None:
    assert_lost_and_found(peer, "break after")


@ability("is cut off after it acted")
def test_cut(peer: Peer) -> None:
    assert_lost_and_found(peer, "cut")


def assert_lost_and_found(peer: Peer, fault: str) -> None:
    """Charge without hearing the answer; the same again takes nothing more, and asking tells what happened."""
    peer.break_next(fault)
    card = peer.keep_card("good")
    attempt = describe(card=card)
    with pytest.raises(GatewayError):
        peer.gateway.charge_card(card, attempt, reason="recurring")
    peer.mend()
    assert_paid(peer.gateway.confirm(attempt))
    assert peer.count_charges("PAY1") == 1


# Money that goes back


@ability("gives all of it back")
def test_refund(peer: Peer) -> None:
    paid = pay(peer)
    result = refund(peer, paid, SUM, "BACK1")
    assert (result.status, result.amount, result.currency) == ("approved", SUM, "CAD")


def refund(peer: Peer, paid: Result, amount: Decimal, key: str) -> Result:
    return peer.gateway.refund(gateway_reference=paid.gateway_reference, amount=amount, currency="CAD", key=key)


@ability("gives it back in parts")
def test_refund_in_parts(peer: Peer) -> None:
    paid = pay(peer)
    parts = [Decimal("0.05"), Decimal("60.00"), Decimal("40.00")]
    results = [refund(peer, paid, part, f"BACK{number}") for number, part in enumerate(parts)]
    assert [(result.status, result.amount) for result in results] == [("approved", part) for part in parts]
    assert len({result.gateway_reference for result in results}) == 3


@ability("gives one refund back once")
def test_refund_twice(peer: Peer) -> None:
    paid = pay(peer)
    results = [refund(peer, paid, Decimal("60.00"), "BACK1") for _time in range(3)]
    assert results[0].status == "approved"
    assert len(set(results)) == 1
    # More than a second time would have left.
    assert refund(peer, paid, Decimal("40.05"), "BACK2").status == "approved"


@ability("gives back no more than it took")
def test_refund_too_much(peer: Peer) -> None:
    paid = pay(peer)
    assert refund(peer, paid, SUM + Decimal("0.01"), "BACK1").status == "declined"
    assert refund(peer, paid, Decimal("100.00"), "BACK2").status == "approved"
    assert refund(peer, paid, Decimal("0.06"), "BACK3").status == "declined"


@ability("tells again what became of a refund")
def test_refund_lookup(peer: Peer) -> None:
    paid = pay(peer)
    result = refund(peer, paid, Decimal("1.00"), "BACK1")
    assert peer.gateway.confirm_refund(gateway_reference=result.gateway_reference, key="BACK1") == result


@ability("tells a refund that fails later")
def test_refund_fails(peer: Peer) -> None:
    paid = pay(peer, "refund_fails")
    sent = refund(peer, paid, SUM, "BACK1")
    assert sent.status == "pending"
    assert peer.gateway.confirm_refund(gateway_reference=sent.gateway_reference, key="BACK1") == sent
    peer.finish_refund("BACK1")
    result = peer.gateway.confirm_refund(gateway_reference=sent.gateway_reference, key="BACK1")
    assert (result.status, result.gateway_reference) == ("declined", sent.gateway_reference)
    # What did not arrive may be tried anew, under a key of its own.
    assert refund(peer, paid, SUM, "BACK2").status == "pending"


# Forgetting


@ability("forgets a card, and again")
def test_forget(peer: Peer) -> None:
    card = peer.keep_card("good")
    for _time in range(2):
        peer.gateway.forget_card(card)


@ability("charges no forgotten card")
def test_charge_after_forgetting(peer: Peer) -> None:
    card = peer.keep_card("good")
    peer.gateway.forget_card(card)
    try:
        result = peer.gateway.charge_card(card, describe(card=card), reason="recurring")
    except GatewayError:
        pass
    else:
        assert result.status == "declined"
    assert peer.count_charges("PAY1") == 0


# Reports


@ability("reports a payment")
def test_report(peer: Peer) -> None:
    event = peer.gateway.read_event(*peer.report("payment", "PAY1"))
    assert event
    assert event == Event(id=event.id, reference="PAY1", about="payment")
    assert event.id


@ability("reports a stored card")
def test_report_card(peer: Peer) -> None:
    event = peer.gateway.read_event(*peer.report("card", "SAVE1"))
    assert event
    assert (event.reference, event.about) == ("SAVE1", "card")


@ability("reports a refund")
def test_report_refund(peer: Peer) -> None:
    event = peer.gateway.read_event(*peer.report("refund", "BACK1"))
    assert event
    assert (event.reference, event.about) == ("BACK1", "refund")


@ability("reports a dispute")
def test_report_dispute(peer: Peer) -> None:
    event = peer.gateway.read_event(*peer.report("dispute", "PAY1"))
    assert event
    assert (event.reference, event.about) == ("PAY1", "dispute")


@ability("signs its reports")
def test_unsigned(peer: Peer) -> None:
    body, headers = peer.report("payment", "PAY1")
    (name,) = [name for name in headers if "signature" in name.lower()]
    for wrong in ({}, {name: ""}, {name: "t=1,v1=00"}, {name: "ünsigned"}, {name: headers[name][:-1] + "x"}):
        with pytest.raises(NotSigned):
            peer.gateway.read_event(body, wrong)
    for changed in (body.replace(b"PAY1", b"PAY2"), body + b" ", b"", b"\xff"):
        with pytest.raises(NotSigned):
            peer.gateway.read_event(changed, headers)


@ability("reports once are not repeated later")
def test_old_report(peer: Peer) -> None:
    event = PEERS["by_the_fact_sheet"].describe_event(peer, "payment", "PAY1")  # type: ignore[attr-defined]
    assert peer.gateway.read_event(*sign_as_stripe(event, WEBHOOK_SECRET, age=290))
    with pytest.raises(NotSigned):
        peer.gateway.read_event(*sign_as_stripe(event, WEBHOOK_SECRET, age=310))


@ability("takes a new secret beside the old one")
def test_rotation(peer: Peer, settings: Any) -> None:
    event = PEERS["by_the_fact_sheet"].describe_event(peer, "payment", "PAY1")  # type: ignore[attr-defined]
    settings.STRIPE_WEBHOOK_SECRET = f"whsec_new, {WEBHOOK_SECRET}"
    for secret in ("whsec_new", WEBHOOK_SECRET):
        assert peer.gateway.read_event(*sign_as_stripe(event, secret))
    for secret in ("whsec_other", f"whsec_new, {WEBHOOK_SECRET}", ","):
        with pytest.raises(NotSigned):
            peer.gateway.read_event(*sign_as_stripe(event, secret))


@ability("ignores what is not for us")
def test_unknown_kind(peer: Peer) -> None:
    assert peer.gateway.read_event(*peer.report("payment", "PAY1", kind="customer.created")) is None


# The table


def test_every_lack_is_an_ability() -> None:
    for kind in PEERS.values():
        assert set(kind.lacks) <= set(ABILITIES)


def test_the_table_in_the_docs_is_what_the_tests_say() -> None:
    assert contract.PAGE.read_text() == contract.draw_table(), "run: python -m tools.contract"
