"""How a price was made, in the reader's words: `Permit.price_parts` holds numbers only, so that it reads in any language."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from opscom.core.money import format_money
from permits.proration import MoneyBack

Part = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a price: what it is, and the sum at which one stands after it; of a temporary permit, its own sum."""

    words: str
    amount: str


def describe_price(parts: Iterable[Part]) -> list[Line]:
    """Return one line for each part, in the active language; KeyError for a kind of part that nobody words."""
    return [Line(WORDS[part["kind"]](part), format_money(Decimal(part["amount"]))) for part in parts]


def is_worth_explaining(parts: Iterable[Part]) -> bool:
    """Say whether the price is anything but its type's plain price."""
    return any(part["kind"] != "whole" for part in parts)


def describe_money_back(money: MoneyBack) -> list[Line]:
    """Return how the sum that goes back is made: what was paid, what of it is left, and the fee."""
    share = money.share
    lines = [Line(_("Paid, with tax"), format_money(money.paid))]
    if share.unit != "none" or share.left < share.of:
        lines.append(Line(_share_left(share.unit, share.left, share.of), format_money(money.part)))
    if money.fee:
        lines.append(Line(_("Fee for ending it early"), format_money(-money.fee)))
    return lines


def _share_left(unit: str, left: int, of: int) -> str:
    if unit == "months":
        words = ngettext("%(left)d of %(of)d month not begun", "%(left)d of %(of)d months not begun", of)
    elif unit == "days":
        words = ngettext("%(left)d of %(of)d day not begun", "%(left)d of %(of)d days not begun", of)
    else:
        return _("The whole price counts from the first day on")
    return words % {"left": left, "of": of}


def _whole(part: Part) -> str:
    return _("Whole price")


def _second(part: Part) -> str:
    return _("Price of a second one, instead of %(price)s") % {"price": format_money(Decimal(part["instead_of"]))}


def _prorated(part: Part) -> str:
    if part["unit"] == "months":
        words = ngettext(
            "%(left)d of %(of)d month (a month begun counts whole)",
            "%(left)d of %(of)d months (a month begun counts whole)",
            part["of"],
        )
    else:
        words = ngettext("%(left)d of %(of)d day", "%(left)d of %(of)d days", part["of"])
    return words % {"left": part["left"], "of": part["of"]}


def _time(part: Part) -> str:
    words = _time_words(part["unit"], part["count"], part["minutes"])
    return words % {**part, "rate": format_money(Decimal(part["rate"]))}


def _time_words(unit: str, count: int, minutes: int) -> str:
    """Return the sentence for so many pieces of time at a rate, with its placeholders."""
    if unit == "day":
        return ngettext("%(count)d day at %(rate)s a day", "%(count)d days at %(rate)s a day", count)
    if unit == "hour" and minutes == 60:
        return ngettext("%(count)d hour at %(rate)s an hour", "%(count)d hours at %(rate)s an hour", count)
    if unit == "hour":
        return _("%(count)d × %(minutes)d minutes at %(rate)s an hour")
    return _("%(count)d × %(minutes)d minutes at %(rate)s a minute")


def _cap(part: Part) -> str:
    return _("Daily maximum of %(maximum)s") % {"maximum": format_money(Decimal(part["maximum"]))}


WORDS: dict[str, Callable[[Part], str]] = {
    "whole": _whole,
    "second": _second,
    "prorated": _prorated,
    "time": _time,
    "cap": _cap,
}
