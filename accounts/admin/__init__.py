"""The office's pages about people, one file for each noun."""

from accounts.admin import companies, libraries, people, profile, roles, types

__all__ = ["companies", "libraries", "people", "profile", "roles", "types"]
