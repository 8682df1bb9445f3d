"""What a ticket may be for, and the rule that says what it costs. A ticket keeps the rule as it stood when it was issued."""

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from opscom.core.fields import TranslatedField
from opscom.core.money import ZERO, MoneyField

# Each day asked about costs a look at every right to park: see `violations.services.issuing`.
MOST_GRACE_DAYS = 14
MONEY = [MinValueValidator(0)]


class AppliesTo(models.TextChoices):
    """By what repeat offences are counted."""

    VEHICLE = "vehicle", _("Vehicle")
    PERSON = "person", _("Person")
    BOTH = "both", _("Vehicle and person")


class OffenceCategory(models.Model):
    """A group of offences. Archived, never deleted."""

    name = TranslatedField(_("name"))
    applies_to = models.CharField(
        _("repeat offences count by"), max_length=8, choices=AppliesTo.choices, default=AppliesTo.VEHICLE
    )
    is_on_handhelds = models.BooleanField(_("shown on handhelds"), default=True)
    is_archived = models.BooleanField(_("archived"), default=False)
    position = models.PositiveSmallIntegerField(pgettext_lazy("place in a list", "order"), default=0)

    class Meta:
        verbose_name = _("ticket category")
        verbose_name_plural = _("ticket categories")
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(applies_to__in=AppliesTo.values), name="violations_offencecategory_applies_to_known"
            )
        ]

    def __str__(self) -> str:
        return str(self.name)


@pghistory.track()
class Offence(models.Model):
    """One offence. Days are whole calendar days at the provider's place, counted from the day after the ticket's."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    category = models.ForeignKey(
        OffenceCategory, models.PROTECT, related_name="offences", verbose_name=_("ticket category")
    )
    by_law = models.CharField(_("by-law"), max_length=20, blank=True)
    description = TranslatedField(_("description"))
    fine = MoneyField(_("fine"), validators=MONEY)
    is_adjustable = models.BooleanField(
        _("adjustable"),
        default=False,
        help_text=_("The officer may write another fine, and the office may lower it without an appeal."),
    )
    fee = MoneyField(_("administrative fee"), default=ZERO, validators=MONEY)
    discount = MoneyField(_("discount for early payment"), default=ZERO, validators=MONEY)
    discount_days = models.PositiveSmallIntegerField(_("discount within days"), default=0)
    due_days = models.PositiveSmallIntegerField(
        _("days to pay"), default=30, help_text=_("Afterwards the ticket is overdue.")
    )
    appeal_days = models.PositiveSmallIntegerField(
        _("days to appeal"), default=15, help_text=_("An overdue ticket cannot be appealed, whatever stands here.")
    )
    repeat_days = models.PositiveSmallIntegerField(
        _("earlier offences count for days"), default=365, help_text=_("Zero: each offence is a first one.")
    )
    is_first_a_warning = models.BooleanField(_("the first offence is a warning"), default=False)
    grace_days = models.PositiveSmallIntegerField(
        _("grace days after a permit's end"), default=0, validators=[MaxValueValidator(MOST_GRACE_DAYS)]
    )
    is_boot_eligible = models.BooleanField(_("a boot may be put on"), default=False)
    is_archived = models.BooleanField(_("archived"), default=False)
    position = models.PositiveSmallIntegerField(pgettext_lazy("place in a list", "order"), default=0)

    class Meta:
        verbose_name = _("offence")
        verbose_name_plural = _("offences")
        ordering = ["position", "code"]
        constraints = [
            models.CheckConstraint(condition=Q(fine__gte=0, fee__gte=0), name="violations_offence_not_negative"),
            models.CheckConstraint(
                condition=Q(discount__gte=0, discount__lte=F("fine") + F("fee")),
                name="violations_offence_discount_within_fine",
            ),
            models.CheckConstraint(
                condition=Q(discount_days__lte=F("due_days")), name="violations_offence_discount_ends_before_due"
            ),
            models.CheckConstraint(
                condition=Q(grace_days__lte=MOST_GRACE_DAYS), name="violations_offence_grace_days_few"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.description}".strip()


class LateFee(models.Model):
    """What is added once so many days have gone by: `amount` on top of all before it."""

    offence = models.ForeignKey(Offence, models.CASCADE, related_name="late_fees")
    after_days = models.PositiveSmallIntegerField(_("after days"))
    amount = MoneyField(_("amount added"), validators=[MinValueValidator(0)])

    class Meta:
        verbose_name = _("late fee")
        verbose_name_plural = _("late fees")
        ordering = ["after_days"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="violations_latefee_positive"),
            models.UniqueConstraint(fields=["offence", "after_days"], name="violations_latefee_one_for_each_day"),
        ]

    def __str__(self) -> str:
        return f"{self.after_days}: {self.amount}"


class OffenceStep(models.Model):
    """The fine from the n-th offence on, within the offence's period."""

    offence = models.ForeignKey(Offence, models.CASCADE, related_name="steps")
    nth = models.PositiveSmallIntegerField(_("from offence number"), validators=[MinValueValidator(2)])
    fine = MoneyField(_("fine"), validators=MONEY)

    class Meta:
        verbose_name = _("step for repeat offences")
        verbose_name_plural = _("steps for repeat offences")
        ordering = ["nth"]
        constraints = [
            models.CheckConstraint(condition=Q(nth__gte=2, fine__gte=0), name="violations_offencestep_sensible"),
            models.UniqueConstraint(fields=["offence", "nth"], name="violations_offencestep_one_for_each_number"),
        ]

    def __str__(self) -> str:
        return f"{self.nth}: {self.fine}"
