"""Stripe: its hosted page (Checkout), stored cards, refunds and signed reports."""

from payments.gateways.stripe.gateway import StripeGateway

__all__ = ["StripeGateway"]
