"""The office's pages about people, one file for each noun."""

from accounts.admin import (
    companies,
    documents,
    holds,
    libraries,
    mailings,
    people,
    profile,
    roles,
    single_sign_on,
    types,
)

__all__ = [
    "companies",
    "documents",
    "holds",
    "libraries",
    "mailings",
    "people",
    "profile",
    "roles",
    "single_sign_on",
    "types",
]
