"""The office's pages about money, one file for each desk."""

from payments.admin import methods, money, stored

__all__ = ["methods", "money", "stored"]
