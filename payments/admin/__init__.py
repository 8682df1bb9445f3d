"""The office's pages about money, one file for each desk."""

from payments.admin import books, collections, corrections, methods, orders, payments, promises, refunds, stored

__all__ = ["books", "collections", "corrections", "methods", "orders", "payments", "promises", "refunds", "stored"]
