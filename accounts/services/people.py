"""What people and the office change about a person."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.emails import passwords as emails
from accounts.models import LoginSource, MailingAddress, User
from accounts.profile import BY_NAME
from accounts.services.answers import write_answers
from opscom.core import audit
from opscom.core.errors import NotAllowed, Stale
from opscom.core.locks import lock_row
from opscom.messaging.preferences import move_preferences


def lock_person(person: User) -> User:
    """Keep what belongs to this person as it is until the transaction ends; returns them as the database has them.

    Whoever gives somebody something (a vehicle, a permit, an order) calls it first, before any other lock: else it
    could be given to a record that is emptied into another one in this very moment. Raises Stale when it was.
    """
    person = lock_row(User.objects.filter(pk=person.pk), "person")
    if person.merged_into_id is not None:
        raise Stale(_("This account was put together with another one. Please sign in there."))
    return person


@transaction.atomic
def save_profile(*, person: User, values: Mapping[str, Any]) -> None:
    """Write the profile fields that changed; the log names the fields, the history holds the values.

    `values`: name -> value for columns of the person, and answers as they are stored for the office's own fields. Raises
    Stale when the record was merged meanwhile.
    """
    columns = {name: value for name, value in values.items() if name in BY_NAME}
    changed = [name for name, value in columns.items() if getattr(person, name) != value]
    if changed or len(columns) < len(values):
        lock_person(person)
    for name in changed:
        setattr(person, name, columns[name])
    if changed:
        person.save(update_fields=changed)
    changed += write_answers(person, {name: text for name, text in values.items() if name not in BY_NAME})
    if changed:
        audit.record("person.profile_changed", person, actor=person, fields=changed)


def change_language(*, person: User, language: str) -> None:
    """Remember the language in which this person is written to."""
    save_profile(person=person, values={"language": language})


@transaction.atomic
def save_mailing_address(*, person: User, lines: Mapping[str, str] | None) -> None:
    """Keep where letters to this person go; None: to the home address. Raises Stale when the record was merged."""
    lock_person(person)
    before = MailingAddress.objects.filter(person=person).first()
    known = {name: getattr(before, name) for name in lines or {}} if before else None
    if known == lines:
        return
    if lines is None:
        MailingAddress.objects.filter(person=person).delete()
    else:
        MailingAddress.objects.update_or_create(person=person, defaults=dict(lines))
    audit.record("person.profile_changed", person, actor=person, fields=["mailing_address"])


@transaction.atomic
def save_person(*, person: User, actor: User, changed: Iterable[str], answers: Mapping[str, str] | None = None) -> None:
    """Save what the office entered. A new address is not proved, and ends every link that was sent to the old one.

    `answers` are those to the office's own profile fields, as they are stored.
    """
    changed = list(changed)
    is_new = person.pk is None
    if is_new:
        person.set_unusable_password()
    if "email" in changed:
        move_to_address(person)
    person.save(update_fields=None if is_new else _columns(changed))
    write_answers(person, answers or {})
    audit.record("person.entered" if is_new else "person.changed", person, actor=actor, fields=changed)


def _columns(changed: Iterable[str]) -> list[str]:
    """Return what to write, and nothing else: a password, factor or role that changed meanwhile must not be undone."""
    own = {field.name for field in User._meta.concrete_fields}
    columns = [name for name in changed if name in own]
    return [*columns, "email_proved_at", "claimed_email", "registered_at"] if "email" in columns else columns


def move_to_address(person: User) -> None:
    """Let the address that the office typed be the person's; what they chose about e-mails goes with them."""
    person.email_proved_at = None
    person.claimed_email = ""
    # The office vouches for this address: it does not yield to whoever registers with it, see `registration`.
    person.registered_at = None
    before = User.objects.filter(pk=person.pk).first()
    if before and before.is_email_proved and person.email:
        move_preferences(old=before.contact_email, new=person.email)


def record_roles(*, person: User, actor: User, before: Iterable[str]) -> None:
    """Write down which roles somebody had and has; call it in the transaction that changed them."""
    had, has = sorted(before), sorted(person.groups.values_list("name", flat=True))
    if had != has:
        audit.record("person.roles_changed", person, actor=actor, before=had, after=has)


@transaction.atomic
def send_password_link(*, person: User, actor: User) -> None:
    """Invite somebody to set a password; raises NotAllowed for people without an e-mail address or without sign-in.

    Also for those who sign in by single sign-on: `sso.services.return_to_password` is for them.
    """
    if person.login_source == LoginSource.SSO:
        raise NotAllowed(_("%(person)s signs in by single sign-on and has no password here.") % {"person": person})
    if not person.email or not person.is_active:
        raise NotAllowed(_("%(person)s has no e-mail address or may not sign in.") % {"person": person})
    emails.create_password(person)
    audit.record("person.password_link_sent", person, actor=actor)
