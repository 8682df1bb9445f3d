"""What the provider's contact block needs."""

from django import template

from opscom.provider import selectors
from opscom.provider.models import Holiday

register = template.Library()


@register.simple_tag
def next_holidays(count: int = 3) -> list[Holiday]:
    """Return the coming days on which the office is closed."""
    return selectors.next_holidays(count)
