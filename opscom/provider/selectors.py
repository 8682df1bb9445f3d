"""The provider's row and what follows from it. The row is kept in the cache until the office saves it."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.utils import timezone

from opscom.provider.models import Holiday, Provider

CACHE_KEY = "provider:row"


def get_provider() -> Provider:
    """Return the provider; made with safe defaults when the office has saved none yet."""
    provider = cache.get(CACHE_KEY)
    if provider is None:
        provider, _made = Provider.objects.get_or_create(pk=1)
        cache.set(CACHE_KEY, provider, 300)
    return provider


def get_time_zone() -> ZoneInfo:
    """Return the provider's time zone: every date that a person reads is in it."""
    return ZoneInfo(get_provider().time_zone)


def local_date(moment: dt.datetime | None = None) -> dt.date:
    """Return the provider's calendar day at `moment` (now when None)."""
    return (moment or timezone.now()).astimezone(get_time_zone()).date()


def start_of_day(day: dt.date) -> dt.datetime:
    """Return the instant at which `day` begins at the provider's place."""
    return dt.datetime.combine(day, dt.time.min, tzinfo=get_time_zone())


def is_holiday(day: dt.date) -> bool:
    """Say whether the office is closed for a holiday on that day."""
    return Holiday.objects.filter(on=day).exists()
