"""Which record of ours an identity belongs to that comes for the first time. See docs/decisions on single sign-on.

A record that exists is joined in two ways only: by an e-mail address for which the identity provider vouches, or by the
employee or student number of a record that the office entered and nobody has ever opened.
"""

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import is_password_usable
from django.utils import timezone

from accounts.addresses import email_domain
from accounts.emails import addresses as address_mails
from accounts.emails import sso as emails
from accounts.mfa.rules import is_office
from accounts.models import LoginSource, User
from accounts.services.people import lock_person
from accounts.sessions.services import end_sessions
from accounts.sso.identity import Identity
from accounts.sso.refusals import NotAdmitted, Why
from opscom.core import audit
from opscom.messaging.preferences import move_preferences

NUMBERS = ("employee_number", "student_number")


def find_record(identity: Identity) -> User | None:
    """Return the record to join, locked; None when the identity gets a new one. Raises NotAdmitted."""
    found = _by_address(identity) or _by_number(identity)
    if found is None:
        return None
    person = lock_person(found)
    if not person.is_active:
        raise NotAdmitted(Why.CLOSED)
    if is_office(person):
        # Else whoever runs the identity provider could make themselves an administrator here.
        raise NotAdmitted(Why.OFFICE)
    if SocialAccount.objects.filter(user=person, provider=identity.provider.code).exists():
        # The organisation has given the address to somebody else since.
        raise NotAdmitted(Why.OTHER_IDENTITY)
    return person


def join_record(*, person: User, identity: Identity) -> None:
    """Let the identity open this record from now on, and nothing else: password and open sessions end, the owner is told."""
    SocialAccount.objects.create(user=person, provider=identity.provider.code, uid=identity.uid)
    person.login_source = LoginSource.SSO
    person.set_unusable_password()
    person.save(update_fields=["login_source", "password"])
    end_sessions(person=person)
    take_address(person=person, identity=identity)
    audit.record("person.sso_joined", person, actor=person, provider=identity.provider.code)
    if person.contact_email:
        emails.joined(person, provider=identity.provider)


def take_address(*, person: User, identity: Identity) -> None:
    """Give a vouched address to the person, prove theirs, or follow their organisation to a new one.

    Never one that another record keeps, and never in place of a proved address that is not this organisation's. People
    of the office keep the address that they have: their one-time passwords go there, and an identity provider that
    could move it would hold both factors.
    """
    old = person.email or ""
    if is_office(person) and old != identity.email:
        return
    if not identity.is_vouched or (person.is_email_proved and not _may_replace(old, identity)):
        return
    others = User.objects.filter(email=identity.email).exclude(pk=person.pk)
    yielding = others & User.objects.yielding()
    yielding.update(email=None, claimed_email=identity.email)
    if others.exists():
        return
    person.email, person.claimed_email, person.email_proved_at = identity.email, "", timezone.now()
    person.save(update_fields=["email", "claimed_email", "email_proved_at"])
    if old in ("", identity.email):
        audit.record("person.email_proved", person, actor=person, address=person.email)
        return
    audit.record("person.email_changed", person, actor=person, old=old, new=identity.email)
    move_preferences(old=old, new=identity.email)
    address_mails.changed(person, old=old)


def _may_replace(old: str, identity: Identity) -> bool:
    return old != identity.email and email_domain(old) in identity.provider.trusted_domains


def _by_address(identity: Identity) -> User | None:
    if not identity.is_vouched:
        return None
    # Who only typed the address at registration has no claim to it: they yield, as to anybody who proves it.
    yielding = User.objects.yielding().values("pk")
    return User.objects.filter(email=identity.email).exclude(pk__in=yielding).first()


def _by_number(identity: Identity) -> User | None:
    """A number that people type themselves proves nothing; one on a record that nobody ever opened is the office's."""
    rules = identity.provider.attribute_rules.filter(field_name__in=NUMBERS)
    for rule in rules.order_by("field_name"):
        number = identity.first(rule.attribute)
        if not number:
            continue
        unopened = User.objects.filter(
            **{rule.field_name: number},
            is_active=True,
            merged_into__isnull=True,
            login_source=LoginSource.LOCAL,
            registered_at__isnull=True,
            last_login__isnull=True,
            email_proved_at__isnull=True,
        )
        found = [person for person in unopened[:3] if not is_password_usable(person.password)]
        if len(found) == 1:
            return found[0]
    return None
