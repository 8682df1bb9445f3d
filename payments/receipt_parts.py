"""What an app shows on the receipt's page about a thing that was paid: the code that it gives, and what to do now.

Apps plug in from their `ready()`; only the page shows it, never the mail or the PDF.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from payments.models import Order, OrderLine


@dataclass(frozen=True, slots=True)
class ReceiptPart:
    """A template, and what it reads as `part`."""

    template: str
    context: Mapping[str, Any]


Maker = Callable[[Order, OrderLine], ReceiptPart | None]
_makers: dict[str, Maker] = {}


def register(kind: str, maker: Maker) -> None:
    """Let the app of this kind of thing add to receipts; None: nothing to say."""
    _makers[kind] = maker


def parts_of(order: Order) -> list[ReceiptPart]:
    """Return what apps add to the receipt of the paid order."""
    lines = [line for line in order.lines.all() if line.settled and line.kind in _makers]
    return [part for line in lines if (part := _makers[line.kind](order, line))]
