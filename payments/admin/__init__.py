"""The office's pages about money, one file for each desk."""

from payments.admin import books, corrections, methods, orders, payments, promises, refunds, stored

__all__ = ["books", "corrections", "methods", "orders", "payments", "promises", "refunds", "stored"]
