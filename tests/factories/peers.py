"""Peers that do what a test tells them: a gateway and a product, plugged in where the real ones are."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from django.utils import timezone

from opscom.core.errors import Refused
from opscom.core.money import round_money
from payments.gateways.base import (
    Attempt,
    Card,
    CardResult,
    CardSetup,
    ChargeReason,
    Event,
    Gateway,
    Redirect,
    Result,
)
from payments.models import Order
from payments.purchasables import Done, Quote, TaxPart

Answer = Result | BaseException


def approved(amount: str | None = "100.00", currency: str = "CAD") -> Result:
    """Return a gateway's yes."""
    received = None if amount is None else Decimal(amount)
    return Result(status="approved", gateway_reference="g-1", amount=received, currency=currency, card_label="Visa")


STORED = Card(
    customer_reference="c-1",
    token="t-1",
    brand="Visa",
    last_four="4242",
    expires_on=dt.date(2031, 1, 1),
)


def _next(answers: list[Any]) -> Any:
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if callable(answer) and not isinstance(answer, type):
        answer = answer()
    if isinstance(answer, BaseException):
        raise answer
    return answer


class ScriptedGateway(Gateway):
    """Answers from lists; the last answer stays. An exception in a list is raised, a function is called.

    What it was asked stands in `asked`, `refund_keys`, `refund_looks`, `card_setups`, `charged` and `forgotten`.
    """

    code = "scripted"
    label = "Scripted"
    stores_cards = True

    def __init__(self) -> None:
        self.starts: list[Any] = [None]
        self.answers: list[Any] = [Result(status="pending")]
        self.refunds: list[Any] = [Result(status="approved", gateway_reference="r-1")]
        self.refund_answers: list[Any] = [Result(status="unknown")]
        self.card_starts: list[Any] = [None]
        self.card_answers: list[Any] = [CardResult(status="stored", card=STORED)]
        self.charges: list[Any] = [approved()]
        self.forgets: list[Any] = [None]
        self.asked: list[str] = []
        self.refund_keys: list[str] = []
        self.refund_looks: list[str] = []
        self.card_setups: list[CardSetup] = []
        self.charged: list[tuple[Card, Attempt, ChargeReason]] = []
        self.forgotten: list[Card] = []

    def start(self, attempt: Attempt) -> Redirect:
        """Open a page for twenty minutes."""
        return self._open(self.starts)

    def _open(self, answers: list[Any]) -> Redirect:
        _next(answers)
        expires_at = timezone.now() + dt.timedelta(minutes=20)
        return Redirect(url="https://bank.example/page", gateway_reference="g-1", expires_at=expires_at)

    def confirm(self, attempt: Attempt) -> Result:
        """Give the next answer."""
        self.asked.append(attempt.reference)
        result: Result = _next(self.answers)
        return result

    def refund(self, *, gateway_reference: str, amount: Decimal, currency: str, key: str) -> Result:
        """Give the next answer about money that goes back."""
        self.refund_keys.append(key)
        result: Result = _next(self.refunds)
        return result

    def confirm_refund(self, *, gateway_reference: str, key: str) -> Result:
        """Give the next answer about a refund that was sent before."""
        self.refund_looks.append(key)
        result: Result = _next(self.refund_answers)
        return result

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Event | None:
        """Every body is an event about the reference that it holds: `ABC` a payment's, `refund/ABC` a refund's."""
        about, _slash, reference = body.decode().rpartition("/")
        return Event(id=body.decode(), reference=reference, about=about or "payment")

    def start_card_save(self, setup: CardSetup) -> Redirect:
        """Open a page for twenty minutes."""
        self.card_setups.append(setup)
        return self._open(self.card_starts)

    def confirm_card_save(self, setup: CardSetup) -> CardResult:
        """Give the next answer about a card that is to be stored."""
        self.asked.append(setup.reference)
        result: CardResult = _next(self.card_answers)
        return result

    def charge_card(self, card: Card, attempt: Attempt, *, reason: ChargeReason) -> Result:
        """Give the next answer about a charge."""
        self.charged.append((card, attempt, reason))
        result: Result = _next(self.charges)
        return result

    def forget_card(self, card: Card) -> None:
        """Forget it, unless told to fail."""
        self.forgotten.append(card)
        _next(self.forgets)


class ScriptedProduct:
    """Things that anybody may pay for, $100.00 each unless `prices` says otherwise."""

    kind = "thing"
    is_held = False
    label = "Things"

    def __init__(self) -> None:
        self.outcomes: list[Any] = [Done()]
        self.prices: dict[int, Decimal] = {}
        self.delivered: list[int] = []
        self.released: list[int] = []
        self.promised: list[int] = []
        self.ended: list[int] = []
        self.quote_facts: dict[str, Any] = {}
        self.percents: list[str] = []

    def list_due(self, payer: Any) -> list[Quote]:
        """Nothing is owed by itself."""
        return []

    def quote(self, object_ids: Collection[int], *, payer: Any, lock: bool) -> list[Quote]:
        """Return a quote for each."""
        return [
            Quote(
                kind=self.kind,
                object_id=pk,
                label=f"Thing {pk}",
                net=self._price(pk),
                taxes=[
                    TaxPart("Tax", "T1", Decimal(percent), round_money(self._price(pk) * Decimal(percent) / 100))
                    for percent in self.percents
                ],
                **self.quote_facts,
            )
            for pk in sorted(object_ids)
        ]

    def _price(self, pk: int) -> Decimal:
        return self.prices.get(pk, Decimal("100.00"))

    def hold(self, object_ids: Collection[int], *, until: dt.datetime) -> None:
        """Nothing to hold."""

    def promise(self, object_ids: Collection[int], *, order: Order, until: dt.datetime) -> None:
        """Note it."""
        self.promised.extend(object_ids)

    def end_promise(self, object_ids: Collection[int], *, order: Order) -> None:
        """Note it."""
        self.ended.extend(object_ids)

    def fulfil(self, object_id: int, *, order: Order) -> Done | Refused:
        """Give the next outcome."""
        outcome: Done | Refused = _next(self.outcomes)
        self.delivered.append(object_id)
        return outcome

    def release(self, object_id: int, *, order: Order) -> None:
        """Note it."""
        self.released.append(object_id)
