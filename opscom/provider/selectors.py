"""The provider's row and what follows from it: days, hours, holidays, disclaimers."""

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.utils import timezone

from opscom.core.remember import forget, once
from opscom.provider.models import Agreement, Disclaimer, Holiday, Provider

T = TypeVar("T")
VERSION_KEY = "provider:version"
# Short, because a save while the cache is unreachable cannot raise the version.
CACHE_SECONDS = 60
MONDAY_TO_FRIDAY = (0, 1, 2, 3, 4)


def get_provider() -> Provider:
    """Return the provider; made with safe defaults when the office has saved none yet."""
    return _cached("row", lambda: Provider.objects.get_or_create(pk=1)[0])


def _cached(name: str, load: Callable[[], T]) -> T:
    return once(f"provider:{name}", lambda: _from_cache(name, load))


def _from_cache(name: str, load: Callable[[], T]) -> T:
    # The version is read before the row: a reader who was overtaken by a save stores the old row under the old version,
    # where nobody looks any more.
    version = cache.get(VERSION_KEY)
    if version is None:
        version = uuid4().hex
        cache.add(VERSION_KEY, version, None)
    key = f"provider:{version}:{name}"
    value: Any = cache.get(key)
    if value is None:
        value = load()
        cache.set(key, value, CACHE_SECONDS)
    return value  # type: ignore[no-any-return]


def forget_cached() -> None:
    """Make every process read the provider anew; call it after the commit of a change."""
    cache.set(VERSION_KEY, uuid4().hex, None)
    forget()


def logo_as_data() -> str:
    """Return the logo as a data address, for paper, which fetches nothing; empty without a logo."""
    logo = get_provider().logo
    if not logo:
        return ""
    with logo.open("rb") as file:
        kind = "png" if str(logo.name).endswith(".png") else "jpeg"
        return f"data:image/{kind};base64,{base64.b64encode(file.read()).decode()}"


def get_time_zone() -> ZoneInfo:
    """Return the provider's time zone: every date that a person reads is in it."""
    return ZoneInfo(get_provider().time_zone)


def local_date(moment: dt.datetime | None = None) -> dt.date:
    """Return the provider's calendar day at `moment` (now when None)."""
    return (moment or timezone.now()).astimezone(get_time_zone()).date()


def start_of_day(day: dt.date) -> dt.datetime:
    """Return the instant at which `day` begins at the provider's place."""
    return dt.datetime.combine(day, dt.time.min, tzinfo=get_time_zone())


# Office days


def is_holiday(day: dt.date) -> bool:
    """Say whether the office is closed for a holiday on that day."""
    return Holiday.objects.filter(on=day).exists()


def next_holidays(count: int = 3) -> list[Holiday]:
    """Return the coming holidays, today's included; they stand in every page's footer, so they are cached."""
    today = local_date()
    coming = _cached(f"holidays:{today}", lambda: list(Holiday.objects.filter(on__gte=today)[:10]))
    return coming[:count]


def get_office_weekdays() -> set[int]:
    """Return the weekdays on which the office works, 0 is Monday; Monday to Friday when none are set."""
    return {int(day) for day in get_provider().office_weekdays} & set(range(7)) or set(MONDAY_TO_FRIDAY)


def is_business_day(day: dt.date) -> bool:
    """Say whether the office works on that day."""
    return day.weekday() in get_office_weekdays() and not is_holiday(day)


def add_business_days(start: dt.date, count: int) -> dt.date:
    """Return the `count`-th business day after `start`, which itself does not count; 0 is `start` as it is.

    Raises OverflowError when holidays leave no such day before the calendar's end.
    """
    weekdays, closed = get_office_weekdays(), set(Holiday.objects.filter(on__gt=start).values_list("on", flat=True))
    day = start
    while count > 0:
        day += dt.timedelta(days=1)
        count -= day.weekday() in weekdays and day not in closed
    return day


def is_open_at(moment: dt.datetime) -> bool:
    """Say whether the office is open at that instant: an office day, in [opens, closes), no holiday."""
    provider, local = get_provider(), moment.astimezone(get_time_zone())
    in_hours = provider.office_opens <= local.time() < provider.office_closes
    return in_hours and is_business_day(local.date())


# Disclaimers


def current_disclaimer(kind: str) -> Disclaimer | None:
    """Return the disclaimer of this kind, or None when the office has written no text: then it is not asked."""
    disclaimer = Disclaimer.objects.filter(kind=kind).first()
    return disclaimer if disclaimer and disclaimer.text else None


def needs_agreement(user: Any, kind: str) -> bool:
    """Say whether this person has yet to agree to the disclaimer as it stands now."""
    disclaimer = current_disclaimer(kind)
    if disclaimer is None:
        return False
    return not Agreement.objects.filter(user=user, kind=kind, version=disclaimer.version).exists()
