"""The office's pages: Django finds them here."""

from permits.admin import closures, permits, rolls, sales, types, waitlists

__all__ = ["closures", "permits", "rolls", "sales", "types", "waitlists"]
