"""What would fail at the first payment is told before."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, transaction

from opscom.provider.selectors import get_provider
from payments.gateways.registry import installed_gateways, missing_settings
from payments.models import PaymentMethod


@register(Tags.database)
def check_offered_gateways(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Each gateway behind a payment method that is on has its settings, and counts the provider's currency as we do."""
    if not databases:
        return []
    try:
        with transaction.atomic():
            currency = get_provider().currency
            codes = set(PaymentMethod.objects.filter(is_on=True).exclude(gateway="").values_list("gateway", flat=True))
    except DatabaseError:
        # Before the first migration there is nothing to check.
        return []
    found: list[CheckMessage] = []
    for code, gateway in installed_gateways().items():
        if code not in codes:
            continue
        if not gateway.takes(currency):
            words = (
                f"{gateway.label} does not count {currency} in hundredths, as the portal does: nobody can pay by it."
            )
            found.append(Error(words, id="payments.E001"))
        if missing := missing_settings(gateway):
            words = f"{gateway.label} is offered by the office, but lacks {', '.join(missing)}: nobody can pay by it."
            found.append(Warning(words, id="payments.W001"))
    return found
