"""The provider's rule about boots, the places that take them back, and the pictures that show how one comes off."""

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from opscom.core.fields import TranslatedField
from opscom.core.money import MoneyField
from opscom.core.uploads import RandomName
from violations.models import Offence
from violations.models.files import StoredFile

# Lateness is counted in hours: a year of them fits in any column, and is far beyond any use.
MOST_HOURS = 24 * 365


class LateRule(models.TextChoices):
    """What becomes of a boot that is not back in time, when the grace is over, too."""

    NOTHING = "nothing", _("Nothing but reminders")
    FINE = "fine", _("A ticket for the late return")
    FORFEIT = "forfeit", _("The deposit is kept")


@pghistory.track()
class BootPolicy(models.Model):
    """One row. A boot that is on a car keeps the rule as it stood when it was put on."""

    requires_all = models.BooleanField(
        _("everything outstanding is paid first"),
        default=False,
        help_text=_("What can be paid now, of the plate or of the account. Else only the ticket that the boot is for."),
    )
    unpaid_above = models.PositiveSmallIntegerField(
        _("a boot may also be put on when more tickets than this are unpaid"),
        null=True,
        blank=True,
        help_text=_("Of the plate. Empty: only for offences that are marked so."),
    )
    deposit = MoneyField(
        _("deposit"), null=True, blank=True, validators=[MinValueValidator(0)], help_text=_("Empty: none is asked.")
    )
    return_hours = models.PositiveSmallIntegerField(
        _("hours to return the boot"), default=24, validators=[MinValueValidator(1), MaxValueValidator(MOST_HOURS)]
    )
    reminder_hours = models.PositiveSmallIntegerField(
        _("hours before the end in which its return is recalled"), default=3, validators=[MaxValueValidator(MOST_HOURS)]
    )
    late_rule = models.CharField(
        _("when it is late"), max_length=10, choices=LateRule.choices, default=LateRule.NOTHING
    )
    late_hours = models.PositiveSmallIntegerField(
        _("hours of grace before that"), default=24, validators=[MaxValueValidator(MOST_HOURS)]
    )
    late_offence = models.ForeignKey(
        Offence, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("offence of the late return")
    )
    lost_days = models.PositiveSmallIntegerField(
        _("days late until it counts as lost"), default=14, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    lost_offence = models.ForeignKey(
        Offence,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("offence of the lost boot"),
        help_text=_("Its fine is what a lost boot costs. Empty: nothing is charged beyond the deposit."),
    )
    instructions = TranslatedField(
        _("how the boot is taken off"), long=True, blank=True, help_text=_("Empty: our own words.")
    )
    email = models.EmailField(
        _("who is mailed when a code does not work"), blank=True, help_text=_("Of the office. Empty: nobody.")
    )

    class Meta:
        verbose_name = verbose_name_plural = _("rule for boots")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="boots_policy_one_row"),
            models.CheckConstraint(condition=Q(deposit=None) | Q(deposit__gt=0), name="boots_policy_deposit_positive"),
            models.CheckConstraint(condition=Q(late_rule__in=LateRule.values), name="boots_policy_late_rule_known"),
            models.CheckConstraint(
                condition=~Q(late_rule="fine") | Q(late_offence__isnull=False), name="boots_policy_fine_has_offence"
            ),
            models.CheckConstraint(
                condition=~Q(late_rule="forfeit") | Q(deposit__isnull=False), name="boots_policy_forfeit_has_deposit"
            ),
        ]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)


@pghistory.track()
class DropOffPlace(models.Model):
    """Where boots are brought back to."""

    name = TranslatedField(_("name"))
    address = models.CharField(_("address"), max_length=200, blank=True)
    hours = TranslatedField(_("opening hours"), blank=True)
    map_link = models.URLField(_("link to a map"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(pgettext_lazy("place in a list", "order"), default=0)

    class Meta:
        verbose_name = _("drop-off place")
        verbose_name_plural = _("drop-off places")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return str(self.name)


class BootPicture(StoredFile):
    """A picture of how the boot comes off: on the driver's page, and with the mail that brings the code."""

    caption = TranslatedField(_("caption"), blank=True)
    file = models.FileField(_("file"), upload_to=RandomName("boot-pictures"))
    thumbnail = models.FileField(upload_to=RandomName("boot-pictures"), blank=True)
    position = models.PositiveSmallIntegerField(pgettext_lazy("place in a list", "order"), default=0)

    class Meta:
        verbose_name = _("picture of the removal")
        verbose_name_plural = _("pictures of the removal")
        ordering = ["position", "pk"]
