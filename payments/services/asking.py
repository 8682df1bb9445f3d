"""The rhythm in which gateways are asked what became of something: one for payments and for cards being stored."""

from datetime import datetime, timedelta

from django.utils import timezone

# Longer than any web request may take: a process killed between row and call leaves a row that is looked up then.
FIRST_CHECK = timedelta(minutes=2)
# A page that has closed may still report what was on its way: keep asking for a day, ever more rarely. Only an answer
# ends the asking: while the gateway is away, or gone from the settings, the question stays open.
ASK_AFTER_EXPIRY = timedelta(hours=24)
MOST_BETWEEN_CHECKS = timedelta(hours=2)


def next_check(checks: int) -> datetime:
    """Return when to ask again what was asked about so often already."""
    wait: timedelta = timedelta(seconds=30) * 2 ** min(checks, 12)
    return timezone.now() + min(wait, MOST_BETWEEN_CHECKS)


def is_last_question(closes_at: datetime) -> bool:
    """Say whether a page that closed then has been asked about long enough."""
    return timezone.now() > closes_at + ASK_AFTER_EXPIRY
