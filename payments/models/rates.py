"""What time costs: a table of rates, in the field's words (APDS rate table, CDS rate)."""

import pghistory
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.fields import TranslatedField
from opscom.core.money import MoneyField
from opscom.provider.hours import Hours, describe_days, describe_span


class RateUnit(models.TextChoices):
    MINUTE = "minute", _("a minute")
    HOUR = "hour", _("an hour")
    DAY = "day", _("a day")


class RatePeriod(models.TextChoices):
    ROLLING = "rolling", _("From the start: 24 hours by the clock")
    CALENDAR = "calendar", _("Calendar days: from midnight to midnight")


@pghistory.track()
class RateTable(models.Model):
    """Rates that belong together. `maximum_fee` caps what one day costs; `rate_unit_period` says when a day begins."""

    code = models.SlugField(_("code"), unique=True)
    name = TranslatedField(_("name"))
    rate_unit_period = models.CharField(
        _("a day begins"), max_length=10, choices=RatePeriod.choices, default=RatePeriod.CALENDAR
    )
    maximum_fee = MoneyField(_("a day costs at most"), null=True, blank=True, help_text=_("Empty: no limit."))

    class Meta:
        verbose_name = _("rate table")
        verbose_name_plural = _("rate tables")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(rate_unit_period__in=RatePeriod.values), name="payments_ratetable_period_known"
            ),
            models.CheckConstraint(
                condition=Q(maximum_fee__isnull=True) | Q(maximum_fee__gte=0),
                name="payments_ratetable_cap_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return str(self.name) or self.code


@pghistory.track()
class Rate(models.Model):
    """One rate: what a unit of time costs while it is in force. Of several, the first by `position` counts; none: free.

    Half-open hours, which may pass midnight; 00:00 to 00:00 is the whole day. `start_duration` and `end_duration` are
    minutes of the stay: a rate that starts at 30 makes the first half hour free.
    """

    table = models.ForeignKey(RateTable, models.CASCADE, related_name="rates", verbose_name=_("rate table"))
    position = models.PositiveSmallIntegerField(_("order"), default=0)
    days_of_week = models.JSONField(_("weekdays (0 is Monday; none: every day)"), default=list, blank=True)
    time_of_day_start = models.TimeField(_("from"), default="00:00")
    time_of_day_end = models.TimeField(_("until"), default="00:00", help_text=_("00:00 means the end of the day."))
    rate = MoneyField(_("rate without tax"))
    rate_unit = models.CharField(_("unit"), max_length=10, choices=RateUnit.choices, default=RateUnit.HOUR)
    increment_duration = models.PositiveSmallIntegerField(
        _("charged by so many minutes"),
        default=60,
        validators=[MinValueValidator(1)],
        help_text=_("Each begun piece of so many minutes is charged. A rate by the day charges whole days."),
    )
    start_duration = models.PositiveIntegerField(_("counts after so many minutes"), default=0)
    end_duration = models.PositiveIntegerField(_("counts until so many minutes"), null=True, blank=True)

    class Meta:
        verbose_name = _("rate")
        verbose_name_plural = _("rates")
        ordering = ["table", "position", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(rate__gte=0), name="payments_rate_not_negative"),
            models.CheckConstraint(condition=Q(rate_unit__in=RateUnit.values), name="payments_rate_unit_known"),
            models.CheckConstraint(condition=Q(increment_duration__gte=1), name="payments_rate_increment_positive"),
            models.CheckConstraint(
                condition=Q(end_duration__isnull=True) | Q(end_duration__gt=F("start_duration")),
                name="payments_rate_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rate} {self.get_rate_unit_display()}"

    @property
    def hours_in_words(self) -> str:
        """When it is in force, in the active language; empty when that is always."""
        times = Hours(self.days_of_week, self.time_of_day_start, self.time_of_day_end)
        is_always = times.from_time == times.until_time
        parts = [describe_days(times.weekdays), "" if is_always else describe_span(times)]
        return ", ".join(part for part in parts if part)
