"""The office's pages about money, one file for each desk."""

from payments.admin import methods, money, promises, stored

__all__ = ["methods", "money", "promises", "stored"]
