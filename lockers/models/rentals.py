"""Who rents which locker, and until when."""

from typing import Any

import pghistory
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from lockers.models.lockers import Locker
from lockers.models.sales import LockerSale
from opscom.core.codes import make_code
from opscom.core.money import MoneyField
from payments.models import Deposit


class RentalStatus(models.TextChoices):
    RESERVED = "reserved", _("Reserved")
    ACTIVE = "active", _("Active")
    ENDED = "ended", _("Ended")
    LAPSED = "lapsed", _("Not paid in time")
    CANCELLED = "cancelled", _("Cancelled")


S = RentalStatus
# Lapsed to active: money that was under way when the hold ran out still gets the locker, if it is free.
RENTAL_MOVES = {
    S.RESERVED: frozenset({S.ACTIVE, S.LAPSED, S.CANCELLED}),
    S.LAPSED: frozenset({S.ACTIVE}),
    S.ACTIVE: frozenset({S.ENDED, S.CANCELLED}),
    S.ENDED: frozenset(),
    S.CANCELLED: frozenset(),
}
LIVE = [S.RESERVED, S.ACTIVE]


class OneNumber(Func):
    """A whole number as a range of one: && compares it in a GiST index without any extension."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, '[]')"


class RentalQuerySet(models.QuerySet["Rental"]):
    """Rentals that a person may see are their own."""

    def visible_to(self, user: Any) -> "RentalQuerySet":
        return self.filter(renter=user) if user.is_authenticated else self.none()

    def live(self) -> "RentalQuerySet":
        """Keep those that keep their locker from others."""
        return self.filter(status__in=LIVE)


@pghistory.track()
class Rental(models.Model):
    """One locker for one person for `[starts_at, ends_at)`. Price and taxes are copies from its reservation.

    `place` is 1 to the area's limit: the database refuses one more of the term by refusing a second row in the same place.
    """

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    locker = models.ForeignKey(Locker, models.PROTECT, related_name="rentals", verbose_name=_("locker"))
    renter = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="rentals", verbose_name=_("renter")
    )
    sale = models.ForeignKey(LockerSale, models.PROTECT, related_name="rentals", verbose_name=_("sale"))
    place = models.PositiveSmallIntegerField(default=1, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=RentalStatus.choices, default=S.RESERVED)
    renews = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="renewals", verbose_name=_("renews")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until (not included)"))
    net = MoneyField(_("price without tax"))
    taxes = models.JSONField(_("taxes"), default=list, blank=True)
    exemption_number = models.CharField(_("tax exemption number"), max_length=40, blank=True)
    # Of the first of several terms in a row: who renews pays no second one.
    deposit = models.ForeignKey(
        Deposit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("deposit")
    )
    reserved_at = models.DateTimeField(_("reserved"), auto_now_add=True)
    held_until = models.DateTimeField(_("held until"), null=True, blank=True)
    promised_until = models.DateTimeField(_("money promised until"), null=True, blank=True)
    gateway_holds = models.PositiveSmallIntegerField(default=0, editable=False)
    was_extended = models.BooleanField(_("hold extended by the renter"), default=False, editable=False)
    activated_at = models.DateTimeField(_("active since"), null=True, blank=True)
    reminded_at = models.DateTimeField(_("reminded of the end"), null=True, blank=True)
    closed_at = models.DateTimeField(_("over since"), null=True, blank=True)

    objects = RentalQuerySet.as_manager()

    class Meta:
        verbose_name = _("locker rental")
        verbose_name_plural = _("locker rentals")
        ordering = ["-reserved_at", "-pk"]
        constraints = [
            ExclusionConstraint(
                name="lockers_rental_no_overlap",
                expressions=[
                    (OneNumber("locker", "locker"), RangeOperators.OVERLAPS),
                    (
                        Func("starts_at", "ends_at", Value("[)"), function="tstzrange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(status__in=["reserved", "active"]),
            ),
            models.CheckConstraint(condition=Q(status__in=RentalStatus.values), name="lockers_rental_status_known"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="lockers_rental_ends_after_start"),
            models.CheckConstraint(condition=Q(net__gte=0), name="lockers_rental_price_not_negative"),
            models.CheckConstraint(
                condition=~Q(status="reserved") | Q(held_until__isnull=False), name="lockers_rental_reserved_has_hold"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["active", "ended"]) | Q(activated_at__isnull=False),
                name="lockers_rental_active_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["reserved", "active"], closed_at__isnull=True)
                | (~Q(status__in=["reserved", "active"]) & Q(closed_at__isnull=False)),
                name="lockers_rental_over_has_time",
            ),
            models.UniqueConstraint(
                fields=["renter", "sale", "place"],
                condition=Q(status__in=["reserved", "active"]),
                name="lockers_rental_limit_per_person",
            ),
        ]
        indexes = [
            models.Index(fields=["renter", "-reserved_at"], name="lockers_rental_renter"),
            models.Index(fields=["held_until"], condition=Q(status="reserved"), name="lockers_rental_to_lapse"),
            models.Index(fields=["ends_at"], condition=Q(status="active"), name="lockers_rental_to_end"),
        ]

    def __str__(self) -> str:
        return str(self.locker)
