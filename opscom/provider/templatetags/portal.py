"""The small pieces that stand on many pages: icons, plates, sums, states, and dates as the provider's place reads them.

They live on the provider's floor, not on the core's, because dates need the provider's time zone.
"""

import datetime as dt
from decimal import Decimal
from functools import lru_cache

import lucide
from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from opscom.core.money import format_money
from opscom.provider.selectors import get_time_zone, local_date

register = template.Library()

TONES = {"good", "warn", "bad", "calm", "plain"}


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str) -> SafeString:
    """Draw a lucide icon, sized by the text beside it and silent for screen readers; kept, as drawing is slow."""
    # Safe: the drawing is the library's own, and an unknown name raises.
    return mark_safe(lucide._render_icon(str(name), None, **{"aria-hidden": "true", "class": "icon"}))  # noqa: S308


@register.simple_tag
def plate(text: str, region: str = "") -> SafeString:
    """Draw a number plate: the region's name small above the plate's text."""
    return format_html('<span class="plate"><small>{}</small> <b>{}</b></span>', region, text)


@register.filter
def money(amount: Decimal | None) -> SafeString | str:
    """Write a sum as the active language does, in figures of equal width; nothing for None."""
    return "" if amount is None else format_html('<span class="money">{}</span>', format_money(amount))


@register.filter
def plain_money(amount: Decimal | None) -> str:
    """Write a sum without mark-up: for titles, labels, e-mails and paper."""
    return "" if amount is None else format_money(amount)


@register.simple_tag
def status_tag(label: str, tone: str = "plain", icon_name: str = "") -> SafeString:
    """Show a state in words; the tone (good, warn, bad, calm, plain) and the icon only help."""
    if tone not in TONES:
        raise ValueError(f"{tone!r} is not one of {sorted(TONES)}.")
    return format_html('<span class="tag {}">{}{}</span>', tone, icon(icon_name) if icon_name else "", label)


@register.filter
def local_datetime(moment: dt.datetime | None) -> str:
    """Write an instant as date and time at the provider's place."""
    return "" if moment is None else date_format(moment.astimezone(get_time_zone()), "DATETIME_FORMAT")


@register.filter
def local_time(moment: dt.datetime | None) -> str:
    """Write an instant as the time of day at the provider's place."""
    return "" if moment is None else date_format(moment.astimezone(get_time_zone()), "TIME_FORMAT")


@register.filter(name="local_date")
def local_date_filter(moment: dt.date | None) -> str:
    """Write a date, or the provider's calendar day of an instant."""
    return "" if moment is None else date_format(day_of(moment), "DATE_FORMAT")


@register.filter
def until(end: dt.date | None) -> str:
    """Write the end of a half-open period as people say it: the last day, or date and time when it ends within a day."""
    if isinstance(end, dt.datetime) and end.astimezone(get_time_zone()).time() != dt.time.min:
        return local_datetime(end)
    return "" if end is None else date_format(day_of(end) - dt.timedelta(days=1), "DATE_FORMAT")


@register.filter
def iso(moment: dt.datetime) -> str:
    """Write an instant for `datetime` attributes and scripts."""
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")


@register.filter
def initials(person: object) -> str:
    """Return one or two letters for the person's round mark."""
    words = str(person).split("@")[0].split()
    return "".join(word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words[:1])).upper()


@register.filter
def first_choice(field: object) -> str:
    """Return the id that a link to this form field must name; of radio buttons, the first one's."""
    return getattr(field, "id_for_label", "") or f"{getattr(field, 'auto_id', '')}_0"


def day_of(moment: dt.date) -> dt.date:
    """Return the provider's calendar day of an instant; a date is one already."""
    return local_date(moment) if isinstance(moment, dt.datetime) else moment
