"""The gateways under test, each with somebody at its hosted page, and what can go wrong on the way to it."""

import datetime as dt
import json
import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from django.utils import timezone
from stripe import WebhookSignature

from demo.bank import cards as bank_cards
from demo.bank import services as bank
from demo.bank.gateway import SIGNATURE_HEADER, DemoBank, sign
from demo.bank.models import BankCardPage, BankRefund, BankSession
from payments.gateways.base import Card, CardSetup, Gateway, Redirect
from payments.gateways.stripe import StripeGateway
from tests.gateways import fact_sheet as sheet
from tests.gateways.fact_sheet_server import FactSheet
from tests.gateways.localstripe import LocalStripe

Signed = tuple[bytes, dict[str, str]]
WEBHOOK_SECRET = "whsec_of_the_tests"


class Peer(ABC):
    """A gateway and the world around it. `lacks` names the abilities that cannot be shown here, and why."""

    name: ClassVar[str]
    lacks: ClassVar[dict[str, str]] = {}
    gateway: Gateway

    @abstractmethod
    def pay(self, page: Redirect, card: str) -> None:
        """Pay on the page with a card: good, declined, slow (approved later), or refund_fails."""

    @abstractmethod
    def finish_slow(self, page: Redirect) -> None:
        """Let the slow payment arrive."""

    @abstractmethod
    def leave(self, page: Redirect) -> None:
        """Go back by the page's own way out."""

    @abstractmethod
    def close(self, page: Redirect) -> None:
        """Let the time of the page be over."""

    @abstractmethod
    def store(self, page: Redirect, card: str) -> None:
        """Store a card on the page: good or declined."""

    @abstractmethod
    def keep_card(self, card: str) -> Card:
        """Return a stored card: good, declined, asks, or refund_fails."""

    @abstractmethod
    def count_charges(self, reference: str) -> int:
        """Return how often money was taken for the attempt."""

    @abstractmethod
    def finish_refund(self, key: str) -> None:
        """Let a refund that is under way come to its end."""

    @abstractmethod
    def report(self, about: str, reference: str, *, kind: str = "") -> Signed:
        """Return a signed report about our reference; `kind` is one that is not for us."""

    def break_next(self, fault: str) -> None:
        """Have the next request go wrong: no answer, an error of its own, or a line that is cut."""
        raise NotImplementedError

    def mend(self) -> None:  # noqa: B027 - most have nothing to mend
        """Let what was slow be over."""


class DemoBankPeer(Peer):
    """The demo bank, in this very program."""

    name = "Demo bank"
    lacks = {
        "fails with an error of its own": "it runs in this very program: there is no line to it",
        "is cut off after it acted": "it runs in this very program: there is no line to it",
        "reports once are not repeated later": "it signs no time",
        "takes a new secret beside the old one": "its key is derived from the portal's own",
        "reports a dispute": "it has none",
        "closes the page that its payer left": "its page closes itself by its own button",
    }
    NUMBERS: ClassVar[dict[str, str]] = {
        "good": "4242424242424242",
        "declined": "4000000000000002",
        "slow": "4000000000000457",
        "refund_fails": bank.REFUND_FAILS,
    }
    STORED: ClassVar[dict[str, str]] = {
        **NUMBERS,
        "declined": "4000000000009995",
        "asks": "4000002760003184",
        "silent": "4000000000000119",
    }

    def __init__(self) -> None:
        self.gateway = DemoBank()
        self.is_silent = False

    def _session(self, page: Redirect) -> BankSession:
        return BankSession.objects.get(token=page.gateway_reference)

    def pay(self, page: Redirect, card: str) -> None:
        test_card = bank.find_card(self.NUMBERS[card])
        assert test_card
        bank.pay(self._session(page), test_card)

    def finish_slow(self, page: Redirect) -> None:
        BankSession.objects.filter(token=page.gateway_reference).update(approves_at=timezone.now())

    def leave(self, page: Redirect) -> None:
        bank.cancel(self._session(page))

    def close(self, page: Redirect) -> None:
        rows = {"token": page.gateway_reference}
        BankSession.objects.filter(**rows).update(expires_at=timezone.now())

    def store(self, page: Redirect, card: str) -> None:
        number = {"good": self.NUMBERS["good"], "declined": self.NUMBERS["declined"]}[card]
        storable = bank_cards.find_storable(number)
        assert storable
        card_page = BankCardPage.objects.get(token=page.gateway_reference)
        bank_cards.store_card(card_page, storable, expires_on=dt.date(2032, 1, 1))

    def keep_card(self, card: str) -> Card:
        # Silence is a matter of the card here: whatever is charged next is charged without an answer.
        number = self.STORED["silent" if self.is_silent else card]
        setup = describe_setup(f"KEEP{time.monotonic_ns()}"[-30:])
        page = self.gateway.start_card_save(setup)
        storable = bank_cards.find_storable(number)
        assert storable
        card_page = BankCardPage.objects.get(token=page.gateway_reference)
        bank_cards.store_card(card_page, storable, expires_on=dt.date(2032, 1, 1))
        kept = self.gateway.confirm_card_save(setup).card
        assert kept
        return kept

    def count_charges(self, reference: str) -> int:
        return BankSession.objects.filter(reference=reference, status="approved").count()

    def finish_refund(self, key: str) -> None:
        BankRefund.objects.filter(key=key).update(settles_at=timezone.now())

    def report(self, about: str, reference: str, *, kind: str = "") -> Signed:
        body = json.dumps({"id": f"evt-{reference}", "reference": reference, "about": kind or about}).encode()
        return body, {SIGNATURE_HEADER: sign(body)}

    def break_next(self, fault: str) -> None:
        assert fault == "slow"
        self.is_silent = True

    def mend(self) -> None:
        BankSession.objects.update(answers_from=timezone.now())


def sign_as_stripe(event: dict[str, Any], secret: str, *, age: int = 0) -> Signed:
    """Return the event as Stripe would send it, signed `age` seconds ago."""
    text = json.dumps(event)
    header = WebhookSignature.generate_signature_header(text, secret, timestamp=int(time.time()) - age)
    return text.encode(), {"Stripe-Signature": header}


class FactSheetPeer(Peer):
    """Our Stripe adapter against the strict server of the fact sheet."""

    name = "Stripe, by the fact sheet"
    NUMBERS: ClassVar[dict[str, str]] = {
        "good": sheet.GOOD,
        "declined": sheet.DECLINED,
        "refund_fails": sheet.REFUND_FAILS,
        "asks": sheet.ASKS_ALWAYS,
    }

    def __init__(self, server: FactSheet) -> None:
        self.server, self.books = server, server.books
        self.gateway = StripeGateway()

    def pay(self, page: Redirect, card: str) -> None:
        if card == "slow":
            self.server.finish_unpaid(page.gateway_reference, "processing")
        else:
            self.server.pay(page.gateway_reference, self.NUMBERS[card])

    def finish_slow(self, page: Redirect) -> None:
        session = self.books.things[page.gateway_reference]
        intent = self.books.things[session["payment_intent"]]
        intent.update(status="succeeded", amount_received=intent["amount"])
        session["payment_status"] = "paid"

    def leave(self, page: Redirect) -> None:
        self.gateway.leave(gateway_reference=page.gateway_reference)

    def close(self, page: Redirect) -> None:
        self.books.things[page.gateway_reference].update(status="expired", url=None)

    def store(self, page: Redirect, card: str) -> None:
        self.server.store(page.gateway_reference, self.NUMBERS[card])

    def keep_card(self, card: str) -> Card:
        number = sheet.FAILS_LATER if card == "declined" else self.NUMBERS[card]
        customer = self.books.make("customer", "cus", name="Robin Marsh", email=None, metadata={})
        method = sheet.make_card(self.books, number, customer["id"])
        return Card(customer_reference=customer["id"], token=method["id"])

    def count_charges(self, reference: str) -> int:
        charges = self.books.all("charge")
        return len([charge for charge in charges if charge["metadata"].get("reference") == reference])

    def finish_refund(self, key: str) -> None:
        (refund,) = [row for row in self.books.all("refund") if row["metadata"].get("key") == key]
        refund["status"] = "failed" if refund["status"] == "pending" else refund["status"]

    def report(self, about: str, reference: str, *, kind: str = "") -> Signed:
        return sign_as_stripe(self.describe_event(about, reference, kind), WEBHOOK_SECRET)

    def describe_event(self, about: str, reference: str, kind: str = "") -> dict[str, Any]:
        """Return an event of Stripe's about our reference."""
        kinds = {
            "payment": ("checkout.session.completed", {"mode": "payment", "client_reference_id": reference}),
            "card": ("checkout.session.completed", {"mode": "setup", "client_reference_id": reference}),
            "refund": ("refund.updated", {"metadata": {"key": reference}}),
            "dispute": ("charge.dispute.created", {"payment_intent": "pi_disputed", "metadata": {}}),
        }
        name, shown = kinds[about]
        if about == "dispute":
            self.books.things["pi_disputed"] = {
                "id": "pi_disputed", "object": "payment_intent", "metadata": {"reference": reference}
            }  # fmt: skip
        return {"id": f"evt_{reference}", "object": "event", "type": kind or name, "data": {"object": shown}}

    def break_next(self, fault: str) -> None:
        # Twice: the library repeats once by itself, and would get its answer.
        self.server.faults = [fault, fault]


class LocalStripePeer(Peer):
    """Our Stripe adapter against localstripe, written by others; it runs as a process of its own."""

    name = "Stripe, by localstripe"
    NO_PAGES = "not offered by the stand-in: it has no Checkout"
    NO_KEYS = "not offered by the stand-in: it ignores idempotency keys"
    NO_LISTS = "not offered by the stand-in: its charges cannot be listed by customer"
    lacks = {
        **dict.fromkeys(
            [
                "opens a page for the sum",
                "opens one page for one attempt",
                "waits while the page is open",
                "takes the money of a good card on its page",
                "takes nothing of a declined card on its page",
                "tells a slow payment when it arrives",
                "takes nothing from a page that was left",
                "closes the page that its payer left",
                "takes nothing from a page that has closed",
                "knows no attempt that never came",
                "opens a page that stores a card",
                "opens one page for one try to store",
                "stores no declined card",
                "stores a second card with the same person",
                "knows no try to store that never came",
            ],
            NO_PAGES,
        ),
        "names the stored card that paid": "not offered by the stand-in: its charges tell no card",
        "charges one attempt once": NO_KEYS,
        "finds a charge by our reference alone": NO_LISTS,
        "leaves an answer that did not come to be looked up": NO_LISTS,
        "fails with an error of its own": NO_LISTS,
        "is cut off after it acted": NO_LISTS,
        "gives back no more than it took": "not offered by the stand-in: it takes any sum",
        "tells a refund that fails later": "not offered by the stand-in: its refunds arrive at once",
        "charges no forgotten card": "not offered by the stand-in: it charges a detached card",
        "reports a stored card": NO_PAGES,
        "reports a refund": "not offered by the stand-in: it reports none",
        "reports a dispute": "not offered by the stand-in: it has none",
        "reports once are not repeated later": "shown by the fact sheet: the same code, the library's own clock",
        "takes a new secret beside the old one": "shown by the fact sheet: the same code",
        "ignores what is not for us": "shown by the fact sheet: the same code",
    }
    NUMBERS: ClassVar[dict[str, str]] = {
        "good": "4242424242424242",
        "declined": "4000000000000341",
        "asks": "4000002760003184",
    }

    def __init__(self, server: LocalStripe) -> None:
        self.server = server
        self.gateway = StripeGateway()

    def pay(self, page: Redirect, card: str) -> None:
        raise NotImplementedError

    finish_slow = leave = close = finish_refund = pay  # type: ignore[assignment]
    store = pay

    def keep_card(self, card: str) -> Card:
        customer, method = self.server.store_card(self.NUMBERS[card])
        return Card(customer_reference=customer, token=method)

    def count_charges(self, reference: str) -> int:
        intents = self.server.get("payment_intents?limit=100")["data"]
        return len([row for row in intents if row["metadata"].get("reference") == reference])

    def report(self, about: str, reference: str, *, kind: str = "") -> Signed:
        assert about == "payment"
        return self.server.catch_report(reference, WEBHOOK_SECRET)


def describe_setup(reference: str, customer: str = "") -> CardSetup:
    """Return a try to store a card."""
    return CardSetup(
        reference=reference,
        name="Robin Marsh",
        email="robin@example.org",
        language="fr-ca",
        currency="CAD",
        return_url="https://portal.example/back/",
        begun_at=timezone.now(),
        customer_reference=customer,
    )
