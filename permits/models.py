"""What is sold (types, sales), the numbers that are scarce (slots), and who holds one (permits)."""

import datetime as dt
from typing import Any

import pghistory
from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.fields import TranslatedField
from opscom.core.money import MoneyField


def make_public_code() -> str:
    """Return what the QR code holds: long, because the status page asks no sign-in."""
    return make_code(20)


class TermKind(models.TextChoices):
    FIXED = "fixed", _("Fixed dates of the sale")
    CALENDAR_MONTHS = "calendar_months", _("Calendar months")
    ROLLING_MONTHS = "rolling_months", _("Months from the day of purchase")


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
        ]

    def __str__(self) -> str:
        return str(self.name) or self.code


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


@pghistory.track()
class Sale(models.Model):
    """A sales window: one permit type in one lot, its numbers, when it sells and for which dates.

    Times are half-open. `valid_from` and `valid_until` bound the permits: both are needed for fixed terms.
    """

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    permit_type = models.ForeignKey(PermitType, models.PROTECT, related_name="sales", verbose_name=_("permit type"))
    lot = models.ForeignKey("provider.Lot", models.PROTECT, related_name="sales", verbose_name=_("lot"))
    term = models.ForeignKey(
        "provider.Term", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("term")
    )
    opens_at = models.DateTimeField(_("sells from"))
    closes_at = models.DateTimeField(_("sells until"), null=True, blank=True)
    valid_from = models.DateField(_("permits valid from"), null=True, blank=True)
    valid_until = models.DateField(_("permits valid until (not included)"), null=True, blank=True)
    is_active = models.BooleanField(_("switched on"), default=True)

    class Meta:
        verbose_name = _("sale")
        verbose_name_plural = _("sales")
        ordering = ["lot", "permit_type", "opens_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_at__isnull=True) | Q(closes_at__gt=F("opens_at")),
                name="permits_sale_closes_after_opening",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_from__isnull=False, valid_until__gt=F("valid_from")),
                name="permits_sale_valid_until_after_from",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lot} · {self.permit_type}"


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

    def holding(self, now: dt.datetime) -> "PermitQuerySet":
        """Keep live ones without reservations whose time is over, which the next run of the beat frees."""
        return self.live().exclude(status=S.RESERVED, held_until__lte=now)


@pghistory.track()
class Permit(models.Model):
    """One number for one holder for one period (APDS: assigned right). Price and taxes are copies from its reservation.

    `[valid_from, valid_until)` are instants. `holder_place` is 1 to the type's limit: the database refuses one more
    live permit of the group by refusing a second row in the same place.
    """

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    public_code = models.CharField(max_length=20, unique=True, default=make_public_code, editable=False)
    number = models.CharField(_("number"), max_length=20)
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="permits", verbose_name=_("holder")
    )
    sale = models.ForeignKey(Sale, models.PROTECT, related_name="permits", verbose_name=_("sale"))
    status = models.CharField(_("status"), max_length=10, choices=PermitStatus.choices, default=S.RESERVED)
    limit_group = models.SlugField(editable=False)
    holder_place = models.PositiveSmallIntegerField(default=1, editable=False)
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until (not included)"))
    net = MoneyField(_("price without tax"))
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
            models.UniqueConstraint(
                fields=["holder", "limit_group", "holder_place"],
                condition=Q(status__in=LIVE),
                name="permits_permit_limit_per_person",
            ),
        ]
        indexes = [
            models.Index(fields=["holder", "-reserved_at"], name="permits_permit_holder"),
            models.Index(fields=["held_until"], condition=Q(status="reserved"), name="permits_permit_to_lapse"),
            models.Index(fields=["valid_until"], condition=Q(status="active"), name="permits_permit_to_end"),
            models.Index(fields=["number"], name="permits_permit_number"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def lot(self) -> Any:
        return self.sale.lot

    @property
    def permit_type(self) -> PermitType:
        return self.sale.permit_type


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


class SlotState(models.TextChoices):
    FREE = "free", _("Free")
    FOR_LIST = "for_list", _("Kept for who waits")
    HELD = "held", _("Held for a payment")
    TAKEN = "taken", _("Taken")
    RETIRED = "retired", _("Out of use")


N = SlotState
# Never to free directly: only `promote`, under the list's lock, frees a number, so that buyers cannot pass the list.
SLOT_MOVES = {
    N.FREE: frozenset({N.HELD, N.TAKEN, N.RETIRED}),
    N.HELD: frozenset({N.TAKEN, N.FOR_LIST}),
    N.TAKEN: frozenset({N.FOR_LIST, N.RETIRED}),
    N.FOR_LIST: frozenset({N.FREE, N.HELD, N.RETIRED}),
    N.RETIRED: frozenset({N.FOR_LIST}),
}


class Slot(models.Model):
    """One number of one sale. `shuffle` is a random place, so that buyers start looking at different numbers."""

    sale = models.ForeignKey(Sale, models.PROTECT, related_name="slots", verbose_name=_("sale"))
    number = models.CharField(_("number"), max_length=20)
    shuffle = models.FloatField(editable=False)
    state = models.CharField(_("state"), max_length=10, choices=SlotState.choices, default=N.FREE)
    permit = models.OneToOneField(
        Permit, models.PROTECT, null=True, blank=True, related_name="slot", verbose_name=_("permit")
    )

    class Meta:
        verbose_name = _("permit number")
        verbose_name_plural = _("permit numbers")
        ordering = ["sale", "number"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=SlotState.values), name="permits_slot_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=[N.HELD, N.TAKEN], permit__isnull=False)
                | (~Q(state__in=[N.HELD, N.TAKEN]) & Q(permit__isnull=True)),
                name="permits_slot_permit_matches_state",
            ),
            models.UniqueConstraint(fields=["sale", "number"], name="permits_slot_number_once_per_sale"),
        ]
        indexes = [
            models.Index(fields=["sale", "shuffle"], condition=Q(state="free"), name="permits_slot_free"),
            models.Index(fields=["sale", "state"], name="permits_slot_state"),
            models.Index(fields=["sale"], condition=Q(state="for_list"), name="permits_slot_for_list"),
        ]

    def __str__(self) -> str:
        return self.number


class PermitDocument(models.Model):
    """A permit's PDF, made ahead of the click. `content_hash` tells when what it shows has changed."""

    permit = models.ForeignKey(Permit, models.CASCADE, related_name="documents")
    language = models.CharField(max_length=10)
    content_hash = models.CharField(max_length=64)
    file = models.FileField(upload_to="permits/")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("permit document")
        verbose_name_plural = _("permit documents")
        constraints = [
            models.UniqueConstraint(
                fields=["permit", "language", "content_hash"], name="permits_permitdocument_once_per_content"
            )
        ]

    def __str__(self) -> str:
        return self.content_hash[:12]


class PermitPrint(models.Model):
    """One print that was used: the same file may be fetched again for the provider's minutes."""

    permit = models.ForeignKey(Permit, models.CASCADE, related_name="prints")
    ordinal = models.PositiveSmallIntegerField(_("which print"))
    document = models.ForeignKey(PermitDocument, models.PROTECT, related_name="prints")
    printed_at = models.DateTimeField(_("printed"))
    printed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("print")
        verbose_name_plural = _("prints")
        ordering = ["-printed_at"]
        constraints = [
            models.UniqueConstraint(fields=["permit", "ordinal"], name="permits_permitprint_once_per_ordinal")
        ]

    def __str__(self) -> str:
        return f"{self.permit} {self.ordinal}"
