"""What we write to people about their accounts. Nothing here repeats what somebody typed into a form.

Whoever registers or asks for a reminder may not own the address: a greeting by name would let strangers send their own
words to it in our name. The links are secrets: kept encrypted until sent, then wiped.
"""

import uuid
from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.links import Purpose, make_token
from accounts.models import User
from opscom.messaging.models import Lane
from opscom.messaging.services import queue_email
from opscom.provider.selectors import get_provider


def create_password(person: User) -> None:
    """The link that proves the address of a new account and sets its password."""
    _send("create_password", person.contact_email, person.language, secret={"link": _password_link(person)})


def account_exists(holder: User) -> None:
    """Somebody registered with an address that has an account: tell its owner, with a link for a forgotten password."""
    secret = {"link": _reset_link(holder)} if holder.is_active else {"link": ""}
    _send("account_exists", holder.contact_email, holder.language, secret=secret)


def reset_password(person: User) -> None:
    """The link of `Forgot Password`."""
    _send("reset_password", person.contact_email, person.language, secret={"link": _reset_link(person)})


def no_account(*, address: str, language: str) -> None:
    """Somebody asked for a reminder for an address without an account: its owner may have used another one."""
    _send("no_account", address, language, secret={"link": _url("account_login", language)})


def password_changed(person: User) -> None:
    """Tell the owner that the password was changed, in case it was not them."""
    link = _url("accounts:forgot", person.language)
    _send("password_changed", person.contact_email, person.language, context={"link": link})


def _send(
    name: str, to: str, language: str, *, context: dict[str, Any] | None = None, secret: dict[str, Any] | None = None
) -> None:
    queue_email(
        template=f"accounts/{name}",
        to=to,
        language=language,
        # Each request is a message of its own: what limits their number is the throttle, not this key.
        dedupe_key=f"accounts.{name}:{uuid.uuid4().hex}",
        context={"hours": get_provider().password_link_hours, **(context or {})},
        secret_context=secret,
        lane=Lane.URGENT,
    )


def _password_link(person: User) -> str:
    return _url("accounts:create_password", person.language, make_token(person, Purpose.CREATE))


def _reset_link(person: User) -> str:
    return _url("accounts:reset_password", person.language, make_token(person, Purpose.RESET))


def _url(name: str, language: str, *args: str) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=args)}?lang={language}"
