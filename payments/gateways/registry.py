"""Which gateways this installation has. Whether people may choose one is said by the office's payment methods."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from payments.gateways.base import Gateway


@cache
def installed_gateways() -> dict[str, Gateway]:
    """Return every gateway of this installation by its code."""
    gateways = [import_string(path)() for path in settings.PAYMENT_GATEWAYS]
    return {gateway.code: gateway for gateway in gateways}


def missing_settings(gateway: Gateway) -> list[str]:
    """Return the names of settings that the gateway needs and that are empty."""
    return [name for name in gateway.needs if not getattr(settings, name, "")]


def configured_gateways() -> dict[str, Gateway]:
    """Return the gateways that have all their settings: configured (environment) and switched on (office) are two facts."""
    return {code: gateway for code, gateway in installed_gateways().items() if not missing_settings(gateway)}


def form_origins() -> list[str]:
    """Return where forms may lead on a page whose form ends at a gateway's hosted page."""
    return sorted({origin for gateway in configured_gateways().values() for origin in gateway.form_origins()})
