"""What is sold: permit types, their price and length, and where they are valid."""

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from opscom.core.fields import TranslatedField
from opscom.core.money import MoneyField


class TermKind(models.TextChoices):
    FIXED = "fixed", _("Fixed dates of the sale")
    CALENDAR_MONTHS = "calendar_months", _("Calendar months")
    ROLLING_MONTHS = "rolling_months", _("Months from the day of purchase")
    TEMPORARY = "temporary", _("Temporary: by dates or by hours, 30 days at most")


class Proration(models.TextChoices):
    NONE = "none", _("The whole price")
    DAYS = "days", _("By the day")
    MONTHS = "months", _("By the month begun")


# The manual: "Temporary permits are only valid for up to 30 days."
MOST_TEMPORARY_DAYS = 30


@pghistory.track()
class PermitType(models.Model):
    """A right that can be granted (APDS: right specification): its price, its length, and who may have it."""

    code = models.SlugField(_("code"), unique=True)
    name = TranslatedField(_("name"))
    description = TranslatedField(_("description"), long=True, blank=True)
    price = MoneyField(_("price without tax"))
    taxes = models.ManyToManyField("payments.TaxRate", blank=True, related_name="+", verbose_name=_("taxes"))
    term_kind = models.CharField(_("length"), max_length=20, choices=TermKind.choices, default=TermKind.FIXED)
    months = models.PositiveSmallIntegerField(_("months"), default=1, validators=[MinValueValidator(1)])
    proration = models.CharField(
        _("bought late or ended early"),
        max_length=10,
        choices=Proration.choices,
        default=Proration.NONE,
        help_text=_("What of the price counts when only a part of the time is left."),
    )
    second_price = MoneyField(
        _("price of a second one"),
        null=True,
        blank=True,
        help_text=_("Without tax, for who holds one of the same group already. Empty: the same price."),
    )
    may_end_early = models.BooleanField(_("holders may end it early"), default=False)
    early_end_fee = MoneyField(_("fee for ending it early"), default=0)
    is_rollover_offered = models.BooleanField(
        _("Permit Rollover"),
        default=False,
        help_text=_("Monthly permits renew themselves while their holder wants it."),
    )
    replacement_fee = MoneyField(_("fee for a lost or stolen permit"), default=0)
    replacement_car_days = models.PositiveSmallIntegerField(_("days for a replacement car"), default=14)
    replacement_cars_per_year = models.PositiveSmallIntegerField(_("replacement cars in a year"), default=2)
    may_change_vehicles = models.BooleanField(_("holders may change its vehicles"), default=True)
    is_by_dates = models.BooleanField(_("temporary: by dates"), default=False)
    is_by_hours = models.BooleanField(_("temporary: by the number of hours"), default=False)
    most_hours = models.PositiveSmallIntegerField(
        _("temporary: hours at most"),
        default=MOST_TEMPORARY_DAYS * 24,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_TEMPORARY_DAYS * 24)],
    )
    days_ahead = models.PositiveSmallIntegerField(_("temporary: days ahead at most"), default=90)
    rate_table = models.ForeignKey(
        "payments.RateTable",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("temporary: rate table"),
    )
    is_for_guests = models.BooleanField(
        _("temporary: sold to guests"), default=False, help_text=_("By the QR code on the sign, without an account.")
    )
    user_types = models.ManyToManyField(
        "accounts.UserType", blank=True, related_name="+", verbose_name=_("user types that may have it")
    )
    vehicle_kinds = models.JSONField(_("only for these kinds of vehicle"), default=list, blank=True)
    max_vehicles = models.PositiveSmallIntegerField(
        _("vehicles per permit"), default=1, validators=[MinValueValidator(1)]
    )
    limit_group = models.SlugField(
        _("counted together with"), default="standard", help_text=_("Types with the same word share one limit.")
    )
    max_per_person = models.PositiveSmallIntegerField(
        _("live permits per person"), default=1, validators=[MinValueValidator(1)]
    )
    hold_minutes = models.PositiveSmallIntegerField(
        _("minutes that a reservation holds"), default=30, validators=[MinValueValidator(5)]
    )
    max_prints = models.PositiveSmallIntegerField(_("prints per permit"), default=1)
    is_valid_when_promised = models.BooleanField(
        _("valid at once when the money is promised"),
        default=False,
        help_text=_("Else it is held, and valid when the money is in."),
    )
    account_code = models.ForeignKey(
        "payments.AccountCode", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("account code")
    )
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("permit type")
        verbose_name_plural = _("permit types")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(price__gte=0), name="permits_permittype_price_not_negative"),
            models.CheckConstraint(condition=Q(term_kind__in=TermKind.values), name="permits_permittype_term_known"),
            models.CheckConstraint(condition=Q(months__gte=1), name="permits_permittype_months_positive"),
            models.CheckConstraint(condition=Q(max_vehicles__gte=1), name="permits_permittype_vehicles_positive"),
            models.CheckConstraint(condition=Q(max_per_person__gte=1), name="permits_permittype_person_positive"),
            models.CheckConstraint(
                condition=Q(proration__in=Proration.values), name="permits_permittype_proration_known"
            ),
            models.CheckConstraint(
                condition=Q(second_price__isnull=True) | Q(second_price__gte=0),
                name="permits_permittype_second_price_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(early_end_fee__gte=0, replacement_fee__gte=0), name="permits_permittype_fees_not_negative"
            ),
            models.CheckConstraint(
                condition=~Q(term_kind="temporary")
                | (Q(rate_table__isnull=False) & (Q(is_by_dates=True) | Q(is_by_hours=True))),
                name="permits_permittype_temporary_has_rates",
            ),
            models.CheckConstraint(
                condition=Q(most_hours__gte=1, most_hours__lte=MOST_TEMPORARY_DAYS * 24),
                name="permits_permittype_temporary_hours_in_limit",
            ),
            models.CheckConstraint(
                condition=Q(is_rollover_offered=False) | Q(term_kind__in=["calendar_months", "rolling_months"]),
                name="permits_permittype_rollover_is_monthly",
            ),
        ]

    def __str__(self) -> str:
        return str(self.name) or self.code

    @property
    def is_temporary(self) -> bool:
        return self.term_kind == TermKind.TEMPORARY


class PermitValidity(models.Model):
    """Where and when a type is valid beyond its own lot: 'any lot after 17:00'. Half-open; no row: own lot, always."""

    permit_type = models.ForeignKey(PermitType, models.CASCADE, related_name="validities")
    lots = models.ManyToManyField(
        "provider.Lot", blank=True, related_name="+", verbose_name=_("in these lots (none: its own lot)")
    )
    weekdays = models.JSONField(_("weekdays (0 is Monday; none: every day)"), default=list, blank=True)
    from_time = models.TimeField(_("from"), default="00:00")
    until_time = models.TimeField(_("until"), default="00:00", help_text=_("00:00 means the end of the day."))

    class Meta:
        verbose_name = _("validity")
        verbose_name_plural = _("where and when it is valid")

    def __str__(self) -> str:
        return f"{self.from_time:%H:%M}-{self.until_time:%H:%M}"
