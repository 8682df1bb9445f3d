"""The provider's row, dates and words for tests."""

import datetime as dt
from typing import Any

from opscom.provider.models import Disclaimer, Holiday, Lot, Provider
from opscom.provider.selectors import forget_cached
from opscom.provider.services import save_disclaimer


def set_provider(**changes: Any) -> Provider:
    """Change the provider's row, and have everyone read it anew."""
    provider, _made = Provider.objects.update_or_create(pk=1, defaults=changes)
    forget_cached()
    return provider


def set_disclaimer(kind: str, text: str) -> Disclaimer:
    """Give a disclaimer this English text, as the office does."""
    return save_disclaimer(disclaimer=Disclaimer.objects.get(kind=kind), text={"en": text} if text else {}, actor=None)


def make_holiday(on: dt.date, name: str = "Holiday") -> Holiday:
    """Close the office for a day."""
    holiday = Holiday.objects.create(on=on, name={"en": name})
    forget_cached()
    return holiday


def make_lot(**changes: Any) -> Lot:
    """Make a lot with forty stalls."""
    number = Lot.objects.count() + 1
    return Lot.objects.create(**{"code": f"{100 + number}", "name": {"en": f"Lot {number}"}, "stalls": 40, **changes})
