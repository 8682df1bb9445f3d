"""Passwords, and the proof of an address that comes with following a link."""

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.addresses import clean_email
from accounts.emails import passwords as emails
from accounts.emails import sso as sso_emails
from accounts.links import LinkDead, Purpose, read_token
from accounts.models import LoginSource, User
from accounts.selectors import default_user_type, user_type_for_address
from opscom.core import audit
from opscom.core.errors import NotAllowed
from opscom.provider.selectors import local_date


@transaction.atomic
def request_reset(*, email: str, language: str) -> None:
    """Send the link of `Forgot Password`; an address without an account gets a mail that says so.

    Either way one look and one mail: the caller's answer, and the time it takes, are the same for every address.
    """
    email = clean_email(email)
    person = User.objects.filter(email=email, is_active=True).first()
    if person is None:
        emails.no_account(address=email, language=language)
    elif person.login_source == LoginSource.SSO:
        sso_emails.no_password_here(person)
    else:
        emails.reset_password(person)


def set_password_by_link(*, token: str, purpose: Purpose, password: str, email: str | None = None) -> User:
    """Set the password, prove the address, and kill every link of this person; raises LinkDead.

    `email`, when given, must be the address to which the link was sent. All other sessions of the person end, because
    a session carries a digest of the password.
    """
    person = read_token(token, purpose)
    if email is not None and clean_email(email) != person.contact_email:
        raise LinkDead
    try:
        return _prove_and_set(person, make_password(password))
    except IntegrityError as error:
        # Another record has proved this address: see `registration.register`.
        raise LinkDead from error


@transaction.atomic
def change_password(*, person: User, password: str) -> None:
    """Set a new password for somebody who has just given the old one, and tell them by e-mail; raises NotAllowed."""
    require_local(person)
    person.set_password(password)
    person.save(update_fields=["password"])
    audit.record("person.password_changed", person, actor=person)
    if person.contact_email:
        emails.password_changed(person)


def require_local(person: User) -> None:
    """Raise NotAllowed for people whose login source is SSO: they have no password here, by no door."""
    if person.login_source != LoginSource.LOCAL:
        raise NotAllowed(
            _("If your login source is SSO, you'll need to reset your password through your SSO provider.")
        )


@transaction.atomic
def confirm_address(*, token: str) -> User:
    """Prove the address to which the link was sent, and leave all else as it is; raises LinkDead."""
    person = read_token(token, Purpose.CONFIRM)
    address = person.contact_email
    try:
        with transaction.atomic():
            others = User.objects.yielding().filter(email=address).exclude(pk=person.pk)
            others.update(email=None, claimed_email=address)
            User.objects.filter(pk=person.pk).update(email=address, claimed_email="", email_proved_at=timezone.now())
    except IntegrityError as error:
        # Another record has proved this address: see `registration.register`.
        raise LinkDead from error
    person.refresh_from_db()
    _welcome_proved(person)
    return person


@transaction.atomic
def _prove_and_set(person: User, password_hash: str) -> User:
    address, seen = person.contact_email, person.password
    is_new = not person.has_usable_password()
    others = User.objects.yielding().filter(email=address).exclude(pk=person.pk)
    others.update(email=None, claimed_email=address)
    # Compare-and-set: of two that follow the same link at once, one finds the password changed already.
    local = User.objects.filter(login_source=LoginSource.LOCAL)
    won = local.filter(pk=person.pk, password=seen, is_active=True).update(
        password=password_hash,
        email=address,
        claimed_email="",
        email_proved_at=Coalesce("email_proved_at", timezone.now()),
    )
    if not won:
        raise LinkDead
    was_proved = person.is_email_proved
    person.refresh_from_db()
    audit.record("person.password_set", person, actor=person)
    if not was_proved:
        _welcome_proved(person)
    if not is_new:
        emails.password_changed(person)
    return person


def _welcome_proved(person: User) -> None:
    """Give the user type of the proved e-mail domain, unless the office has given another one than the default."""
    audit.record("person.email_proved", person, actor=person, address=person.email)
    user_type = user_type_for_address(person.email or "")
    if user_type is None or user_type == person.user_type or person.user_type not in (None, default_user_type()):
        return
    person.user_type, person.user_type_from, person.user_type_until = user_type, local_date(), None
    person.save(update_fields=["user_type", "user_type_from", "user_type_until"])
    audit.record("person.user_type_given", person, user_type=user_type.code, because="e-mail domain")
