"""A gateway and a product that do as they are told."""

from collections.abc import Iterator

import pytest

from payments import purchasables
from payments.gateways.registry import installed_gateways
from tests.factories.payments import offer_method
from tests.factories.peers import ScriptedGateway, ScriptedProduct
from tests.factories.vehicles import set_provider


@pytest.fixture
def gateway(settings, db) -> Iterator[ScriptedGateway]:
    settings.PAYMENT_GATEWAYS = ["tests.factories.peers.ScriptedGateway"]
    installed_gateways.cache_clear()
    set_provider(currency="CAD")
    offer_method("scripted")
    yield installed_gateways()["scripted"]
    installed_gateways.cache_clear()


@pytest.fixture
def product() -> Iterator[ScriptedProduct]:
    product = ScriptedProduct()
    purchasables.register(product)
    yield product
    del purchasables._registry[product.kind]
