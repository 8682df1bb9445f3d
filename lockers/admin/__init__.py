"""The office's pages about lockers."""

from lockers.admin import inventory, places, rentals

__all__ = ["inventory", "places", "rentals"]
