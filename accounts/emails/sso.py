"""What we write to people who sign in with the account of their own organisation."""

from accounts.emails.passwords import account_exists
from accounts.emails.sending import make_link, send
from accounts.links import Purpose, make_token
from accounts.models import IdentityProvider, User


def no_password_here(person: User) -> None:
    """In place of the link of `Forgot Password`: where this person's password is kept."""
    link = make_link("account_login", person.language)
    send("sso_no_password", person.contact_email, person.language, context={"link": link})


def joined(person: User, *, provider: IdentityProvider) -> None:
    """Tell the owner that the account is opened by single sign-on from now on, in case it was not them."""
    context = {"provider_name": str(provider), "link": make_link("account_login", person.language)}
    send("sso_joined", person.contact_email, person.language, context=context)


def confirm_address(person: User) -> None:
    """The link that proves the address of somebody who has no password here."""
    link = make_link("accounts:confirm_address", person.language, make_token(person, Purpose.CONFIRM))
    send("confirm_address", person.contact_email, person.language, secret={"link": link})


def prove_or_warn(person: User, holder: User | None) -> None:
    """Send the link to a new person's address; where it would be dead, its holder is written to instead."""
    if holder is None or (holder.email_proved_at is None and holder.registered_at is not None):
        confirm_address(person)
    else:
        account_exists(holder)
