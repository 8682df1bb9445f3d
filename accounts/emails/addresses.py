"""What we write when somebody changes their e-mail address. No mail repeats the other address: see `emails.passwords`."""

from accounts.emails.sending import make_link, send
from accounts.links import make_change_token
from accounts.models import User


def confirm_new(person: User, *, address: str) -> None:
    """The link to the new address that makes it the person's."""
    link = make_link("accounts:confirm_email_change", person.language, make_change_token(person, address))
    send("email_confirm_new", address, person.language, secret={"link": link})


def wanted_by_another(holder: User) -> None:
    """In place of that link: somebody with another account typed the address of this one."""
    link = make_link("account_login", holder.language)
    send("email_wanted", holder.contact_email, holder.language, secret={"link": link})


def change_asked(person: User) -> None:
    """Tell the present address at once, while nothing has changed."""
    link = make_link("accounts:forgot", person.language)
    send("email_change_asked", person.contact_email, person.language, context={"link": link})


def changed(person: User, *, old: str) -> None:
    """Tell the address that was the person's until now."""
    link = make_link("account_login", person.language)
    send("email_changed", old, person.language, context={"link": link})
