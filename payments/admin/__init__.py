"""The office's pages about money, one file for each desk."""

from payments.admin import (
    billing,
    books,
    collections,
    corrections,
    methods,
    orders,
    payments,
    promises,
    rates,
    refunds,
    statements,
    stored,
)

__all__ = [
    "billing",
    "books",
    "collections",
    "corrections",
    "methods",
    "orders",
    "payments",
    "promises",
    "rates",
    "refunds",
    "statements",
    "stored",
]
