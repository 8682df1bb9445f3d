"""Links to a password page: signed, of limited life, and dead once used.

Nothing is stored. The signature covers a digest of the person's password hash and address; using the link changes the
password, so the digest in every link that was sent before fits no more. `last_login` stays out of it: who was signed
in at registration signs in and out before the e-mail is read.
"""

from enum import StrEnum

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models import LoginSource, User
from opscom.core.errors import DomainError
from opscom.provider.selectors import get_provider


class Purpose(StrEnum):
    """Which page the link opens; a link for one does not open the other."""

    CREATE = "create"
    RESET = "reset"
    # Proves the address only: for people who have no password here.
    CONFIRM = "confirm"
    # Gives somebody who has an address and a password another address; it carries that address.
    CHANGE = "change"


class LinkDead(DomainError):
    """Used, expired, altered, or overtaken by a change of the address or password. Which of these is not told."""

    def __init__(self) -> None:
        super().__init__(_("This link has been used or has expired."))


def make_token(user: User, purpose: Purpose) -> str:
    """Return the token of a link for this person; the same state gives a link that dies with all the others."""
    return signing.dumps([user.code, _state(user)], salt=_salt(purpose))


def make_change_token(user: User, address: str) -> str:
    """Return the token of the link that goes to a new address; it dies with the present address and password."""
    return signing.dumps([user.code, _state(user), address], salt=_salt(Purpose.CHANGE))


def read_token(token: str, purpose: Purpose) -> User:
    """Return the person for whom the link was made; raises LinkDead."""
    return _read(token, purpose)[0]


def read_change_token(token: str) -> tuple[User, str]:
    """Return the person, and the address to which the link was sent; raises LinkDead, also when it is another's now."""
    person, address = _read(token, Purpose.CHANGE)
    if User.objects.keeping().filter(email=address).exclude(pk=person.pk).exists():
        raise LinkDead
    return person, address


def _read(token: str, purpose: Purpose) -> tuple[User, str]:
    hours = get_provider().password_link_hours
    try:
        code, state, *more = signing.loads(token, salt=_salt(purpose), max_age=hours * 3600)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise LinkDead from error
    user = User.objects.filter(code=code, is_active=True).first()
    if user is None or not constant_time_compare(state, _state(user)) or not _is_open(user, purpose):
        raise LinkDead
    return user, more[0] if more else ""


def _is_open(user: User, purpose: Purpose) -> bool:
    """Who signs in by single sign-on has no password here, whenever the link was sent; an address is proved once."""
    if purpose == Purpose.CONFIRM:
        return not user.is_email_proved
    return user.login_source == LoginSource.LOCAL


def _salt(purpose: Purpose) -> str:
    return f"accounts.links.{purpose}"


def _state(user: User) -> str:
    state = f"{user.pk}|{user.password}|{user.email}|{user.claimed_email}"
    return salted_hmac("accounts.links.state", state, algorithm="sha256").hexdigest()[:32]
