"""How Stripe is asked: one client per key, a time-out, and every doubt about the outcome told as one error."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import stripe
from django.conf import settings

from payments.gateways.base import GatewayError

log = logging.getLogger(__name__)
# Seconds to connect, seconds to answer. With the one retry a call ends within 40 seconds, before a web worker is given up.
TIMEOUT = (4, 15)
# The library repeats with the same idempotency key what it was not answered, or what found the key in use.
RETRIES = 1

Facts = dict[str, Any]


@cache
def _client(key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else {},
        http_client=stripe.RequestsClient(timeout=TIMEOUT),
        max_network_retries=RETRIES,
    )


@contextmanager
def asking() -> Iterator[Any]:
    """Yield Stripe's services; raises GatewayError for whatever the block did not catch of Stripe's own errors.

    What Stripe refuses outright (a key, a parameter) is logged as an error: it is for whoever runs the portal.
    """
    try:
        yield _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE).v1
    except stripe.StripeError as error:
        is_refusal = isinstance(error, stripe.InvalidRequestError | stripe.AuthenticationError | stripe.PermissionError)
        if is_refusal or isinstance(error, stripe.IdempotencyError):
            log.error("Stripe refused a request: %s", error)  # noqa: TRY400 - no trace: the words say it all
        raise GatewayError(f"{type(error).__name__}: {error}") from error


def facts(answer: Any) -> Facts:
    """Return what Stripe answered as plain dictionaries and lists."""
    plain: Facts = answer.to_dict()
    return plain
