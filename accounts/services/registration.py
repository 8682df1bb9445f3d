"""People enter themselves. Whether an address has an account is revealed to its owner only, by e-mail."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.addresses import clean_email
from accounts.emails import passwords as emails
from accounts.emails import sso as sso_emails
from accounts.models import LoginSource, User
from accounts.profile import BY_NAME
from accounts.selectors import default_user_type
from accounts.services.answers import write_answers
from opscom.core import audit
from opscom.provider.models import RegistrationMode
from opscom.provider.selectors import get_provider


@transaction.atomic
def register(*, email: str, profile: Mapping[str, Any], language: str, is_mailed: bool = True) -> User | None:
    """Enter a person who registers, and send the link that proves the address.

    An address that is not proved belongs to nobody. Who registers with one that another record holds gets a record of
    their own that only claims it; its link takes the address over as long as nobody has proved it. When somebody has,
    or when the office entered it, the mail goes to that holder instead, with a link to their own account, and the
    claim stays without a sign-in. So each answer, and the work behind it, is the same for every address.

    `is_mailed` is false when the address has had enough mail already. Returns the new person, to be signed in; None
    when e-mail verification comes first.
    """
    email = clean_email(email)
    holder = User.objects.filter(email=email).first()
    is_kept = holder is not None and not _yields(holder)
    signs_in = get_provider().registration_mode == RegistrationMode.AUTO_LOGIN
    with transaction.atomic():
        person = _enter(email, is_taken=holder is not None, profile={**profile, "language": language})
        # Nobody could ever open such a record. The work is done and undone, so that the clock tells nothing either.
        transaction.set_rollback(is_kept and not signs_in)
    if is_mailed and is_kept:
        emails.account_exists(holder)  # type: ignore[arg-type]
    elif is_mailed:
        emails.create_password(person)
    return person if signs_in else None


@transaction.atomic
def send_proof_link(*, person: User) -> None:
    """Send the link to the password page again; where it would be dead, the address's holder is written to instead."""
    holder = User.objects.filter(email=person.contact_email).exclude(pk=person.pk).first()
    if holder is not None and not _yields(holder):
        emails.account_exists(holder)
    elif person.login_source == LoginSource.SSO:
        sso_emails.confirm_address(person)
    else:
        emails.create_password(person)


def _yields(holder: User) -> bool:
    return holder.email_proved_at is None and holder.registered_at is not None


def _enter(email: str, *, is_taken: bool, profile: dict[str, Any]) -> User:
    answers = {name: text for name, text in profile.items() if name not in BY_NAME}
    columns = {name: value for name, value in profile.items() if name in BY_NAME}
    fields = {**columns, "registered_at": timezone.now(), "user_type": default_user_type()}
    try:
        with transaction.atomic():
            named = {"claimed_email": email} if is_taken else {"email": email}
            person = User.objects.create_user(**named, **fields)
    except IntegrityError:
        # Somebody registered with the same address between our look and our insert.
        person = User.objects.create_user(claimed_email=email, **fields)
    write_answers(person, answers)
    audit.record("person.registered", person)
    return person
