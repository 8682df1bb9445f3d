"""Where lockers stand, and by which rule they are let there."""

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.fields import TranslatedField
from opscom.core.money import MoneyField
from opscom.core.uploads import RandomName


class Building(models.Model):
    """A house with lockers in it."""

    name = TranslatedField(_("name"))
    address = models.CharField(_("address"), max_length=200, blank=True)
    is_visible = models.BooleanField(_("shown in the portal"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("building")
        verbose_name_plural = _("buildings")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return str(self.name)


class LockKind(models.TextChoices):
    """What keeps the lockers of an area shut."""

    COMBINATION = "combination", _("A combination lock of ours")
    KEY = "key", _("A key from the office")
    OWN = "own", _("The renter's own padlock")


@pghistory.track()
class Area(models.Model):
    """A place in a building, as people choose it: "Women's Locker Room at the Main Street Arena"."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    building = models.ForeignKey(Building, models.PROTECT, related_name="areas", verbose_name=_("building"))
    name = TranslatedField(_("name"))
    description = TranslatedField(_("description"), long=True, blank=True)
    photo = models.FileField(_("photo"), upload_to=RandomName("locker-areas"), blank=True)
    user_types = models.ManyToManyField(
        "accounts.UserType",
        blank=True,
        related_name="+",
        verbose_name=_("who may rent"),
        help_text=_("Empty: everyone."),
    )
    is_visible = models.BooleanField(_("shown in the portal"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    lock_kind = models.CharField(_("lock"), max_length=12, choices=LockKind.choices, default=LockKind.COMBINATION)
    deposit = MoneyField(
        _("deposit"), null=True, blank=True, validators=[MinValueValidator(0)], help_text=_("Empty: none is asked.")
    )
    taxes = models.ManyToManyField("payments.TaxRate", blank=True, related_name="+", verbose_name=_("taxes"))
    account_code = models.ForeignKey(
        "payments.AccountCode",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("account in the books"),
    )
    max_per_person = models.PositiveSmallIntegerField(
        _("lockers per person in one term"), default=1, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    hold_minutes = models.PositiveSmallIntegerField(
        _("minutes in which a reserved locker is paid"), default=30, validators=[MinValueValidator(5)]
    )
    reminder_days = models.PositiveSmallIntegerField(
        _("days before the end in which it is recalled"), default=14, validators=[MaxValueValidator(90)]
    )

    class Meta:
        verbose_name = _("locker area")
        verbose_name_plural = _("locker areas")
        ordering = ["building__position", "building", "position", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(lock_kind__in=LockKind.values), name="lockers_area_lock_known"),
            models.CheckConstraint(
                condition=Q(deposit__isnull=True) | Q(deposit__gt=0), name="lockers_area_deposit_positive"
            ),
            models.CheckConstraint(condition=Q(max_per_person__gte=1), name="lockers_area_limit_positive"),
            models.CheckConstraint(condition=Q(hold_minutes__gte=1), name="lockers_area_hold_positive"),
        ]

    def __str__(self) -> str:
        return str(self.name)
