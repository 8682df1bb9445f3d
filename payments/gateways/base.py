"""What a payment gateway must do: values in, values out; no ORM, no request, no HTML."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal


class GatewayError(Exception):
    """The gateway could not be asked or did not answer in time: whether it acted is unknown until it is looked up."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to pay. `reference` is ours and fresh for each try; amounts are in `currency`, with two places."""

    reference: str
    amount: Decimal
    currency: str
    label: str
    email: str
    language: str
    return_url: str
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

    `absent`: the gateway never heard of the reference, so nothing was charged and nothing will be.
    """

    status: Literal["approved", "declined", "pending", "unknown", "absent"]
    gateway_reference: str = ""
    amount: Decimal | None = None
    currency: str = ""
    card_label: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A report of the gateway about one of our references; what it claims is asked back before it counts."""

    id: str
    reference: str


class Gateway(ABC):
    """One payment service. Every call has a time-out and raises GatewayError when the outcome is unknown."""

    code: ClassVar[str]
    label: ClassVar[object]
    needs: ClassVar[tuple[str, ...]] = ()

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
        """Verify and read a webhook; None when the signature is wrong or there is nothing in it for us."""
