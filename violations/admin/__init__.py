"""The office's pages about tickets and appeals."""

from violations.admin import appeals, collections, letters, links, offences, tickets

__all__ = ["appeals", "collections", "letters", "links", "offences", "tickets"]
