"""What changes about a permit while it runs: its number, and the car that stands in for one of its own."""

from typing import Any

import pghistory
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from permits.models.permits import Permit


class NumberChangeReason(models.TextChoices):
    LOST = "lost", _("Lost")
    STOLEN = "stolen", _("Stolen")
    SWITCHED = "switched", _("Switched with another holder")
    MOVED = "moved", _("Moved to another number")
    HANDED_OVER = "handed_over", _("Handed over to another person")


class NumberChange(models.Model):
    """A permit got another number, or another holder: what was printed before is valid no more, and its QR code says so.

    The rows of one permit, in their order, are the chain of the numbers that it had.
    """

    permit = models.ForeignKey(Permit, models.PROTECT, related_name="number_changes", verbose_name=_("permit"))
    old_number = models.CharField(_("old number"), max_length=20)
    new_number = models.CharField(_("new number"), max_length=20)
    # What the QR code on the old paper holds.
    old_public_code = models.CharField(max_length=20, unique=True, editable=False)
    reason = models.CharField(_("reason"), max_length=12, choices=NumberChangeReason.choices)
    note = models.CharField(_("note"), max_length=300)
    debt = models.OneToOneField(
        "payments.Debt", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("fee")
    )
    changed_at = models.DateTimeField(_("changed"), auto_now_add=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("changed by")
    )

    class Meta:
        verbose_name = _("earlier number")
        verbose_name_plural = _("earlier numbers")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=NumberChangeReason.values), name="permits_numberchange_reason_known"
            ),
            models.CheckConstraint(condition=~Q(note=""), name="permits_numberchange_has_note"),
        ]

    def __str__(self) -> str:
        return f"{self.old_number} → {self.new_number}"


class ReplacementCarQuerySet(models.QuerySet["ReplacementCar"]):
    """Replacement cars that a person may see are those on permits that they hold."""

    def visible_to(self, user: Any) -> "ReplacementCarQuerySet":
        return self.filter(permit__holder=user) if user.is_authenticated else self.none()

    def running_at(self, moment: Any) -> "ReplacementCarQuerySet":
        """Keep those that stand in at that instant."""
        return self.filter(starts_at__lte=moment, ends_at__gt=moment)


@pghistory.track()
class ReplacementCar(models.Model):
    """For a while another car, a garage's or a friend's, parks in place of one of the permit's own.

    In `[starts_at, ends_at)` the replacement is valid, and the car that it stands in for is not.
    """

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    permit = models.ForeignKey(Permit, models.PROTECT, related_name="replacement_cars", verbose_name=_("permit"))
    vehicle = models.ForeignKey(
        "vehicles.Vehicle", models.PROTECT, related_name="replacing", verbose_name=_("replacement car")
    )
    stands_in_for = models.ForeignKey(
        "vehicles.Vehicle", models.PROTECT, related_name="replaced_by", verbose_name=_("stands in for")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until (not included)"))
    made_at = models.DateTimeField(_("asked"), auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by"))

    objects = ReplacementCarQuerySet.as_manager()

    class Meta:
        verbose_name = _("replacement car")
        verbose_name_plural = _("replacement cars")
        ordering = ["-starts_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="permits_replacementcar_ends_after_start"
            ),
            models.CheckConstraint(
                condition=~Q(vehicle=F("stands_in_for")), name="permits_replacementcar_is_another_car"
            ),
            # Ranges of one id, because without an extension an exclusion knows no equality of numbers.
            ExclusionConstraint(
                name="permits_replacementcar_one_at_a_time",
                expressions=[
                    (Func("permit_id", "permit_id", Value("[]"), function="int8range"), "&&"),
                    (Func("starts_at", "ends_at", function="tstzrange"), "&&"),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vehicle} → {self.stands_in_for}"
