"""The time of one boot on one car: from putting on until it is back, or given up for lost."""

from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from boots.models.boots import Boot, make_tag
from boots.models.policy import LateRule
from opscom.core.codes import make_code
from opscom.core.uploads import RandomName
from opscom.provider.models import Lot
from payments.models import Deposit, DepositStatus, OrderLine
from violations.models import Offence, Ticket
from violations.models.files import StoredFile


class Ending(models.TextChoices):
    """How a boot's time on a car ended."""

    RETURNED = "returned", _("Returned")
    TAKEN_OFF = "taken_off", _("Taken off by an officer")
    LOST = "lost", _("Lost")


class Condition(models.TextChoices):
    GOOD = "good", _("Good")
    DAMAGED = "damaged", _("Damaged")


class BootingQuerySet(models.QuerySet["Booting"]):
    """Bootings, narrowed by who may see their code, and by how far they are."""

    def visible_to(self, user: Any) -> "BootingQuerySet":
        """Keep those that this person has paid for."""
        return self.filter(line__order__payer=user) if user.is_authenticated else self.none()

    def running(self) -> "BootingQuerySet":
        """Keep those whose boot is not back."""
        return self.filter(ended_at=None)

    def unreleased(self) -> "BootingQuerySet":
        """Keep those whose boot is on the car, and whose code nobody has."""
        return self.filter(ended_at=None, released_at=None)


@pghistory.track(exclude=["pay_code", "next_step_at"])
class Booting(models.Model):
    """One boot on one ticket's car, with the provider's rule as it stood when it was put on.

    `line` is the settled line that released it; its order says who paid, and where the code was sent.
    """

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    pay_code = models.CharField(max_length=24, unique=True, default=make_tag, editable=False)
    boot = models.ForeignKey(Boot, models.PROTECT, related_name="bootings", verbose_name=_("boot"))
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="bootings", verbose_name=_("ticket"))
    put_on_at = models.DateTimeField(_("put on"))
    put_on_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("put on by")
    )
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("lot"))
    place = models.CharField(_("where exactly"), max_length=200, blank=True)

    # The rule as it stood.
    requires_all = models.BooleanField(_("everything outstanding is paid first"))
    deposit = models.OneToOneField(
        Deposit, models.PROTECT, null=True, blank=True, related_name="booting", verbose_name=_("deposit")
    )
    return_hours = models.PositiveSmallIntegerField(_("hours to return it"))
    reminder_hours = models.PositiveSmallIntegerField(_("reminder, hours before"))
    late_rule = models.CharField(_("when it is late"), max_length=10, choices=LateRule.choices)
    late_hours = models.PositiveSmallIntegerField(_("hours of grace"))
    late_offence = models.ForeignKey(Offence, models.PROTECT, null=True, blank=True, related_name="+")
    lost_days = models.PositiveSmallIntegerField(_("days until it counts as lost"))
    lost_offence = models.ForeignKey(Offence, models.PROTECT, null=True, blank=True, related_name="+")

    line = models.OneToOneField(
        OrderLine, models.PROTECT, null=True, blank=True, related_name="booting", verbose_name=_("paid by")
    )
    released_at = models.DateTimeField(_("released"), null=True, blank=True)
    return_by = models.DateTimeField(_("to be returned by"), null=True, blank=True)
    # Raised when the office corrects a wrong code: each edition is mailed once.
    code_edition = models.PositiveSmallIntegerField(default=1)
    code_sent_times = models.PositiveSmallIntegerField(default=0)
    problem_at = models.DateTimeField(_("the driver says that the code does not work"), null=True, blank=True)
    next_step_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    overdue_at = models.DateTimeField(_("overdue since"), null=True, blank=True)
    punished_at = models.DateTimeField(_("fined, or deposit kept"), null=True, blank=True)
    late_ticket = models.OneToOneField(
        Ticket, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ticket for the late return")
    )
    lost_ticket = models.OneToOneField(
        Ticket, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ticket for the lost boot")
    )

    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ending = models.CharField(_("how it ended"), max_length=10, choices=Ending.choices, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("taken by")
    )
    condition = models.CharField(_("condition"), max_length=10, choices=Condition.choices, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)

    objects = BootingQuerySet.as_manager()

    class Meta:
        verbose_name = _("boot on a car")
        verbose_name_plural = _("boots on cars")
        ordering = ["-put_on_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["boot"], condition=Q(ended_at=None), name="boots_booting_boot_on_one_car"),
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(ended_at=None), name="boots_booting_ticket_on_one_boot"
            ),
            models.CheckConstraint(
                condition=Q(released_at=None, return_by=None, line=None)
                | Q(released_at__isnull=False, return_by__isnull=False, line__isnull=False),
                name="boots_booting_released_is_paid",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ending="")
                | Q(ended_at__isnull=False, ending__in=Ending.values, next_step_at=None),
                name="boots_booting_ended_says_how",
            ),
            models.CheckConstraint(
                condition=~Q(ending="returned") | (~Q(condition="") & Q(released_at__isnull=False)),
                name="boots_booting_returned_was_released",
            ),
            models.CheckConstraint(
                condition=~Q(ending="taken_off") | Q(released_at=None), name="boots_booting_taken_off_was_on"
            ),
            models.CheckConstraint(
                condition=~Q(late_rule="fine") | Q(late_offence__isnull=False), name="boots_booting_fine_has_offence"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_step_at"], condition=Q(next_step_at__isnull=False), name="boots_booting_next_step"
            )
        ]

    def __str__(self) -> str:
        return f"{self.boot} / {self.ticket}"

    @property
    def has_deposit(self) -> bool:
        """Money is held for it, about which its return, or its loss, decides."""
        return self.deposit is not None and self.deposit.status == DepositStatus.HELD


class PhotoMoment(models.TextChoices):
    PUT_ON = "put_on", _("When it was put on")
    RETURN = "return", _("When it came back")


class BootPhoto(StoredFile):
    """What an officer, or the office, saw: for the office only."""

    booting = models.ForeignKey(Booting, models.PROTECT, related_name="photos", verbose_name=_("boot on a car"))
    moment = models.CharField(_("moment"), max_length=10, choices=PhotoMoment.choices)
    file = models.FileField(_("file"), upload_to=RandomName("boot-photos"))
    thumbnail = models.FileField(upload_to=RandomName("boot-photos"), blank=True)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("taken by")
    )

    class Meta:
        verbose_name = _("photo of a boot")
        verbose_name_plural = _("photos of boots")
        ordering = ["uploaded_at", "pk"]
