"""Which mail an address wants. Only non-essential mail can be switched off; system mail has no category at all.

Preferences belong to the address, because that is all a mail knows of its reader.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.urls import reverse

from opscom.core import audit
from opscom.messaging.models import EmailCategory, OptOut
from opscom.provider.selectors import get_provider

SYSTEM, IMPORTANT = "system", "important"


@dataclass(frozen=True, slots=True)
class Choice:
    """One category that can be switched off, and whether this address gets it."""

    category: EmailCategory
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link in a mail carries: whose preferences, and of which category the mail was."""

    address: str
    category: str


class LinkAltered(Exception):
    """The link was not made by us, or somebody has changed it."""


def are_on() -> bool:
    """Say whether people may choose; when not, what they once chose is kept and ignored."""
    return get_provider().is_email_preferences_on


def clean(address: str) -> str:
    """Return the spelling in which addresses are compared."""
    return address.strip().lower()


def list_choices(address: str) -> list[Choice]:
    """Return the categories that can be switched off, in the office's order."""
    refused = set(OptOut.objects.filter(address=clean(address)).values_list("category_id", flat=True))
    return [Choice(each, each.pk not in refused) for each in EmailCategory.objects.filter(is_essential=False)]


def list_essential() -> list[EmailCategory]:
    """Return the categories that nobody can switch off."""
    return list(EmailCategory.objects.filter(is_essential=True))


def is_wanted(address: str, category: str) -> bool:
    """Say whether mail of this category may go to this address now."""
    if category == SYSTEM or not are_on():
        return True
    refused = OptOut.objects.filter(address=clean(address), category__code=category, category__is_essential=False)
    return not refused.exists()


def can_be_switched_off(category: str) -> bool:
    """Say whether mail of this category carries the link `Unsubscribe`."""
    if category == SYSTEM or not are_on():
        return False
    return EmailCategory.objects.filter(code=category, is_essential=False).exists()


@transaction.atomic
def save_choices(*, address: str, wanted: Collection[str], actor: Any = None) -> None:
    """Let this address get exactly these categories (codes) of those that can be switched off."""
    for choice in list_choices(address):
        _switch(address, choice, choice.category.code in wanted, actor)


@transaction.atomic
def switch_off(*, address: str, category: str) -> None:
    """Let this address get nothing more of the category; a second time, and for an essential one, nothing changes."""
    for choice in list_choices(address):
        if choice.category.code == category:
            _switch(address, choice, False, None)


@transaction.atomic
def move_preferences(*, old: str, new: str) -> None:
    """Let what somebody chose go with them to their new address; what the new one has refused stays refused."""
    rows = OptOut.objects.filter(address=clean(old))
    moved = [OptOut(address=clean(new), category_id=row.category_id) for row in rows]
    OptOut.objects.bulk_create(moved, ignore_conflicts=True)
    rows.delete()


def make_link(address: str, category: str, language: str) -> str:
    """Return the address of this reader's `Email Preferences`; it works without sign-in, and does not run out.

    The same address answers a mail program's one-click POST (RFC 8058).
    """
    token = _signer().sign_object([clean(address), category], compress=True)
    return f"{settings.SITE_URL}{reverse('messaging:preferences', args=[token])}?lang={language}"


def read_link(token: str) -> Ticket:
    """Return what the link carries; raises LinkAltered."""
    try:
        address, category = _signer().unsign_object(token)
    except (BadSignature, ValueError, TypeError) as error:
        raise LinkAltered from error
    return Ticket(str(address), str(category))


def _signer() -> Signer:
    return Signer(salt="messaging.preferences")


def _switch(address: str, choice: Choice, is_wanted: bool, actor: Any) -> None:
    if is_wanted == choice.is_wanted:
        return
    if is_wanted:
        OptOut.objects.filter(address=clean(address), category=choice.category).delete()
    else:
        OptOut.objects.get_or_create(address=clean(address), category=choice.category)
    action = "email_category.switched_on" if is_wanted else "email_category.switched_off"
    audit.record(action, choice.category, actor=actor, address=clean(address))
