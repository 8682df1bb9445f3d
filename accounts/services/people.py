"""What people and the office change about a person."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.emails import passwords as emails
from accounts.models import LoginSource, MailingAddress, User
from accounts.profile import BY_NAME
from accounts.services.answers import write_answers
from accounts.throttles import may_send_office_link
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


def may_change(actor: User, person: User) -> bool:
    """Say whether somebody of the office may change this record: of its own people only with the right to give roles.

    Else a clerk could change an administrator's address, and have the password link sent there.
    """
    if person.is_superuser and person.pk != actor.pk:
        return actor.is_superuser
    return not person.holds_rights() or actor.has_perm("accounts.assign_roles")


def is_sure_who(person: User) -> bool:
    """Say whether rights may be given: somebody may have registered in another's name, and be signed in."""
    return person.is_email_proved or person.last_login is None


@transaction.atomic
def save_person(
    *,
    person: User,
    actor: User,
    changed: Iterable[str],
    answers: Mapping[str, str] | None = None,
    gives_rights: bool = False,
) -> None:
    """Save what the office entered. A new address is not proved, and ends every link that was sent to the old one.

    `answers` are those to the office's own profile fields, as they are stored. `gives_rights`: the caller makes this
    somebody of the office in the same transaction. Raises NotAllowed or Stale when the record, as it is by now, is not
    the actor's to change or not the one that they saw.
    """
    changed = list(changed)
    is_new = person.pk is None
    if is_new:
        person.set_unusable_password()
    else:
        _check_change(person, actor, changed, gives_rights)
    if "email" in changed:
        move_to_address(person)
    person.save(update_fields=None if is_new else _columns(changed))
    write_answers(person, answers or {})
    audit.record("person.entered" if is_new else "person.changed", person, actor=actor, fields=changed)


def _check_change(person: User, actor: User, changed: list[str], gives_rights: bool) -> None:
    """Look again under the lock: of a new address and a new role that meet, the later one is refused."""
    current = lock_person(person)
    if not may_change(actor, current):
        raise NotAllowed(_("You may not change %s.") % current)
    is_seen = "email" in changed or current.email == person.email
    if gives_rights and not (is_seen and is_sure_who(current)):
        raise Stale(_("The e-mail address of this person changed while you were looking at it. Please look again."))


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
    """Invite somebody to set a password; raises NotAllowed for people without an e-mail address or without sign-in, and
    for who was sent several links already.

    Also for those who sign in by single sign-on: `sso.services.return_to_password` is for them.
    """
    if person.login_source == LoginSource.SSO:
        raise NotAllowed(_("%(person)s signs in by single sign-on and has no password here.") % {"person": person})
    if not person.email or not person.is_active:
        raise NotAllowed(_("%(person)s has no e-mail address or may not sign in.") % {"person": person})
    if not may_send_office_link(person.code):
        raise NotAllowed(_("%(person)s was sent several links within the hour. Please wait.") % {"person": person})
    emails.create_password(person)
    audit.record("person.password_link_sent", person, actor=actor)
