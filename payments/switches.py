"""The switches under `Manage Credit Cards`: what a stored method pays for by itself, thing by thing.

Payments makes the socket, each product plugs in from its app's `ready()`: payments knows none of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from payments.models import SubscriptionUse


@dataclass(frozen=True, slots=True)
class Switch:
    """One thing that renews itself: `url` takes a POST of `on` (yes or no), and of `back` (cards), the page to return to."""

    label: str
    detail: str
    url: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class SwitchGroup:
    """The switches of one use, under its name."""

    use: SubscriptionUse
    switches: list[Switch]


_sources: dict[SubscriptionUse, Callable[[Any], list[Switch]]] = {}


def register(use: SubscriptionUse, source: Callable[[Any], list[Switch]]) -> None:
    """Plug in what lists a person's switches of this use."""
    _sources[use] = source


def switches_of(person: Any) -> list[SwitchGroup]:
    """Return the person's switches, use by use; a use without any is left out."""
    groups = [SwitchGroup(use, _sources[use](person)) for use in sorted(_sources)]
    return [group for group in groups if group.switches]
