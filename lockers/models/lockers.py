"""The lockers themselves."""

import pghistory
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from lockers.models.places import Area


class LockerSize(models.TextChoices):
    SMALL = "small", _("Small")
    MEDIUM = "medium", _("Medium")
    LARGE = "large", _("Large")


class LockerQuerySet(models.QuerySet["Locker"]):
    """Lockers, narrowed by what may be let."""

    def usable(self) -> "LockerQuerySet":
        """Keep those that the office lets at all: shown, whole, and empty or in use."""
        return self.filter(is_visible=True, out_of_order="", to_empty_since=None)


@pghistory.track(exclude=["sealed_combination"])
class Locker(models.Model):
    """One locker. Its combination stands here encrypted and nowhere else: see `lockers.services.combinations`.

    A locker and its rentals change only while its row is locked. `row` and `column`, from 1, say where it stands.
    """

    area = models.ForeignKey(Area, models.PROTECT, related_name="lockers", verbose_name=_("area"))
    number = models.CharField(
        _("number"),
        max_length=20,
        validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$", _("Use letters, digits, dots and dashes."))],
    )
    row = models.PositiveSmallIntegerField(_("row"), default=1, validators=[MinValueValidator(1)])
    column = models.PositiveSmallIntegerField(_("column"), default=1, validators=[MinValueValidator(1)])
    size = models.CharField(_("size"), max_length=8, choices=LockerSize.choices, default=LockerSize.MEDIUM)
    is_accessible = models.BooleanField(_("accessible"), default=False)
    is_visible = models.BooleanField(_("shown in the portal"), default=True)
    out_of_order = models.CharField(
        _("out of order"), max_length=200, blank=True, help_text=_("Why it cannot be rented. Empty: it can.")
    )
    # Somebody's time in it is over, and nobody has looked inside.
    to_empty_since = models.DateTimeField(_("must be emptied since"), null=True, blank=True, editable=False)
    left_by = models.ForeignKey(
        "lockers.Rental", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    # Empty: there is none yet, or its last renter knew it.
    sealed_combination = models.CharField(max_length=120, blank=True, editable=False)

    objects = LockerQuerySet.as_manager()

    class Meta:
        verbose_name = _("locker")
        verbose_name_plural = _("lockers")
        ordering = ["area", "row", "column", "pk"]
        permissions = [("see_combination", _("Can look at combinations"))]
        constraints = [
            models.UniqueConstraint("area", Upper("number"), name="lockers_locker_number_once"),
            models.CheckConstraint(condition=Q(size__in=LockerSize.values), name="lockers_locker_size_known"),
            models.CheckConstraint(
                condition=Q(to_empty_since__isnull=True, left_by__isnull=True)
                | Q(to_empty_since__isnull=False, left_by__isnull=False),
                name="lockers_locker_to_empty_says_whose",
            ),
        ]
        indexes = [
            models.Index(
                fields=["to_empty_since"], condition=Q(to_empty_since__isnull=False), name="lockers_locker_to_empty"
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def has_combination(self) -> bool:
        return bool(self.sealed_combination)
