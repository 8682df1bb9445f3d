"""Who holds a right to park, where, and until when."""

import datetime as dt
from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.money import MoneyField
from permits.models.sales import Sale
from permits.models.types import PermitType


def make_public_code() -> str:
    """Return what the QR code holds: long, because the status page asks no sign-in."""
    return make_code(20)


class PermitStatus(models.TextChoices):
    RESERVED = "reserved", _("Reserved")
    ACTIVE = "active", _("Active")
    ENDED = "ended", _("Ended")
    LAPSED = "lapsed", _("Not paid in time")
    CANCELLED = "cancelled", _("Cancelled")
    REVOKED = "revoked", _("Revoked")


S = PermitStatus
# Lapsed to active: money that was under way when the hold ran out still gets a number, if there is one.
PERMIT_MOVES = {
    S.RESERVED: frozenset({S.ACTIVE, S.LAPSED, S.CANCELLED}),
    S.LAPSED: frozenset({S.ACTIVE}),
    # Active to lapsed: valid at once for money that was promised, and has not come.
    S.ACTIVE: frozenset({S.ENDED, S.LAPSED, S.CANCELLED, S.REVOKED}),
    S.ENDED: frozenset(),
    S.CANCELLED: frozenset(),
    S.REVOKED: frozenset(),
}
LIVE = [S.RESERVED, S.ACTIVE]


class PermitQuerySet(models.QuerySet["Permit"]):
    """Permits that a person may see are those they hold."""

    def visible_to(self, user: Any) -> "PermitQuerySet":
        return self.filter(holder=user) if user.is_authenticated else self.none()

    def live(self) -> "PermitQuerySet":
        """Keep those that count towards their holder's limit."""
        return self.filter(status__in=LIVE)

    def counting(self) -> "PermitQuerySet":
        """Leave out those that wait to renew one that is not over."""
        return self.filter(holder_place__isnull=False)

    def holding(self, now: dt.datetime) -> "PermitQuerySet":
        """Keep live ones without reservations whose time is over, which the next run of the beat frees."""
        return self.live().exclude(status=S.RESERVED, held_until__lte=now)


@pghistory.track()
class Permit(models.Model):
    """One number for one holder for one period (APDS: assigned right). Price and taxes are copies from its reservation.

    `[valid_from, valid_until)` are instants. `holder_place` is 1 to the type's limit: the database refuses one more
    live permit of the group by refusing a second row in the same place. None: it renews a permit that is not over yet, and
    waits for that one's place and number; nulls never meet in a unique constraint.
    """

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    public_code = models.CharField(max_length=20, unique=True, default=make_public_code, editable=False)
    number = models.CharField(_("number"), max_length=20)
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="permits",
        verbose_name=_("holder"),
    )
    # A guest has no account: the receipt and the permit go to this address, in this language.
    guest_email = models.EmailField(_("guest's e-mail"), blank=True)
    guest_language = models.CharField(max_length=10, blank=True, editable=False)
    sale = models.ForeignKey(Sale, models.PROTECT, related_name="permits", verbose_name=_("sale"))
    status = models.CharField(_("status"), max_length=10, choices=PermitStatus.choices, default=S.RESERVED)
    # A copy of its type's kind: temporary permits have no number of a sale, and are counted by overlaps.
    is_temporary = models.BooleanField(_("temporary"), default=False, editable=False)
    limit_group = models.SlugField(editable=False)
    holder_place = models.PositiveSmallIntegerField(default=1, null=True, editable=False)
    renews = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="renewals", verbose_name=_("renews")
    )
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until (not included)"))
    net = MoneyField(_("price without tax"))
    # How the price was made: see `permits.pricing`.
    price_parts = models.JSONField(_("how the price was made"), default=list, blank=True, editable=False)
    taxes = models.JSONField(_("taxes"), default=list, blank=True)
    exemption_number = models.CharField(_("tax exemption number"), max_length=40, blank=True)
    reserved_at = models.DateTimeField(_("reserved"), auto_now_add=True)
    held_until = models.DateTimeField(_("held until"), null=True, blank=True)
    # Its money is promised, not in: until then it is held, or valid, by its type. None once it is paid.
    promised_until = models.DateTimeField(_("money promised until"), null=True, blank=True)
    gateway_holds = models.PositiveSmallIntegerField(default=0, editable=False)
    was_extended = models.BooleanField(_("hold extended by the holder"), default=False, editable=False)
    activated_at = models.DateTimeField(_("active since"), null=True, blank=True)
    closed_at = models.DateTimeField(_("over since"), null=True, blank=True)
    extra_prints = models.PositiveSmallIntegerField(_("further prints allowed"), default=0)
    # The office keeps it from being valid, for a reason that its holder reads; it keeps its number.
    suspended_at = models.DateTimeField(_("suspended since"), null=True, blank=True)
    suspension_reason = models.CharField(_("why it is suspended"), max_length=300, blank=True)

    objects = PermitQuerySet.as_manager()

    class Meta:
        verbose_name = _("permit")
        verbose_name_plural = _("permits")
        ordering = ["-reserved_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PermitStatus.values), name="permits_permit_status_known"),
            models.CheckConstraint(
                condition=Q(valid_until__gt=F("valid_from")), name="permits_permit_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(net__gte=0), name="permits_permit_price_not_negative"),
            models.CheckConstraint(
                condition=~Q(status=S.RESERVED) | Q(held_until__isnull=False), name="permits_permit_reserved_has_hold"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[S.ACTIVE, S.ENDED, S.REVOKED]) | Q(activated_at__isnull=False),
                name="permits_permit_active_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=LIVE, closed_at__isnull=True)
                | (~Q(status__in=LIVE) & Q(closed_at__isnull=False)),
                name="permits_permit_over_has_time",
            ),
            models.CheckConstraint(
                condition=Q(holder__isnull=False) | (Q(is_temporary=True) & ~Q(guest_email="")),
                name="permits_permit_has_holder_or_guest",
            ),
            models.CheckConstraint(
                condition=Q(suspended_at__isnull=True) | ~Q(suspension_reason=""),
                name="permits_permit_suspended_has_reason",
            ),
            models.UniqueConstraint(
                fields=["holder", "limit_group", "holder_place"],
                condition=Q(status__in=LIVE),
                name="permits_permit_limit_per_person",
            ),
            models.UniqueConstraint(
                fields=["renews"], condition=Q(status__in=LIVE), name="permits_permit_one_live_renewal"
            ),
            models.CheckConstraint(
                condition=Q(holder_place__isnull=False) | Q(renews__isnull=False),
                name="permits_permit_only_renewals_wait",
            ),
        ]
        indexes = [
            models.Index(fields=["holder", "-reserved_at"], name="permits_permit_holder"),
            models.Index(fields=["held_until"], condition=Q(status="reserved"), name="permits_permit_to_lapse"),
            models.Index(fields=["valid_until"], condition=Q(status="active"), name="permits_permit_to_end"),
            models.Index(fields=["number"], name="permits_permit_number"),
            models.Index(
                fields=["sale", "valid_until"],
                condition=Q(is_temporary=True, status__in=LIVE),
                name="permits_permit_temporary",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def lot(self) -> Any:
        return self.sale.lot

    @property
    def permit_type(self) -> PermitType:
        return self.sale.permit_type

    @property
    def waits(self) -> bool:
        """Whether it is the next period of a permit that is not over: it has no number of its own, and counts as none."""
        return self.holder_place is None

    @property
    def language(self) -> str:
        """The language of whoever uses it."""
        return str(self.holder.language) if self.holder else self.guest_language


class PermitVehicle(models.Model):
    """A vehicle that may use the permit (APDS: credential)."""

    permit = models.ForeignKey(Permit, models.CASCADE, related_name="vehicle_links")
    vehicle = models.ForeignKey("vehicles.Vehicle", models.PROTECT, related_name="permit_links")

    class Meta:
        verbose_name = _("vehicle on a permit")
        verbose_name_plural = _("vehicles on permits")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["permit", "vehicle"], name="permits_permitvehicle_once")]

    def __str__(self) -> str:
        return str(self.vehicle)
