"""The office's pages about money, one file for each desk."""

from payments.admin import corrections, methods, orders, payments, promises, refunds, stored

__all__ = ["corrections", "methods", "orders", "payments", "promises", "refunds", "stored"]
