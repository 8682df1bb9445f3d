"""One-time passwords of a test: read from the outbox, made by an app, and the clock around them."""

import datetime as dt
import re

from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_email.models import EmailDevice
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.mfa import services
from accounts.mfa.codes import send_code
from accounts.models import AppDevice, User
from opscom.messaging.rendering import render
from tests.accounts.helpers import mails, sign_in
from tests.factories.accounts import PASSWORD

CODE_PAGE, SEND, SETTINGS, APP_PAGE = (
    "/one_time_password",
    "/account/send_email",
    "/account/multiauth",
    "/account/multiauth/app",
)


def newest_code() -> str:
    """Return the code in the newest mail."""
    letter, _kept = render(mails("one_time_password")[-1])
    found = re.search(r"\b(\d{6})\b", letter.text)
    assert found, letter.text
    return found[1]


def send_another(person: User) -> str:
    """Let the cool-down pass, have a new code sent, and return it."""
    let_pass(person, cool_down=True)
    send_code(person=person).or_raise()
    return newest_code()


def let_pass(person: User, *, cool_down: bool = False, throttle: bool = False, expire: bool = False) -> None:
    """Move the person's devices past their cool-down, their wait after failures, or the code's fifteen minutes."""
    past = timezone.now() - dt.timedelta(minutes=20)
    rows = EmailDevice.objects.filter(user=person)
    if cool_down:
        rows.update(last_generated_timestamp=past)
    if expire:
        rows.update(valid_until=timezone.now() - dt.timedelta(seconds=1), last_generated_timestamp=past)
    if throttle:
        for model in (EmailDevice, StaticDevice, TOTPDevice):
            model.objects.filter(user=person).update(throttling_failure_timestamp=past - dt.timedelta(days=1))


def app_code(device: AppDevice, steps: int = 0) -> str:
    """Return what the app shows, `steps` half minutes from now."""
    return f"{totp(device.bin_key, t0=-30 * steps):06}"


def give_app(person: User) -> AppDevice:
    """Set up an authenticator app, as the person would."""
    device = services.begin_app(person=person)
    services.enable_app(person=person, device_id=device.pk, code=app_code(device, -1), keep="")
    person.refresh_from_db()
    return device


def give_email(person: User) -> None:
    """Let the person choose e-mailed codes."""
    services.enable_email(person=person, keep="")
    person.refresh_from_db()


def enter(client: Client, code: str, **more: str):
    """Post the code page."""
    return client.post(CODE_PAGE, {"code": code, **more})


def sign_in_half(client: Client, person: User, **more: str):
    """Sign in with the password only."""
    return sign_in(client, person.email, PASSWORD, **more)


def is_in(client: Client) -> bool:
    """Say whether the browser gets past the code page."""
    return client.get(reverse("home:home")).status_code == 200
