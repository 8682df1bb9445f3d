"""One function for each message about what people have stored to pay with."""

import datetime as dt

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import override

from accounts.emails.sending import make_link
from accounts.models import User
from opscom.messaging.models import Lane
from opscom.messaging.services import queue_email
from payments.models import StoredMethod


def card_stored(stored: StoredMethod, person: User) -> None:
    """A card was stored: who did not do it hears of it."""
    _tell("card_stored", stored, person, key=f"card-stored:{stored.pk}")


def method_set_up(stored: StoredMethod, person: User) -> None:
    """The office set up a payroll deduction or a transfer, which the person can now choose."""
    _tell("method_set_up", stored, person, key=f"method-set-up:{stored.pk}")


def method_removed(stored: StoredMethod, person: User) -> None:
    """What was stored is removed, and pays for nothing any more."""
    _tell("method_removed", stored, person, key=f"method-removed:{stored.pk}")


def company_card_stored(stored: StoredMethod) -> None:
    """The office stored a company's card: its contact hears of it."""
    _tell_company("company_card_stored", stored, key=f"card-stored:{stored.pk}")


def company_card_removed(stored: StoredMethod) -> None:
    """A company's card is removed, or another one has taken its place."""
    _tell_company("company_card_removed", stored, key=f"method-removed:{stored.pk}")


def card_expires(stored: StoredMethod) -> None:
    """The card is not valid much longer; a company's contact is told of its card."""
    key = f"card-expires:{stored.pk}:{stored.expires_on}"
    if stored.person:
        _tell("card_expires", stored, stored.person, key=key, last_day=stored.last_day)
    else:
        _tell_company("card_expires", stored, key=key, last_day=stored.last_day)


def _tell_company(name: str, stored: StoredMethod, *, key: str, last_day: dt.date | None = None) -> None:
    company = stored.company
    if company:
        _send(name, stored, company.contact_email, company.contact_name or company.name, "", key, last_day)


def _tell(name: str, stored: StoredMethod, person: User, *, key: str, last_day: dt.date | None = None) -> None:
    _send(name, stored, person.contact_email, str(person), person.language, key, last_day)


def _send(
    name: str, stored: StoredMethod, to: str, whose: str, language: str, key: str, last_day: dt.date | None
) -> None:
    if not to:
        return
    language = language or settings.LANGUAGE_CODE
    with override(language):
        queue_email(
            template=f"payments/{name}",
            to=to,
            language=language,
            dedupe_key=key,
            context={
                "name": whose,
                "method": stored.label,
                "last_day": date_format(last_day, "DATE_FORMAT") if last_day else "",
                "link": make_link("payments:cards", language),
            },
            lane=Lane.URGENT,
        )
