"""From an identity to a person, and back to a password."""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.emails import passwords as password_mails
from accounts.emails import sso as emails
from accounts.models import LoginSource, User
from accounts.services.people import lock_person
from accounts.sessions.services import end_sessions
from accounts.sso.identity import Identity
from accounts.sso.joining import find_record, join_record, take_address
from accounts.sso.refreshing import refresh_person
from accounts.sso.refusals import NotAdmitted, Why
from accounts.throttles import may_mail
from opscom.core import audit
from opscom.core.errors import NotAllowed, Stale


def admit_person(*, identity: Identity, language: str) -> User:
    """Return the person who comes in with this identity, entered or joined if need be; raises NotAdmitted.

    `language`: in which a new person is written to.
    """
    try:
        return _admit(identity, language)
    except IntegrityError:
        # The same person in two windows, or somebody registered with the address meanwhile: now it is there to be found.
        return _admit(identity, language)


@transaction.atomic
def return_to_password(*, person: User, actor: User) -> None:
    """Let somebody sign in by e-mail and password again, whose organisation no longer opens the door for them.

    Raises NotAllowed for people who have no address to send the link to.
    """
    person = lock_person(person)
    if person.login_source != LoginSource.SSO or not person.email or not person.is_active:
        raise NotAllowed(
            _("%(person)s does not sign in by single sign-on, or has no e-mail address.") % {"person": person}
        )
    SocialAccount.objects.filter(user=person).delete()
    person.login_source = LoginSource.LOCAL
    person.save(update_fields=["login_source"])
    end_sessions(person=person)
    audit.record("person.sso_left", person, actor=actor)
    password_mails.create_password(person)


@transaction.atomic
def _admit(identity: Identity, language: str) -> User:
    person = _known(identity)
    if person is None:
        person = find_record(identity)
        if person is None:
            person = _enter(identity, language)
        else:
            join_record(person=person, identity=identity)
    take_address(person=person, identity=identity)
    refresh_person(person=person, identity=identity)
    audit.record("person.signed_in", person, actor=person, provider=identity.provider.code)
    return person


def _known(identity: Identity) -> User | None:
    account = SocialAccount.objects.filter(provider=identity.provider.code, uid=identity.uid).first()
    if account is None:
        return None
    try:
        person = lock_person(account.user)
    except Stale as error:
        raise NotAdmitted(Why.CLOSED) from error
    if not person.is_active:
        raise NotAdmitted(Why.CLOSED)
    return person


def _enter(identity: Identity, language: str) -> User:
    """Make a new record. An address that nobody vouches for is treated as one typed at registration: see `register`."""
    fields: dict[str, Any] = {"language": language, "login_source": LoginSource.SSO, "registered_at": timezone.now()}
    holder = User.objects.filter(email=identity.email).first() if identity.email else None
    address = identity.email or None
    if identity.is_vouched:
        # `take_address` gives it, and lets those yield who have not proved it.
        person = User.objects.create_user(**fields)
    elif holder:
        person = User.objects.create_user(claimed_email=address, **fields)
    else:
        person = User.objects.create_user(address, **fields)
    SocialAccount.objects.create(user=person, provider=identity.provider.code, uid=identity.uid)
    audit.record("person.sso_entered", person, provider=identity.provider.code)
    if identity.email and not identity.is_vouched and may_mail(identity.email):
        emails.prove_or_warn(person, holder)
    return person
