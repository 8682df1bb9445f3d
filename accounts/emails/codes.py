"""One-time passwords by e-mail, and what the owner is told when the settings around signing in were changed."""

import datetime as dt

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.emails.sending import make_link, send
from accounts.models import User

CHANGES = {
    "off": _("Multi-factor authentication was disabled."),
    "email": _("One-time passwords by e-mail are now asked for at sign-in."),
    "app": _("Codes of an authenticator app are now asked for at sign-in."),
    "recovery": _("New recovery codes were made; the earlier ones are no longer valid."),
    "reset": _("The office removed your authenticator app and recovery codes."),
}


def one_time_password(
    person: User, address: str, *, code: str, issued_at: dt.datetime, expires_at: dt.datetime
) -> None:
    """The code, when it was made, and until when it is good."""
    times = {"issued_at": issued_at, "expires_at": expires_at}
    send("one_time_password", address, person.language, context=times, secret={"one_time_code": code})


def sign_in_changed(person: User, *, change: str) -> None:
    """Tell the owner what was changed: `change` is a key of CHANGES."""
    with translation.override(person.language):
        words = str(CHANGES[change])
    link = make_link("accounts:forgot", person.language)
    send("sign_in_changed", person.contact_email, person.language, context={"change": words, "link": link})
