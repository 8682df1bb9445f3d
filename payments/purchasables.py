"""The socket for everything that can be paid: payments makes it, each product plugs in, and payments knows none of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from opscom.core.errors import Refused
from opscom.core.money import ZERO
from payments.models import Order


@dataclass(frozen=True, slots=True)
class TaxPart:
    """One tax of a quote, as it will stand on the receipt."""

    name: str
    number: str
    percent: Decimal
    amount: Decimal

    def as_json(self) -> dict[str, str]:
        """Return it as it is stored on an order line."""
        return {"name": self.name, "number": self.number, "percent": str(self.percent), "amount": str(self.amount)}


@dataclass(frozen=True, slots=True)
class Quote:
    """What one thing costs its payer now. `lock_reason` set: it may not be paid now, and this is why; `locked_until`: as
    far as anybody can say.

    `must_pay_with` names the things (kind and id) without which it cannot be paid. `seal` says what stays shut until it is
    paid: it stands beside a grey lock.

    `give_back_url` is a page that asks first, `extend_url` takes a POST; each is empty when that may not be done.

    Where somebody may promise to bring the money: `promise_note` says what the thing is until then, `promise_before` is
    the first instant at which it is worth nothing any more.
    """

    kind: str
    object_id: int
    label: str
    net: Decimal
    taxes: Sequence[TaxPart] = ()
    detail: str = ""
    url: str = ""
    held_until: datetime | None = None
    give_back_url: str = ""
    extend_url: str = ""
    lock_reason: str = ""
    locked_until: datetime | None = None
    must_pay_with: Collection[tuple[str, int]] = ()
    seal: str = ""
    account_code: str = ""
    exemption_number: str = ""
    is_payable_by_promise: bool = True
    promise_note: str = ""
    promise_before: datetime | None = None

    @property
    def tax(self) -> Decimal:
        return sum((part.amount for part in self.taxes), ZERO)

    @property
    def amount(self) -> Decimal:
        return self.net + self.tax

    @property
    def key(self) -> str:
        """The value of its checkbox on the payments page."""
        return f"{self.kind}:{self.object_id}"


@dataclass(frozen=True, slots=True)
class Done:
    """`fulfil` delivered, now or at an earlier call."""


class Purchasable(Protocol):
    """What a product's app must answer. All run inside the caller's transaction, which holds the order's lock."""

    kind: str
    label: Any
    # Whether its things are held for a while, so that they stand in the cart on every page; else no page need ask for them.
    is_held: bool

    def list_due(self, payer: Any) -> list[Quote]:
        """Return everything of this kind that the payer may or must pay, without locks."""

    def quote(self, object_ids: Collection[int], *, payer: Any, lock: bool) -> list[Quote]:
        """Return quotes of those that this payer may pay now; `lock` locks their rows first, sorted by pk."""

    def hold(self, object_ids: Collection[int], *, until: datetime) -> None:
        """Keep them for the payer while they are at the gateway; may be refused silently when held often enough."""

    def promise(self, object_ids: Collection[int], *, order: Order, until: datetime) -> None:
        """Keep them until then for a payer who promised the money; valid at once where the product's rule says so."""

    def end_promise(self, object_ids: Collection[int], *, order: Order) -> None:
        """The promise was not kept, or was taken back: free them, also what was valid at once."""

    def fulfil(self, object_id: int, *, order: Order) -> Done | Refused:
        """Deliver what is paid. Twice is the same as once. Refused: it cannot be delivered any more, refund it."""

    def release(self, object_id: int, *, order: Order) -> None:
        """Take back what was delivered: its money is going back."""


_registry: dict[str, Purchasable] = {}


def register(purchasable: Purchasable) -> None:
    """Plug a product in, from its app's `ready()`."""
    _registry[purchasable.kind] = purchasable


def get_purchasable(kind: str) -> Purchasable:
    """Return the product's side; KeyError when its app is not installed."""
    return _registry[kind]


def all_purchasables() -> list[Purchasable]:
    """Return every product, by kind, the order in which their rows are locked."""
    return [_registry[kind] for kind in sorted(_registry)]
