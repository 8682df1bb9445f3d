"""Audit actions in words. Apps on upper floors add the words; whoever shows a deed reads them here."""

from collections.abc import Mapping
from typing import Any

_words: dict[str, Any] = {}


def add_words(words: Mapping[str, Any]) -> None:
    """Add {action: lazy words}, from an app's `ready()`."""
    _words.update(words)


def describe_deed(action: str) -> str:
    """Return the action in words; one without words stands as it is written."""
    return str(_words.get(action, action))
