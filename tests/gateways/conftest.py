"""The gateways under test, one at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from payments.gateways.registry import installed_gateways
from payments.gateways.stripe import client
from tests.factories.payments import offer_method
from tests.factories.vehicles import set_provider
from tests.gateways import fact_sheet_server, localstripe
from tests.gateways.contract import PEERS
from tests.gateways.fact_sheet_server import FactSheet
from tests.gateways.localstripe import LocalStripe
from tests.gateways.peers import WEBHOOK_SECRET, DemoBankPeer, FactSheetPeer, LocalStripePeer, Peer


@pytest.fixture(scope="session")
def localstripe_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStripe]:
    """One process for the run; each test makes its own people and cards."""
    folder: Path = tmp_path_factory.mktemp("localstripe")
    server = LocalStripe(folder)
    yield server
    server.stop()


@pytest.fixture
def fact_sheet(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FactSheet]:
    """The strict server, with the portal pointed at it and less patient."""
    server = FactSheet()
    use_stripe(settings, fact_sheet_server.SECRET_KEY, server.url)
    monkeypatch.setattr(client, "TIMEOUT", (1, 0.5))
    client._client.cache_clear()
    yield server
    client._client.cache_clear()
    server.stop()


def use_stripe(settings: Any, key: str, url: str) -> None:
    """Point the portal's Stripe somewhere else."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = key, url
    settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET


@pytest.fixture
def peer(request: pytest.FixtureRequest, settings: Any, db: None) -> Peer:
    """The gateway that the test's ability is asked of."""
    kind = PEERS[request.param]
    if kind is FactSheetPeer:
        return FactSheetPeer(request.getfixturevalue("fact_sheet"))
    if kind is LocalStripePeer:
        server: LocalStripe = request.getfixturevalue("localstripe_server")
        use_stripe(settings, localstripe.SECRET_KEY, server.url)
        return LocalStripePeer(server)
    return DemoBankPeer()


@pytest.fixture
def stripe_only(settings: Any, db: None) -> Iterator[None]:
    """Have Stripe as the only way to pay."""
    settings.PAYMENT_GATEWAYS = ["payments.gateways.stripe.StripeGateway"]
    installed_gateways.cache_clear()
    set_provider(currency="CAD")
    offer_method("stripe")
    yield
    installed_gateways.cache_clear()
