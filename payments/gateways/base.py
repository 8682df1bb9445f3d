"""What a payment gateway must do: values in, values out; no ORM, no request, no HTML."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal


class GatewayError(Exception):
    """The gateway could not be asked or did not answer in time: whether it acted is unknown until it is looked up."""


class NotSigned(Exception):
    """A report that the gateway did not sign, or signed too long ago: somebody else may have sent it."""


@dataclass(frozen=True, slots=True)
class Card:
    """A card that the gateway keeps for us: its own references, and what a person recognises it by. Never a number.

    `expires_on` is the first day on which it is no longer valid.
    """

    customer_reference: str
    token: str
    brand: str = ""
    last_four: str = ""
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to pay. `reference` is ours and fresh for each try; amounts are in `currency`, with two places.

    `begun_at` is when its row was written: the same attempt described twice asks the gateway for the same thing. `card`:
    the stored card that it charges, with nobody at a page of the gateway.
    """

    reference: str
    amount: Decimal
    currency: str
    label: str
    email: str
    language: str
    return_url: str
    begun_at: datetime
    gateway_reference: str = ""
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class CardSetup:
    """One try to store a card without a charge. `customer_reference` is empty until the gateway knows the person."""

    reference: str
    name: str
    email: str
    language: str
    currency: str
    return_url: str
    begun_at: datetime
    customer_reference: str = ""
    gateway_reference: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the payer to `url`, a page of the gateway that closes at `expires_at`."""

    url: str
    gateway_reference: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Embedded:
    """Show the gateway's script on our page (Moneris Checkout); `ticket` is what it needs."""

    script_url: str
    ticket: str
    gateway_reference: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What the gateway says about an attempt or a refund. `unknown` and `pending` are asked again later.

    `expired`: the page closed before anything was paid, and the gateway takes nothing for it any more.
    `absent`: the gateway never heard of the reference, so nothing was charged and nothing will be. `needs_customer`: the
    card's bank wants to ask its holder, who must pay on the gateway's page; nothing was charged.
    """

    status: Literal["approved", "declined", "needs_customer", "expired", "pending", "unknown", "absent"]
    gateway_reference: str = ""
    amount: Decimal | None = None
    currency: str = ""
    card_label: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class CardResult:
    """What became of a try to store a card; `card` stands when it was stored."""

    status: Literal["stored", "declined", "pending", "unknown", "absent"]
    card: Card | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A report of the gateway about one of our references; what it claims is asked back before it counts.

    `about` says what the reference names: a payment (its own reference), a refund (its key), a try to store a card, or a
    payment that its payer disputes.
    """

    id: str
    reference: str
    about: Literal["payment", "refund", "card", "dispute"] = "payment"


# Why a stored card is charged, as the card networks ask: its holder is buying this now, a term begins anew, or we do it
# by a rule that the holder agreed to.
ChargeReason = Literal["customer_present", "recurring", "unscheduled"]


class Gateway(ABC):
    """One payment service. Every call has a time-out and raises GatewayError when the outcome is unknown."""

    code: ClassVar[str]
    label: ClassVar[object]
    needs: ClassVar[tuple[str, ...]] = ()
    # Whether cards can be stored here: then the four methods below the line are there.
    stores_cards: ClassVar[bool] = False

    @abstractmethod
    def start(self, attempt: Attempt) -> Redirect | Embedded:
        """Open the hosted page for the attempt."""

    @abstractmethod
    def confirm(self, attempt: Attempt) -> Result:
        """Ask the gateway what became of the attempt, by our reference or its own."""

    @abstractmethod
    def refund(self, *, gateway_reference: str, amount: Decimal, currency: str, key: str) -> Result:
        """Send money back; the same `key` again is the same refund."""

    @abstractmethod
    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Event | None:
        """Verify and read a webhook; None when there is nothing in it for us. Raises NotSigned."""

    def form_origins(self) -> list[str]:
        """Return the origins of its hosted pages: a page of ours whose form leads there must name them to browsers."""
        return []

    def confirm_refund(self, *, gateway_reference: str, key: str) -> Result:
        """Ask what became of a refund that was sent, by the reference that the gateway gave it and by our key.

        Gateways that answer a refund at once have nothing to add. A yes may be taken back: the card's bank may refuse the
        money days later, and then the answer is declined.
        """
        return Result(status="unknown")

    def leave(self, *, gateway_reference: str) -> None:  # noqa: B027 - most gateways have nothing to do
        """Close a hosted page whose person came back by its way out; one that is finished stays as it is.

        Such a person comes to `return_url` with `?left=1`. Gateways that close their page by themselves do nothing here.
        """

    def takes(self, currency: str) -> bool:
        """Say whether the gateway counts this currency as we do, in hundredths."""
        return True

    # Stored cards. A gateway that has none keeps `stores_cards` False, and is never asked.

    def start_card_save(self, setup: CardSetup) -> Redirect | Embedded:
        """Open the hosted page on which a card is stored without a charge."""
        raise NotImplementedError

    def confirm_card_save(self, setup: CardSetup) -> CardResult:
        """Ask what became of it."""
        raise NotImplementedError

    def charge_card(self, card: Card, attempt: Attempt, *, reason: ChargeReason) -> Result:
        """Charge a stored card, with nobody at the gateway's page; the same attempt again is the same charge."""
        raise NotImplementedError

    def forget_card(self, card: Card) -> None:
        """Remove a card at the gateway; one that is gone already is no error."""
        raise NotImplementedError
