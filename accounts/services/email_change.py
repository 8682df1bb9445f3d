"""Another e-mail address for somebody who has one: asked for here, done by the link that goes to the new one."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.addresses import clean_email
from accounts.emails import addresses as emails
from accounts.links import LinkDead, read_change_token
from accounts.models import LoginSource, User
from accounts.services.passwords import require_local
from accounts.throttles import may_mail
from opscom.core import audit
from opscom.messaging.preferences import move_preferences


@transaction.atomic
def request_email_change(*, person: User, email: str, is_mailed: bool = True) -> None:
    """Send the link to the new address, and tell the present one; raises NotAllowed for people of single sign-on.

    When somebody keeps the new address, they are written to instead, and no link is made: one look and the same mails,
    so that the caller's answer is the same for every address. `is_mailed` is false when the new address has had enough
    mail already; the present one is told even so.
    """
    require_local(person)
    email = clean_email(email)
    holder = User.objects.keeping().filter(email=email).exclude(pk=person.pk).first()
    if is_mailed and holder is not None:
        emails.wanted_by_another(holder)
    elif is_mailed:
        emails.confirm_new(person, address=email)
    if may_tell(person):
        emails.change_asked(person)
    audit.record("person.email_change_asked", person, actor=person, new=email)


def may_tell(person: User) -> bool:
    """Say whether the present address hears of a change, and count the mail.

    An owner is always told. An address that was only typed may be a stranger's: it is written to within its limit.
    """
    return person.is_email_proved or (bool(person.contact_email) and may_mail(person.contact_email))


def change_email_by_link(*, token: str) -> User:
    """Make the address to which the link was sent the person's, proved, and kill every other link; raises LinkDead.

    Sessions are the caller's: only the request knows which one goes on. The user type stays as it is.
    """
    person, address = read_change_token(token)
    try:
        return _move(person, address)
    except IntegrityError as error:
        # Somebody else has proved it in this very moment.
        raise LinkDead from error


@transaction.atomic
def _move(person: User, address: str) -> User:
    old, was_proved, is_told = person.contact_email, person.is_email_proved, may_tell(person)
    others = User.objects.yielding().filter(email=address).exclude(pk=person.pk)
    others.update(email=None, claimed_email=address)
    # Compare-and-set: of two that follow the link at once, or a link and a new password, one finds the other's work.
    same = User.objects.filter(pk=person.pk, email=person.email, claimed_email=person.claimed_email)
    won = same.filter(password=person.password, is_active=True, login_source=LoginSource.LOCAL).update(
        email=address, claimed_email="", email_proved_at=timezone.now()
    )
    if not won:
        raise LinkDead
    person.refresh_from_db()
    audit.record("person.email_changed", person, actor=person, old=old, new=address)
    if was_proved:
        # Of an address that was only typed, the preferences are somebody else's.
        move_preferences(old=old, new=address)
    if is_told:
        emails.changed(person, old=old)
    return person
