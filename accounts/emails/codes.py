"""One-time passwords by e-mail, and what the owner is told when the settings around signing in were changed."""

import datetime as dt

from accounts.emails.sending import make_link, send
from accounts.models import User


def one_time_password(
    person: User, address: str, *, code: str, issued_at: dt.datetime, expires_at: dt.datetime
) -> None:
    """The code, when it was made, and until when it is good."""
    times = {"issued_at": issued_at, "expires_at": expires_at}
    send("one_time_password", address, person.language, context=times, secret={"otp": code})


def sign_in_changed(person: User, *, change: str) -> None:
    """Tell the owner what was changed; `change` is one of the words that the template knows."""
    link = make_link("accounts:forgot", person.language)
    send("sign_in_changed", person.contact_email, person.language, context={"change": change, "link": link})
