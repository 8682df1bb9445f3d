"""Who is at the keyboard: usually the account's owner, sometimes a manager or the office acting for them."""

from django.http import HttpRequest

from accounts.models import User


def person_at_keyboard(request: HttpRequest) -> User:
    """Return who really sits there: the one who acts for somebody, or the signed-in person."""
    return getattr(request, "acting_person", None) or request.user  # type: ignore[return-value]


def nobody(**kwargs: object) -> bool:
    """Answer hijack's own views, which have no address here: nobody may use them. See `accounts.acting.switch`."""
    return False
