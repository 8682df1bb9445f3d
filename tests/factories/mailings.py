"""Mailings for tests."""

from typing import Any

from accounts.models import Mailing, User
from accounts.services.mailings import continue_mailings, start_mailing
from opscom.messaging.models import EmailCategory, Message
from opscom.provider.models import Provider
from opscom.provider.selectors import forget_cached

ENGLISH = {"en": "Lot 4 is closed"}
BOTH = {"en": "Lot 4 is closed", "fr-ca": "Le terrain 4 est fermé"}
TEXTS = {"en": "Dear all,\r\n\r\nwe <pave> it.", "fr-ca": "Bonjour,\n\nnous le pavons."}


def make_mailing(writer: User, category: str = "newsletter", **fields: Any) -> Mailing:
    """Return a draft in both languages."""
    words = {"subject": BOTH, "text": TEXTS, **fields}
    return Mailing.objects.create(category=EmailCategory.objects.get(code=category), written_by=writer, **words)


def send_all(mailing: Mailing, actor: User, **options: Any) -> Mailing:
    """Start it, let the workers write all of it, and return it as it is then."""
    start_mailing(mailing=mailing, actor=actor, **options)
    continue_mailings()
    mailing.refresh_from_db()
    return mailing


def mails_of(mailing: Mailing) -> dict[str, Message]:
    """Return the mails of this mailing by address; fails when an address has two."""
    mails = list(Message.objects.filter(dedupe_key__startswith=f"mailing:{mailing.code}:"))
    by_address = {mail.to: mail for mail in mails}
    assert len(by_address) == len(mails)
    return by_address


def let_people_choose(is_on: bool) -> None:
    """Switch e-mail preferences on or off, as the office would."""
    Provider.objects.update_or_create(pk=1, defaults={"is_email_preferences_on": is_on})
    forget_cached()
