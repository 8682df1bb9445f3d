"""The office's pages about people, one file for each noun."""

from accounts.admin import libraries, people, profile, roles, types

__all__ = ["libraries", "people", "profile", "roles", "types"]
