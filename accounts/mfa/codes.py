"""Sending one-time passwords, and checking what somebody typed. Every try locks the person's row: of two that type the
same code at once, one wins.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_otp.models import ThrottlingMixin
from django_otp.plugins.otp_email.models import EmailDevice
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.util import random_number_token

from accounts import throttles
from accounts.emails import codes as emails
from accounts.mfa.rules import code_address, method_of
from accounts.mfa.secrecy import digest, possible_digests
from accounts.models import AppDevice, MfaMethod, User
from opscom.core import audit
from opscom.core.codes import clean_code
from opscom.core.errors import Allowed, Decision, DomainError, Refused
from opscom.core.locks import lock_row
from opscom.provider.selectors import get_time_zone

DIGITS, MINUTES = 6, 15
# django-otp doubles the wait with each failure without an end; 2**9 seconds are enough, and let the owner back in.
MOST_FAILURES = 10


class CodeRefused(DomainError):
    """What was typed is no code that counts; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The e-mailed code that can be typed now: where it went, and from when to when it is good."""

    address: str
    issued_at: dt.datetime
    expires_at: dt.datetime


@transaction.atomic
def send_code(*, person: User) -> Decision:
    """E-mail a new one-time password; all earlier ones are dead. Refused: without address, too soon, or too often."""
    person = lock_row(User.objects.filter(pk=person.pk), "person")
    address = code_address(person)
    if not address:
        return Refused("no-address", _("There is no confirmed e-mail address to which a one-time password could go."))
    device = email_device(person)
    is_allowed, why = device.generate_is_allowed()
    if not is_allowed:
        return Refused("too-soon", _wait_text(why["next_generation_at"]), why["next_generation_at"])
    if not throttles.may_send_code(person.code):
        return Refused("too-many", _("Too many one-time passwords have been sent. Please wait an hour."))
    code, issued_at = random_number_token(DIGITS), timezone.now()
    device.cooldown_set(commit=False)
    device.token, device.valid_until = _email_digest(device, address, code), issued_at + dt.timedelta(minutes=MINUTES)
    device.save()
    emails.one_time_password(person, address, code=code, issued_at=issued_at, expires_at=device.valid_until)
    return Allowed()


def live_code(person: User) -> Sent | None:
    """Return what the page says of the code that is on its way; None when there is none that still counts."""
    device = EmailDevice.objects.filter(user=person).order_by("pk").first()
    if device is None or not device.token or device.valid_until <= timezone.now():
        return None
    issued_at = device.valid_until - dt.timedelta(minutes=MINUTES)
    return Sent(code_address(person), issued_at, device.valid_until)


def check_code(*, person: User, code: str) -> str:
    """Use up the code and return the id of the device that made it (django-otp's `persistent_id`).

    Accepted are codes by the person's own means, e-mail or app, and their recovery codes. Raises CodeRefused; for an
    expired code a new one has then been sent, and the text says so.
    """
    found = _try_code(person, clean_code(code))
    if isinstance(found, Refused) and found.code == "expired" and send_code(person=person).is_allowed:
        raise CodeRefused(_("This one-time password has expired. A new one has been sent to you by e-mail."))
    if isinstance(found, Refused):
        raise CodeRefused(found.reason)
    return found


def email_device(person: User) -> EmailDevice:
    """Return the person's one row for e-mailed codes; the caller holds the lock on the person."""
    device = EmailDevice.objects.filter(user=person).order_by("pk").first()
    return device or EmailDevice.objects.create(user=person, name="email")


@transaction.atomic
def confirm_app(*, person: User, device_id: int, code: str) -> AppDevice:
    """Check the first code of a new app; raises CodeRefused. The device comes back still unconfirmed."""
    person = lock_row(User.objects.filter(pk=person.pk), "person")
    device = AppDevice.objects.filter(user=person, pk=device_id, confirmed=False).first()
    if device is None:
        raise CodeRefused(_("This key is no longer valid. Please begin again."))
    # No throttle: whoever stands here has the key before their eyes.
    device.throttling_enabled = False
    if not device.verify_token(clean_code(code)):
        raise CodeRefused(_("This is not the code that the app shows now. Is the clock of the device right?"))
    return device


@transaction.atomic
def _try_code(person: User, code: str) -> str | Refused:
    # Refusals are returned, not raised: the count of failures must be committed.
    person = lock_row(User.objects.filter(pk=person.pk), "person")
    is_recovery = not (code.isdecimal() and len(code) == DIGITS)
    if is_recovery:
        return _try_recovery(person, code)
    if method_of(person) == MfaMethod.APP:
        device = AppDevice.objects.filter(user=person, confirmed=True).order_by("pk").first()
        return _verify(device, code) if device else _wrong()
    return _try_email(person, code)


def _try_email(person: User, code: str) -> str | Refused:
    device = email_device(person)
    if device.token and device.valid_until <= timezone.now():
        return Refused("expired", _("This one-time password has expired. Please have a new one sent."))
    return _verify(device, _email_digest(device, code_address(person), code))


def _try_recovery(person: User, code: str) -> str | Refused:
    device = StaticDevice.objects.filter(user=person).order_by("pk").first()
    if device is None:
        return _wrong()
    digests = possible_digests(device.pk, code)
    match = device.token_set.filter(token__in=digests).values_list("token", flat=True).first()
    found = _verify(device, match or digests[0])
    if isinstance(found, str):
        audit.record("person.recovery_code_used", person, actor=person, left=device.token_set.count())
    return found


def _verify(device: EmailDevice | AppDevice | StaticDevice, token: str) -> str | Refused:
    wait = _wait(device)
    if wait is not None:
        return wait
    return device.persistent_id if device.verify_token(token) else _wrong()


def _wait(device: ThrottlingMixin) -> Refused | None:
    device.throttling_failure_count = min(device.throttling_failure_count, MOST_FAILURES)
    is_allowed, why = device.verify_is_allowed()
    return None if is_allowed else Refused("wait", _wait_text(why["locked_until"]), why["locked_until"])


def _wrong() -> Refused:
    return Refused("wrong", _("This one-time password is not right, or it has been used already."))


def _wait_text(until: dt.datetime) -> str:
    seconds = max(1, round((until - timezone.now()).total_seconds()))
    if seconds < 100:
        text = ngettext("Please wait %d second and try again.", "Please wait %d seconds and try again.", seconds)
        return text % seconds
    clock = date_format(until.astimezone(get_time_zone()), "TIME_FORMAT")
    return _("Please wait until %(time)s and try again.") % {"time": clock}


def _email_digest(device: EmailDevice, address: str, code: str) -> str:
    # Bound to the address: a code that went to one which the person has left since opens nothing.
    return digest("email", device.pk, address, code)
