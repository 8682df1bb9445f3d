"""Why somebody does not come in by single sign-on, in words for them."""

from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from opscom.core.errors import DomainError


class Why(StrEnum):
    """The rule, for code, log and tests."""

    CANCELLED = "cancelled"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    TOO_MANY = "too-many"
    CLOSED = "closed"
    OFFICE = "office"
    OTHER_IDENTITY = "other-identity"


WORDS: dict[Why, Any] = {
    Why.CANCELLED: _("You did not sign in there. You can try again, or sign in with your e-mail and password."),
    Why.FAILED: _(
        "The sign-in could not be completed. It may have taken too long, or it was begun in another window. "
        "Please try again from the sign-in page."
    ),
    Why.UNREACHABLE: _("Your organisation's sign-in does not answer at the moment. Please try again in a few minutes."),
    Why.TOO_MANY: _("Too many tries. Please wait a while and try again."),
    Why.CLOSED: _("This account is closed. Please contact the parking office."),
    Why.OFFICE: _(
        "This address belongs to an account of the parking office, and those are opened with their password only. "
        "Please sign in with your e-mail and password."
    ),
    Why.OTHER_IDENTITY: _(
        "This address belongs to an account that somebody else at your organisation signs in to. "
        "Please contact the parking office."
    ),
}
STATUS = {Why.CANCELLED: 200, Why.UNREACHABLE: 503, Why.TOO_MANY: 429}


class NotAdmitted(DomainError):
    """Somebody does not come in; `why` is the rule."""

    def __init__(self, why: Why) -> None:
        super().__init__(WORDS[why])
        self.why = why

    @property
    def status(self) -> int:
        """The HTTP status of the page that says so."""
        return STATUS.get(self.why, 403)
