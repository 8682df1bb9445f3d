"""Who waits for a permit of a type in a lot, in which order, and what was offered to them."""

from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from permits.models.permits import Permit
from permits.models.types import PermitType

# So many places of the line share one counter: a position is a sum over counters, and a count inside one.
BUCKET_SIZE = 1000


class Waitlist(models.Model):
    """One list for one permit type in one lot, over all their sales. Its row is the lock under which numbers go to people.

    `next_ticket` is the place that the next one to join takes, behind everybody of their class.
    """

    lot = models.ForeignKey("provider.Lot", models.PROTECT, related_name="waitlists", verbose_name=_("lot"))
    permit_type = models.ForeignKey(PermitType, models.PROTECT, related_name="waitlists", verbose_name=_("permit type"))
    next_ticket = models.PositiveBigIntegerField(default=0, editable=False)
    # Kept numbers of which the office was told, where the office picks.
    announced = models.JSONField(default=list, blank=True, editable=False)

    class Meta:
        verbose_name = _("waitlist")
        verbose_name_plural = _("waitlists")
        ordering = ["lot", "permit_type"]
        constraints = [models.UniqueConstraint(fields=["lot", "permit_type"], name="permits_waitlist_once")]

    def __str__(self) -> str:
        return f"{self.lot} · {self.permit_type}"


class EntryStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    OFFERED = "offered", _("Offered a permit")
    SERVED = "served", _("Got a permit")
    LEFT = "left", _("Left the list")
    REMOVED = "removed", _("Taken off the list")


E = EntryStatus
ENTRY_MOVES = {
    E.WAITING: frozenset({E.OFFERED, E.LEFT, E.REMOVED, E.SERVED}),
    # Back to waiting: the offer was declined, lapsed or withdrawn, and the person stays on the list.
    E.OFFERED: frozenset({E.WAITING, E.SERVED, E.LEFT, E.REMOVED}),
    # Late money for a lapsed offer still makes them a holder.
    E.LEFT: frozenset({E.SERVED}),
    E.REMOVED: frozenset({E.SERVED}),
    E.SERVED: frozenset(),
}
ON_LIST = [E.WAITING, E.OFFERED]


class WaitlistEntryQuerySet(models.QuerySet["WaitlistEntry"]):
    """Entries that a person may see are their own."""

    def visible_to(self, user: Any) -> "WaitlistEntryQuerySet":
        return self.filter(person=user) if user.is_authenticated else self.none()

    def on_list(self) -> "WaitlistEntryQuerySet":
        """Keep who waits, or has an offer."""
        return self.filter(status__in=ON_LIST)

    def in_line(self) -> "WaitlistEntryQuerySet":
        """Keep who waits, in the one order: class, then place, which is the order of joining."""
        return self.filter(status=E.WAITING).order_by("priority", "ticket")


@pghistory.track()
class WaitlistEntry(models.Model):
    """A person on a list. `priority` is their class at joining (smaller first), `ticket` their place in it."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    waitlist = models.ForeignKey(Waitlist, models.PROTECT, related_name="entries", verbose_name=_("waitlist"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="waitlist_entries", verbose_name=_("person")
    )
    status = models.CharField(_("status"), max_length=10, choices=EntryStatus.choices, default=E.WAITING)
    priority = models.PositiveSmallIntegerField(_("class"))
    ticket = models.PositiveBigIntegerField(editable=False)
    vehicle = models.ForeignKey(
        "vehicles.Vehicle", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("vehicle")
    )
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)
    lapses = models.PositiveSmallIntegerField(_("offers that lapsed"), default=0, editable=False)
    closed_at = models.DateTimeField(_("over since"), null=True, blank=True)

    objects = WaitlistEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("waitlist entry")
        verbose_name_plural = _("waitlist entries")
        ordering = ["waitlist", "priority", "ticket"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=EntryStatus.values), name="permits_waitlistentry_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=ON_LIST, closed_at__isnull=True)
                | (~Q(status__in=ON_LIST) & Q(closed_at__isnull=False)),
                name="permits_waitlistentry_over_has_time",
            ),
            models.UniqueConstraint(
                fields=["waitlist", "person"], condition=Q(status__in=ON_LIST), name="permits_waitlistentry_once"
            ),
            models.UniqueConstraint(fields=["waitlist", "ticket"], name="permits_waitlistentry_one_per_place"),
        ]
        indexes = [
            models.Index(
                fields=["waitlist", "priority", "ticket"], condition=Q(status="waiting"), name="permits_entry_in_line"
            ),
            # Few of many: the beat asks each minute whose offer is over.
            models.Index(fields=["waitlist"], condition=Q(status="offered"), name="permits_entry_offered"),
            models.Index(fields=["waitlist", "closed_at"], name="permits_entry_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.waitlist}"


class WaitlistBucket(models.Model):
    """How many wait in one stretch of places of one class; kept in the transaction that changes who waits."""

    waitlist = models.ForeignKey(Waitlist, models.CASCADE, related_name="buckets")
    priority = models.PositiveSmallIntegerField()
    bucket = models.PositiveBigIntegerField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("waitlist counter")
        verbose_name_plural = _("waitlist counters")
        constraints = [
            models.UniqueConstraint(fields=["waitlist", "priority", "bucket"], name="permits_waitlistbucket_once")
        ]

    def __str__(self) -> str:
        return f"{self.waitlist_id}/{self.priority}/{self.bucket}"


class WaitlistOffer(models.Model):
    """A number that was offered to who waits: a reserved permit whose hold ends at the deadline. Its status is the permit's.

    `offered_by` None: by the order of the list. `skip_reason`: why the office did not offer it to the first in line.
    `gives_back`: the permit that its person gives back by taking this one.
    """

    entry = models.ForeignKey(WaitlistEntry, models.PROTECT, related_name="offers", verbose_name=_("waitlist entry"))
    permit = models.OneToOneField(Permit, models.PROTECT, related_name="offer", verbose_name=_("permit"))
    offered_at = models.DateTimeField(_("offered"), auto_now_add=True)
    offered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("offered by")
    )
    skip_reason = models.CharField(_("why not the first in line"), max_length=300, blank=True)
    deadline = models.DateTimeField(_("deadline"))
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    gives_back = models.ForeignKey(
        Permit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("given back for it")
    )

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        ordering = ["-offered_at", "-pk"]
        indexes = [models.Index(fields=["entry", "-offered_at"], name="permits_offer_of_entry")]

    def __str__(self) -> str:
        return f"{self.permit} → {self.entry.person}"
