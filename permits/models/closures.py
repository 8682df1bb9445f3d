"""When a lot, or a part of it, is closed, and who was told."""

import datetime as dt

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.fields import TranslatedField
from permits.models.permits import Permit


class ClosureReason(models.TextChoices):
    SNOW = "snow", _("Snow")
    EVENT = "event", _("Event")
    WORKS = "works", _("Works")
    OTHER = "other", _("Other")


class ClosureQuerySet(models.QuerySet["Closure"]):
    """Closures are public: whoever parks must know."""

    def standing(self) -> "ClosureQuerySet":
        """Keep those that were not called off."""
        return self.filter(cancelled_at__isnull=True)

    def touching(self, start: dt.datetime, end: dt.datetime) -> "ClosureQuerySet":
        """Keep what closes at some instant of [start, end)."""
        return self.standing().filter(starts_at__lt=end, ends_at__gt=start)


@pghistory.track(fields=["lot", "spaces", "starts_at", "ends_at", "reason", "words", "cancelled_at"])
class Closure(models.Model):
    """A lot is closed in the half-open time [starts_at, ends_at). `spaces` None: the whole lot.

    `edition` grows with each change of what holders must know; the workers have told everybody up to `told_edition`.
    """

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    lot = models.ForeignKey("provider.Lot", models.PROTECT, related_name="closures", verbose_name=_("lot"))
    spaces = models.PositiveIntegerField(_("spaces"), null=True, blank=True, help_text=_("Empty: the whole lot."))
    starts_at = models.DateTimeField(_("closed from"))
    ends_at = models.DateTimeField(_("closed until"))
    reason = models.CharField(_("reason"), max_length=10, choices=ClosureReason.choices, default=ClosureReason.OTHER)
    words = TranslatedField(_("words for holders"), long=True, blank=True)
    other_lots = models.ManyToManyField(
        "provider.Lot", blank=True, related_name="+", verbose_name=_("valid meanwhile in these lots")
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("closed by"))
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    cancelled_at = models.DateTimeField(_("called off"), null=True, blank=True, editable=False)
    edition = models.PositiveIntegerField(default=1, editable=False)
    told_edition = models.PositiveIntegerField(default=0, editable=False)

    objects = ClosureQuerySet.as_manager()

    class Meta:
        verbose_name = _("closure")
        verbose_name_plural = _("closures")
        ordering = ["-starts_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="permits_closure_ends_after_start"),
            models.CheckConstraint(
                condition=Q(spaces__isnull=True) | Q(spaces__gte=1), name="permits_closure_spaces_positive"
            ),
            models.CheckConstraint(condition=Q(reason__in=ClosureReason.values), name="permits_closure_reason_known"),
            models.CheckConstraint(
                condition=Q(told_edition__lte=F("edition")), name="permits_closure_told_what_is_written"
            ),
        ]
        indexes = [
            models.Index(fields=["ends_at"], condition=Q(cancelled_at=None), name="permits_closure_standing"),
            models.Index(fields=["id"], condition=Q(told_edition__lt=F("edition")), name="permits_closure_to_tell"),
        ]

    def __str__(self) -> str:
        return f"{self.lot} · {self.get_reason_display()}"

    @property
    def is_whole(self) -> bool:
        """Whether nobody may stand anywhere in the lot."""
        return self.spaces is None

    def covers(self, at: dt.datetime) -> bool:
        """Say whether it holds at that instant."""
        return self.cancelled_at is None and self.starts_at <= at < self.ends_at


class ClosureNotice(models.Model):
    """A permit whose holder was told of a closure: the row and the message stand or fall together."""

    closure = models.ForeignKey(Closure, models.CASCADE, related_name="notices")
    permit = models.ForeignKey(Permit, models.CASCADE, related_name="closure_notices")
    edition = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("notice of a closure")
        verbose_name_plural = _("notices of closures")
        constraints = [models.UniqueConstraint(fields=["closure", "permit"], name="permits_closurenotice_once")]

    def __str__(self) -> str:
        return f"{self.closure} → {self.permit}"
