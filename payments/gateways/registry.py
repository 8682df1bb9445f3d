"""Which gateways there are, and which are offered: configured (environment) and switched on (office) are two facts."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from opscom.provider.selectors import get_provider
from payments.gateways.base import Gateway


@cache
def installed_gateways() -> dict[str, Gateway]:
    """Return every gateway of this installation by its code."""
    gateways = [import_string(path)() for path in settings.PAYMENT_GATEWAYS]
    return {gateway.code: gateway for gateway in gateways}


def missing_settings(gateway: Gateway) -> list[str]:
    """Return the names of settings that the gateway needs and that are empty."""
    return [name for name in gateway.needs if not getattr(settings, name, "")]


def offered_gateways() -> list[Gateway]:
    """Return the gateways that payers may choose now."""
    switched_on = set(get_provider().gateways_on)
    return [g for code, g in installed_gateways().items() if code in switched_on and not missing_settings(g)]


def offered_form_origins() -> list[str]:
    """Return where forms may lead on a page whose form ends at a gateway's hosted page."""
    return sorted({origin for gateway in offered_gateways() for origin in gateway.form_origins()})
