"""Which abilities every gateway must show, and the table of who shows which: written by the tests themselves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.gateways.peers import DemoBankPeer, FactSheetPeer, LocalStripePeer, Peer

PEERS: dict[str, type[Peer]] = {
    "demo_bank": DemoBankPeer,
    "by_the_fact_sheet": FactSheetPeer,
    "by_localstripe": LocalStripePeer,
}
PAGE = Path(__file__).parents[2] / "docs" / "operations" / "gateway-contract.md"
# The ability and its test, in the order of the file.
ABILITIES: dict[str, str] = {}

HEAD = """# What every gateway does

Written by `python -m tools.contract` from `tests/gateways/test_contract.py`; a test says when it is out of date. A tick is
a test that passes for that gateway, with the same code for each. 'By the fact sheet' is a small strict server of ours,
built from the vendor's pages and from the typed parameters of the vendor's library: it shows that we keep to the vendor's
word. 'By localstripe' is a stand-in written by others. Neither is the service itself: `gateways.md` says what to look at in
its sandbox before going live.
"""


def ability(words: str) -> Callable[[Any], Any]:
    """Mark a test as the proof of an ability: it runs for each gateway but those that lack it, and stands in the table."""

    def mark(test: Any) -> Any:
        ABILITIES[words] = test.__name__
        offered = [code for code, peer in PEERS.items() if words not in peer.lacks]
        return pytest.mark.parametrize("peer", offered, indirect=True)(test)

    return mark


def draw_table() -> str:
    """Return the page for `docs/operations/gateway-contract.md`."""
    peers = list(PEERS.values())
    rows = ["| The gateway … | " + " | ".join(peer.name for peer in peers) + " |", "|---" * (len(peers) + 1) + "|"]
    reasons: list[str] = []
    for words in ABILITIES:
        cells = []
        for peer in peers:
            why = peer.lacks.get(words)
            if why and why not in reasons:
                reasons.append(why)
            cells.append(f"({reasons.index(why) + 1})" if why else "✓")
        rows.append(f"| {words} | " + " | ".join(cells) + " |")
    notes = [f"{number}. {why[0].upper()}{why[1:]}." for number, why in enumerate(reasons, 1)]
    return "\n".join([HEAD, *rows, "", "Not shown, and why:", "", *notes, ""])
