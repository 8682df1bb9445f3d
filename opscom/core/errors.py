"""What services raise, and the answer of every `can_x` function. Each text is written for the person who reads it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A rule said no. `str(error)` is a full sentence for the user, in their language."""

    def __init__(self, message: object) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


class NotAllowed(DomainError):
    """The rule that refuses, as `Refused` explained it."""


class IllegalMove(DomainError):
    """A status move that the table does not have: a programming error, or a click on a page that is out of date."""


class Stale(DomainError):
    """Somebody else moved the record first."""


class Busy(DomainError):
    """The scarce thing is being fought over; trying again in a moment is likely to work."""

    def __init__(self) -> None:
        super().__init__(_("Many people are doing this right now. Please try again in a moment."))


@dataclass(frozen=True, slots=True)
class Allowed:
    """`can_x` says yes."""

    is_allowed: ClassVar[bool] = True

    def or_raise(self) -> None:
        """Do nothing: it is allowed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """`can_x` says no: which rule (`code`, for code and tests), why (`reason`, for people), and until when, if known."""

    code: str
    reason: object
    until: datetime | None = None
    is_allowed: ClassVar[bool] = False

    def or_raise(self) -> None:
        """Raise NotAllowed with the reason."""
        raise NotAllowed(self.reason)


Decision = Allowed | Refused
