"""Vehicles as the office knows them (a plate), and whose they are (an ownership with that person's own description).

Two people may own one vehicle. The plate is all that they share: neither sees what the other wrote.
"""

import datetime as dt
from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.fields import TranslatedField
from opscom.provider.selectors import local_date
from vehicles.plates import OLDEST_YEAR, PLATE_KEY, VIN
from vehicles.regions import region_name


class PlateType(models.Model):
    """Passenger, commercial, motorcycle...: the same letters may stand on two plates of different types."""

    code = models.SlugField(_("code"), unique=True)
    name = TranslatedField(_("name"))
    is_temporary = models.BooleanField(_("ends on a date"), default=False)
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(pgettext_lazy("place in a list", "order"), default=0)

    class Meta:
        verbose_name = _("plate type")
        verbose_name_plural = _("plate types")
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return str(self.name) or self.code


class VehicleQuerySet(models.QuerySet["Vehicle"]):
    """Vehicles, seen by those who own them now."""

    def visible_to(self, user: Any) -> "VehicleQuerySet":
        """Keep the vehicles that this person owns now; somebody who is not signed in owns none."""
        return self.filter(ownerships__user_id=user.pk, ownerships__removed_at__isnull=True)


@pghistory.track()
class Vehicle(models.Model):
    """One plate (type, text, region), or one VIN while there is no plate. Its identity never changes: see `Ownership`."""

    plate = models.CharField(_("plate"), max_length=16, blank=True)
    plate_key = models.CharField(_("plate, to compare"), max_length=10, blank=True, editable=False)
    region = models.CharField(_("state/province"), max_length=5)
    plate_type = models.ForeignKey(
        PlateType, models.PROTECT, null=True, blank=True, related_name="vehicles", verbose_name=_("plate type")
    )
    vin = models.CharField(_("VIN"), max_length=17, blank=True)
    created_at = models.DateTimeField(_("entered"), auto_now_add=True)

    objects = VehicleQuerySet.as_manager()

    class Meta:
        verbose_name = _("vehicle")
        verbose_name_plural = _("vehicles")
        constraints = [
            models.UniqueConstraint(
                fields=["plate_key", "region", "plate_type"],
                condition=~Q(plate_key=""),
                name="vehicles_vehicle_one_per_plate",
            ),
            models.UniqueConstraint(fields=["vin"], condition=~Q(vin=""), name="vehicles_vehicle_one_per_vin"),
            models.CheckConstraint(
                condition=(Q(vin="", plate_type__isnull=False, plate_key__regex=PLATE_KEY) & ~Q(plate=""))
                | Q(plate="", plate_key="", plate_type__isnull=True, vin__regex=VIN),
                name="vehicles_vehicle_plate_or_vin",
            ),
            models.CheckConstraint(condition=~Q(region=""), name="vehicles_vehicle_has_region"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What to call the vehicle where there is one line: its plate, or the end of its VIN."""
        return self.plate or gettext("VIN …%(end)s") % {"end": self.vin[-6:]}

    @property
    def region_name(self) -> str:
        return region_name(self.region)


class VehicleKind(models.TextChoices):
    CAR = "car", _("Car")
    MOTORCYCLE = "motorcycle", _("Motorcycle")
    ELECTRIC = "electric", _("Electric")
    TRAILER = "trailer", _("Trailer")


class Colour(models.TextChoices):
    """A picklist, because an officer must be able to read what a resident chose in another language."""

    BLACK = "black", pgettext_lazy("vehicle", "Black")
    WHITE = "white", pgettext_lazy("vehicle", "White")
    GREY = "grey", pgettext_lazy("vehicle", "Grey")
    SILVER = "silver", pgettext_lazy("vehicle", "Silver")
    BLUE = "blue", pgettext_lazy("vehicle", "Blue")
    RED = "red", pgettext_lazy("vehicle", "Red")
    GREEN = "green", pgettext_lazy("vehicle", "Green")
    BROWN = "brown", pgettext_lazy("vehicle", "Brown")
    BEIGE = "beige", pgettext_lazy("vehicle", "Beige")
    YELLOW = "yellow", pgettext_lazy("vehicle", "Yellow")
    ORANGE = "orange", pgettext_lazy("vehicle", "Orange")
    PURPLE = "purple", pgettext_lazy("vehicle", "Purple")
    OTHER = "other", pgettext_lazy("vehicle", "Other")


class OwnershipQuerySet(models.QuerySet["Ownership"]):
    """Whose vehicles."""

    def visible_to(self, user: Any) -> "OwnershipQuerySet":
        """Keep what this person has in their list; somebody who is not signed in has nothing."""
        return self.filter(user_id=user.pk, removed_at__isnull=True)

    def current(self) -> "OwnershipQuerySet":
        """Keep what nobody has removed or replaced by another plate."""
        return self.filter(removed_at__isnull=True)

    def usable(self, day: dt.date | None = None) -> "OwnershipQuerySet":
        """Keep the active ones whose temporary plate, if any, has not ended on `day` (today when None)."""
        not_ended = Q(temporary_plate_until__isnull=True) | Q(temporary_plate_until__gte=day or local_date())
        return self.current().filter(not_ended, is_active=True)


@pghistory.track()
class Ownership(models.Model):
    """One person's vehicle: switched on or off, described in that person's words, kept after it is removed."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="ownerships", verbose_name=_("person")
    )
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="ownerships", verbose_name=_("vehicle"))
    plate = models.CharField(_("plate, as this person writes it"), max_length=16, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    year = models.PositiveSmallIntegerField(_("vehicle year"), null=True, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=VehicleKind.choices, blank=True)
    make = models.CharField(_("make"), max_length=40, blank=True)
    model = models.CharField(_("model"), max_length=40, blank=True)
    colour = models.CharField(_("colour"), max_length=10, choices=Colour.choices, blank=True)
    temporary_plate_until = models.DateField(_("last day of the temporary plate"), null=True, blank=True)
    added_at = models.DateTimeField(_("added"), auto_now_add=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True, editable=False)

    objects = OwnershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("person's vehicle")
        verbose_name_plural = _("people's vehicles")
        ordering = ["-is_active", "added_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "vehicle"],
                condition=Q(removed_at__isnull=True),
                name="vehicles_ownership_once_per_person",
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(removed_at__isnull=True),
                name="vehicles_ownership_removed_is_inactive",
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True) | Q(removed_at__gte=F("added_at")),
                name="vehicles_ownership_removed_after_added",
            ),
            models.CheckConstraint(
                condition=Q(year__isnull=True) | Q(year__gte=OLDEST_YEAR), name="vehicles_ownership_year_possible"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["", *VehicleKind.values]), name="vehicles_ownership_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(colour__in=["", *Colour.values]), name="vehicles_ownership_colour_known"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The plate as its owner writes it, or the end of the VIN."""
        return self.plate or self.vehicle.label

    @property
    def description(self) -> str:
        """Year, make and model in one line; may be empty."""
        return " ".join(str(part) for part in (self.year, self.make, self.model) if part)

    @property
    def has_plate_ended(self) -> bool:
        """Say whether its temporary plate is over: the real one must be entered before it can park again."""
        return self.temporary_plate_until is not None and self.temporary_plate_until < local_date()
