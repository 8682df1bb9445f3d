"""How permits go over into their next period: by their holder's switch, or because the office rolls a whole sale."""

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from permits.models.permits import Permit
from permits.models.sales import Sale


@pghistory.track(fields=["permit", "is_on"])
class Rollover(models.Model):
    """The switch of one permit, and where its renewal stands: what the beat does next, and when.

    `anchor_on` is the first day of the first period: months are counted from it, so that the 31st comes back after
    February. `charge_on` is the day of the next try to take the money; `next_try_at`, when the beat looks at it again.
    """

    permit = models.OneToOneField(Permit, models.PROTECT, related_name="rollover", verbose_name=_("permit"))
    is_on = models.BooleanField(_("Permit Rollover"), default=False)
    anchor_on = models.DateField(_("months are counted from"))
    charge_on = models.DateField(_("next charge"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("charges that failed"), default=0)
    next_try_at = models.DateTimeField(_("looked at again"), null=True, blank=True)

    class Meta:
        verbose_name = _("permit rollover")
        verbose_name_plural = _("permit rollovers")
        ordering = ["permit"]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="permits_rollover_due")
        ]

    def __str__(self) -> str:
        return str(self.permit)


class RollStatus(models.TextChoices):
    RUNNING = "running", _("Under way")
    DONE = "done", _("Done")
    STOPPED = "stopped", _("Stopped")


ROLL_MOVES = {
    RollStatus.RUNNING: frozenset({RollStatus.DONE, RollStatus.STOPPED}),
    RollStatus.DONE: frozenset(),
    RollStatus.STOPPED: frozenset(),
}


@pghistory.track()
class RollRun(models.Model):
    """The office rolls the holders of one sale into another one: to whom, until when they pay, and who is charged."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    source = models.ForeignKey(Sale, models.PROTECT, related_name="rolled_from", verbose_name=_("from the sale"))
    target = models.ForeignKey(Sale, models.PROTECT, related_name="rolled_into", verbose_name=_("into the sale"))
    user_types = models.ManyToManyField(
        "accounts.UserType", blank=True, related_name="+", verbose_name=_("only these user types (none: all)")
    )
    pay_by = models.DateField(_("last day to pay"))
    charge_on = models.DateField(
        _("stored methods are charged on"), null=True, blank=True, help_text=_("Empty: everybody pays by themselves.")
    )
    skips_switched_off = models.BooleanField(_("leave out who has Permit Rollover switched off"), default=False)
    status = models.CharField(
        _("status"), max_length=10, choices=RollStatus.choices, default=RollStatus.RUNNING, editable=False
    )
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("started by")
    )
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("roll of a sale")
        verbose_name_plural = _("rolls of sales")
        ordering = ["-started_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=RollStatus.values), name="permits_rollrun_status_known"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="permits_rollrun_into_another_sale"),
            models.CheckConstraint(
                condition=Q(charge_on__isnull=True) | Q(charge_on__lte=F("pay_by")),
                name="permits_rollrun_charged_in_time",
            ),
            models.CheckConstraint(
                condition=Q(status="running", finished_at__isnull=True)
                | (~Q(status="running") & Q(finished_at__isnull=False)),
                name="permits_rollrun_over_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


class RowStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    ROLLED = "rolled", _("Reserved")
    SKIPPED = "skipped", _("Left out")


ROW_MOVES = {
    RowStatus.WAITING: frozenset({RowStatus.ROLLED, RowStatus.SKIPPED}),
    RowStatus.ROLLED: frozenset(),
    RowStatus.SKIPPED: frozenset(),
}


class RollRow(models.Model):
    """One holder's permit in a roll: waiting for its turn, rolled into `successor`, or left out, and why."""

    run = models.ForeignKey(RollRun, models.CASCADE, related_name="rows", verbose_name=_("roll of a sale"))
    permit = models.ForeignKey(Permit, models.PROTECT, related_name="+", verbose_name=_("permit"))
    status = models.CharField(_("status"), max_length=10, choices=RowStatus.choices, default=RowStatus.WAITING)
    successor = models.OneToOneField(
        Permit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("new permit")
    )
    reason = models.CharField(_("why not"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("permit in a roll")
        verbose_name_plural = _("permits in a roll")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "permit"], name="permits_rollrow_once"),
            models.CheckConstraint(condition=Q(status__in=RowStatus.values), name="permits_rollrow_status_known"),
            models.CheckConstraint(
                condition=Q(status="rolled", successor__isnull=False)
                | (~Q(status="rolled") & Q(successor__isnull=True)),
                name="permits_rollrow_rolled_has_permit",
            ),
        ]
        indexes = [models.Index(fields=["run"], condition=Q(status="waiting"), name="permits_rollrow_waiting")]

    def __str__(self) -> str:
        return str(self.permit)
