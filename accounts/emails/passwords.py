"""What we write to people about their accounts. Nothing here repeats what somebody typed into a form.

Whoever registers or asks for a reminder may not own the address: a greeting by name would let strangers send their own
words to it in our name. The links are secrets: kept encrypted until sent, then wiped.
"""

from accounts.emails.sending import make_link, send
from accounts.links import Purpose, make_token
from accounts.models import LoginSource, User


def create_password(person: User) -> None:
    """The link that proves the address of a new account and sets its password."""
    send("create_password", person.contact_email, person.language, secret={"link": _password_link(person)})


def account_exists(holder: User) -> None:
    """Somebody registered with an address that has an account: tell its owner, with a link for a forgotten password."""
    is_sso = holder.login_source == LoginSource.SSO
    secret = {"link": _reset_link(holder)} if holder.is_active and not is_sso else {"link": ""}
    send("account_exists", holder.contact_email, holder.language, secret=secret, context={"is_sso": is_sso})


def reset_password(person: User) -> None:
    """The link of `Forgot Password`."""
    send("reset_password", person.contact_email, person.language, secret={"link": _reset_link(person)})


def no_account(*, address: str, language: str) -> None:
    """Somebody asked for a reminder for an address without an account: its owner may have used another one."""
    send("no_account", address, language, secret={"link": make_link("account_login", language)})


def password_changed(person: User) -> None:
    """Tell the owner that the password was changed, in case it was not them."""
    link = make_link("accounts:forgot", person.language)
    send("password_changed", person.contact_email, person.language, context={"link": link})


def _password_link(person: User) -> str:
    return make_link("accounts:create_password", person.language, make_token(person, Purpose.CREATE))


def _reset_link(person: User) -> str:
    return make_link("accounts:reset_password", person.language, make_token(person, Purpose.RESET))
