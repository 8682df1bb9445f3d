"""The strict server of the gateways' tests, for those of a bad line to it."""

from tests.gateways.conftest import fact_sheet, stripe_only

__all__ = ["fact_sheet", "stripe_only"]
