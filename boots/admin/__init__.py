"""The office's pages about boots."""

from boots.admin import bootings, inventory, rule

__all__ = ["bootings", "inventory", "rule"]
