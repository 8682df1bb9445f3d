"""Changes of a person's factors. Each ends their other sessions, voids what was shown there, and mails the owner."""

from django.db import transaction
from django.db.models import Count, F
from django.utils.translation import gettext as _
from django_otp.plugins.otp_email.models import EmailDevice
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.emails import codes as emails
from accounts.mfa.codes import confirm_app, email_device
from accounts.mfa.rules import code_address, rule_for
from accounts.mfa.secrecy import digest
from accounts.models import AppDevice, MfaMethod, User
from accounts.sessions.services import end_sessions
from opscom.core import audit
from opscom.core.codes import clean_code, make_code
from opscom.core.errors import Allowed, Decision, Refused
from opscom.core.locks import lock_row
from opscom.provider.models import MfaRule

RECOVERY_CODES, RECOVERY_LENGTH, RECOVERY_GROUP = 10, 12, 4


def can_disable(person: User) -> Decision:
    """Say whether this person may do without codes."""
    if rule_for(person) == MfaRule.REQUIRED:
        return Refused("required", _("For your account multi-factor authentication is required."))
    return Allowed()


def can_use_email(person: User) -> Decision:
    """Say whether one-time passwords can reach this person."""
    if code_address(person):
        return Allowed()
    return Refused("no-address", _("Confirm your e-mail address first: that is where one-time passwords are sent."))


@transaction.atomic
def disable(*, person: User, keep: str) -> None:
    """Ask for no code any more, and forget every device; raises NotAllowed where codes are required.

    `keep` is the key of the session in which this is done: the only one that goes on.
    """
    person = _lock(person)
    can_disable(person).or_raise()
    TOTPDevice.objects.filter(user=person).delete()
    StaticDevice.objects.filter(user=person).delete()
    _change(person, "", keep=keep, deed="person.mfa_disabled", change="off")


@transaction.atomic
def enable_email(*, person: User, keep: str) -> None:
    """Ask for an e-mailed code at sign-in; an app that was used before is forgotten. Raises NotAllowed without address."""
    person = _lock(person)
    can_use_email(person).or_raise()
    TOTPDevice.objects.filter(user=person).delete()
    email_device(person)
    _change(person, MfaMethod.EMAIL, keep=keep, deed="person.mfa_enabled", change="email")


@transaction.atomic
def begin_app(*, person: User) -> AppDevice:
    """Return a new authenticator app with a key to show; nothing changes until its first code is confirmed."""
    person = _lock(person)
    AppDevice.objects.filter(user=person, confirmed=False).delete()
    return AppDevice.make(user=person)


@transaction.atomic
def enable_app(*, person: User, device_id: int, code: str, keep: str) -> list[str]:
    """Ask for the app's codes from now on, instead of the earlier means; raises CodeRefused.

    Returns ten recovery codes for who has none yet, to be shown once; else an empty list.
    """
    person = _lock(person)
    device = confirm_app(person=person, device_id=device_id, code=code)
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    TOTPDevice.objects.filter(user=person).exclude(pk=device.pk).delete()
    codes = [] if recovery_codes_left(person) else _write_codes(person)
    _change(person, MfaMethod.APP, keep=keep, deed="person.mfa_enabled", change="app")
    return codes


@transaction.atomic
def make_recovery_codes(*, person: User, keep: str) -> list[str]:
    """Return ten new single-use codes, to be shown once; the earlier ones are dead. Only digests are kept."""
    person = _lock(person)
    codes = _write_codes(person)
    _change(person, person.mfa_method, keep=keep, deed="person.recovery_codes_made", change="recovery")
    return codes


@transaction.atomic
def reset_factors(*, person: User, actor: User) -> None:
    """Forget the app and the recovery codes of somebody who lost them: from then on codes go by e-mail, if any are asked.

    For the office. What the person had chosen stays chosen in kind: who wanted codes gets them by e-mail.
    """
    person = _lock(person)
    TOTPDevice.objects.filter(user=person).delete()
    StaticDevice.objects.filter(user=person).delete()
    method = MfaMethod.EMAIL if person.mfa_method else ""
    _change(person, method, keep="", deed="person.mfa_reset", change="reset", actor=actor)


def recovery_codes_left(person: User) -> int | None:
    """Return how many recovery codes can still be used; None where none were ever made."""
    counts = StaticDevice.objects.filter(user=person).annotate(left=Count("token_set"))
    left: int | None = counts.order_by("pk").values_list("left", flat=True).first()
    return left


def _lock(person: User) -> User:
    return lock_row(User.objects.filter(pk=person.pk), "person")


def _write_codes(person: User) -> list[str]:
    StaticDevice.objects.filter(user=person).delete()
    device = StaticDevice.objects.create(user=person, name="recovery")
    codes = [make_code(RECOVERY_LENGTH) for _number in range(RECOVERY_CODES)]
    tokens = [StaticToken(device=device, token=digest(device.pk, clean_code(code))) for code in codes]
    StaticToken.objects.bulk_create(tokens)
    starts = range(0, RECOVERY_LENGTH, RECOVERY_GROUP)
    return ["-".join(code[start : start + RECOVERY_GROUP] for start in starts) for code in codes]


def _change(person: User, method: str, *, keep: str, deed: str, change: str, actor: User | None = None) -> None:
    User.objects.filter(pk=person.pk).update(mfa_method=method, mfa_epoch=F("mfa_epoch") + 1)
    EmailDevice.objects.filter(user=person).update(token=None)
    audit.record(deed, person, actor=actor or person, method=method or "off")
    end_sessions(person=person, keep=keep)
    if person.contact_email:
        emails.sign_in_changed(person, change=change)
