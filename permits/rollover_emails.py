"""One function for each message about renewals. Sums and days are written out here, in the receiver's language."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import override

from accounts.emails.sending import make_link, write_to
from opscom.core.money import ZERO, format_money
from opscom.messaging.models import Lane
from opscom.provider.selectors import local_date
from opscom.provider.templatetags.portal import until
from payments.models import StoredMethod
from permits.models import Permit

ONE_DAY = dt.timedelta(days=1)


def announced(renewal: Permit, *, charge_on: dt.date, stored: StoredMethod | None) -> None:
    """Seven days before: what the next period costs, when it is taken, and from where."""
    _send(
        "rollover_announced", renewal, f"rollover-announced:{renewal.pk}",
        charge_on=_day(renewal, charge_on), method=stored.label if stored else "",
    )  # fmt: skip


def refused(permit: Permit, *, code: str, reason: str) -> None:
    """It is not renewed, and why."""
    _send("rollover_refused", permit, f"rollover-refused:{permit.pk}:{code}", reason=reason)


def declined(renewal: Permit, *, key: str, reason: str, next_on: dt.date | None, asks_holder: bool = False) -> None:
    """A charge was refused: how to mend it, and until when. `key` names the try."""
    _send(
        "rollover_declined", renewal, f"rollover-declined:{renewal.pk}:{key}", lane=Lane.URGENT,
        reason=reason, next_on=_day(renewal, next_on) if next_on else "", asks_holder=asks_holder,
    )  # fmt: skip


def lapsed(renewal: Permit) -> None:
    """It was not paid in time: its number goes to who is next."""
    _send("rollover_lapsed", renewal, f"rollover-lapsed:{renewal.pk}", lane=Lane.URGENT)


def rolled(renewal: Permit, *, charge_on: dt.date | None, stored: StoredMethod | None) -> None:
    """The office reserved the next permit: what it costs, until when it is to be paid, and whether that happens by itself."""
    _send(
        "rolled", renewal, f"rolled:{renewal.pk}",
        charge_on=_day(renewal, charge_on) if charge_on and stored else "",
        method=stored.label if charge_on and stored else "",
    )  # fmt: skip


def amount_of(permit: Permit) -> Decimal:
    """Return what the permit costs its payer, with its taxes."""
    return permit.net + sum((Decimal(tax["amount"]) for tax in permit.taxes), ZERO)


def _day(permit: Permit, day: dt.date) -> str:
    with override(permit.language):
        return date_format(day, "DATE_FORMAT")


def _send(name: str, permit: Permit, key: str, *, lane: Lane = Lane.BULK, **more: Any) -> None:
    if permit.holder:
        write_to(permit.holder, f"permits/{name}", key=key, lane=lane, about=lambda: {**_about(permit), **more})


def _about(permit: Permit) -> dict[str, Any]:
    language = permit.language
    before = permit.renews
    return {
        "number": permit.number,
        "old_number": before.number if before else permit.number,
        "lot": str(permit.lot),
        "permit_type": str(permit.permit_type),
        "first_day": date_format(local_date(permit.valid_from), "DATE_FORMAT"),
        "last_day": date_format(local_date(permit.valid_until) - ONE_DAY, "DATE_FORMAT"),
        "amount": format_money(amount_of(permit)),
        "pay_until": str(until(permit.held_until)) if permit.held_until else "",
        "permit_link": make_link("permits:detail", language, permit.code),
        "pay_link": make_link("payments:due", language),
        "cards_link": make_link("payments:cards", language),
        "permits_link": make_link("permits:list", language),
    }
