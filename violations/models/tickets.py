"""Tickets: what happened, whose it is, and the rule of what it costs as it stood when it was issued."""

from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.money import ZERO, MoneyField
from opscom.provider.models import Lot
from vehicles.models import PlateType, Vehicle
from vehicles.plates import PLATE_KEY
from vehicles.regions import region_name
from violations.models.offences import Offence

PIN_LENGTH = 2


def make_pin() -> str:
    """Return two letters or digits, none that look alike."""
    return make_code(PIN_LENGTH)


def make_pay_code() -> str:
    """Return the long code of the QR on the paper: whoever holds the paper may see the ticket and pay it."""
    return make_code(24)


class TicketStatus(models.TextChoices):
    """Where a ticket stands. Overdue is a date, under review is an appeal: neither is a status."""

    OPEN = "open", _("Open")
    PAID = "paid", _("Paid")
    CANCELLED = "cancelled", _("Cancelled")
    SPOILED = "spoiled", _("Spoiled")
    COLLECTIONS = "collections", _("In collections")


T = TicketStatus
TICKET_MOVES = {
    T.OPEN: frozenset({T.PAID, T.CANCELLED, T.SPOILED, T.COLLECTIONS}),
    # Its money went back (a chargeback, a refund), or an appeal was granted after it was paid.
    T.PAID: frozenset({T.OPEN, T.CANCELLED}),
    T.COLLECTIONS: frozenset({T.PAID, T.CANCELLED, T.OPEN}),
    T.CANCELLED: frozenset(),
    T.SPOILED: frozenset(),
}
UNPAID = (T.OPEN, T.COLLECTIONS)


class TicketQuerySet(models.QuerySet["Ticket"]):
    """Tickets, narrowed by who may see them and who may pay them."""

    def visible_to(self, user: Any) -> "TicketQuerySet":
        """Keep the person's own, those of a vehicle linked to them for an appeal, and those that they have appealed."""
        from violations.models.appeals import Appeal  # noqa: PLC0415 - appeals refer to tickets

        if not user.is_authenticated:
            return self.none()
        appealed = list(Appeal.objects.visible_to(user).values_list("ticket", flat=True))
        return self.filter(Q(person=user) | Q(pk__in=appealed) | self._linked(user))

    def payable_by(self, user: Any) -> "TicketQuerySet":
        """Keep what this person owes, or may pay because its vehicle is linked to them: not yet paid, and not a warning."""
        return self.filter(Q(person=user) | self._linked(user)).unpaid()

    def unpaid(self) -> "TicketQuerySet":
        """Keep what somebody still has to pay."""
        return self.filter(status__in=UNPAID, is_warning=False)

    def with_reviews(self) -> "TicketQuerySet":
        """Fetch with them all that `cost` needs."""
        return self.select_related("offence", "lot").prefetch_related("appeals")

    def _linked(self, user: Any) -> Q:
        """The ticket of the appeal itself; of the same plate only what was issued since: nothing earlier is shown.

        The few links are read first, so that the indexes of a city's tickets answer, and not a walk through all of them.
        """
        from violations.models.appeals import Association  # noqa: PLC0415 - associations refer to tickets

        found = Q(pk__in=[])
        for link in Association.objects.live().visible_to(user):
            found |= Q(pk=link.ticket_id)
            if link.plate_key:
                found |= Q(plate_key=link.plate_key, region=link.region, issued_at__gte=link.began_at)
        return found


@pghistory.track(exclude=["pin", "pay_code", "next_step_on", "release_path"])
class Ticket(models.Model):
    """One ticket. Its number is public, its PIN is printed behind it: `TT-10133-3K`."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    number = models.CharField(_("ticket number"), max_length=24)
    number_key = models.CharField(max_length=24, unique=True, editable=False)
    pin = models.CharField(_("Security PIN"), max_length=PIN_LENGTH, default=make_pin, editable=False)
    pay_code = models.CharField(max_length=24, unique=True, default=make_pay_code, editable=False)

    offence = models.ForeignKey(Offence, models.PROTECT, related_name="tickets", verbose_name=_("offence"))
    plate = models.CharField(_("plate"), max_length=16, blank=True)
    plate_key = models.CharField(max_length=10, blank=True, editable=False)
    region = models.CharField(_("state/province"), max_length=5, blank=True)
    plate_type = models.ForeignKey(
        PlateType, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("plate type")
    )
    vin = models.CharField(_("VIN"), max_length=17, blank=True)
    vehicle = models.ForeignKey(
        Vehicle, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("vehicle")
    )
    # Who had the plate on their account at that time; empty when nobody is known.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets",
        verbose_name=_("person"),
    )
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("lot"))
    place = models.CharField(_("where exactly"), max_length=200, blank=True)
    occurred_at = models.DateTimeField(_("when it happened"))
    issued_at = models.DateTimeField(_("issued"), default=timezone.now)
    officer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("officer")
    )
    badge = models.CharField(_("officer's number"), max_length=30, blank=True)
    notes = models.TextField(_("notes, for the office only"), blank=True)

    # The rule as it stood. `nth`: which offence of its kind this was within the period.
    is_warning = models.BooleanField(_("warning"), default=False)
    nth = models.PositiveSmallIntegerField(_("offence number"), default=1)
    fine = MoneyField(_("fine"))
    fee = MoneyField(_("administrative fee"), default=ZERO)
    discount = MoneyField(_("discount for early payment"), default=ZERO)
    discount_days = models.PositiveSmallIntegerField(_("discount within days"), default=0)
    due_days = models.PositiveSmallIntegerField(_("days to pay"), default=30)
    appeal_days = models.PositiveSmallIntegerField(_("days to appeal"), default=15)
    late_fees = models.JSONField(_("late fees"), default=list, blank=True)
    has_lost_discount = models.BooleanField(_("discount lost by appealing"), default=False)
    # Days to appeal begin anew here when somebody else's account was linked, where the provider has it so.
    appeal_from = models.DateField(_("days to appeal count from"), null=True, blank=True)
    # What the office decided that it costs, and on which of its days.
    set_amount = MoneyField(_("amount decided by the office"), null=True, blank=True)
    set_on_day = models.PositiveSmallIntegerField(null=True, blank=True)

    status = models.CharField(_("status"), max_length=12, choices=TicketStatus.choices, default=T.OPEN)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closing_reason = models.CharField(_("reason"), max_length=300, blank=True)
    # While a boot is on: what has to be paid with it so that the boot is released, and the page where that is done.
    booted_at = models.DateTimeField(_("boot put on"), null=True, blank=True)
    release_id = models.BigIntegerField(null=True, blank=True, editable=False)
    release_path = models.CharField(max_length=80, blank=True, editable=False)
    # The next day on which something about it is to be done: see `violations.services.steps`.
    next_step_on = models.DateField(null=True, blank=True)
    collection = models.ForeignKey(
        "violations.CollectionExport",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="tickets",
        verbose_name=_("sent to collections with"),
    )

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-issued_at", "-pk"]
        permissions = [
            ("spoil_ticket", _("Can spoil and cancel tickets")),
            ("adjust_ticket", _("Can lower a fine without an appeal")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=TicketStatus.values), name="violations_ticket_status_known"),
            models.CheckConstraint(condition=Q(fine__gte=0, fee__gte=0), name="violations_ticket_not_negative"),
            models.CheckConstraint(
                condition=Q(discount__gte=0, discount__lte=F("fine") + F("fee")),
                name="violations_ticket_discount_within_fine",
            ),
            models.CheckConstraint(
                condition=Q(discount_days__lte=F("due_days")), name="violations_ticket_discount_ends_before_due"
            ),
            models.CheckConstraint(
                condition=Q(set_amount__isnull=True, set_on_day__isnull=True)
                | Q(set_amount__gte=0, set_on_day__isnull=False),
                name="violations_ticket_decided_amount_has_day",
            ),
            models.CheckConstraint(
                condition=Q(is_warning=False) | Q(fine=0, fee=0, discount=0), name="violations_ticket_warning_is_free"
            ),
            models.CheckConstraint(
                condition=Q(plate_key__regex=PLATE_KEY, vin="") & ~Q(region="")
                | (Q(plate_key="", plate="") & ~Q(vin="")),
                name="violations_ticket_plate_or_vin",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "collections"], closed_at__isnull=True)
                | Q(status__in=["paid", "cancelled", "spoiled"], closed_at__isnull=False),
                name="violations_ticket_closed_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["cancelled", "spoiled"]) | ~Q(closing_reason=""),
                name="violations_ticket_cancelled_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(status="collections") | Q(collection__isnull=False),
                name="violations_ticket_collections_has_export",
            ),
            models.CheckConstraint(
                condition=Q(issued_at__gte=F("occurred_at")), name="violations_ticket_issued_after_it_happened"
            ),
        ]
        indexes = [
            models.Index(fields=["plate_key", "region", "-occurred_at"], name="violations_ticket_plate"),
            models.Index(
                fields=["next_step_on"],
                condition=Q(next_step_on__isnull=False),
                name="violations_ticket_next_step",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def full_number(self) -> str:
        """The number with its PIN, as it stands on the paper: only for those who may see the ticket."""
        return f"{self.number}-{self.pin}"

    @property
    def region_name(self) -> str:
        return region_name(self.region) if self.region else ""

    @property
    def vehicle_label(self) -> str:
        """Its plate, or the end of its VIN."""
        return self.plate or f"…{self.vin[-6:]}"
