"""Holds on an account: while one runs, its person can buy nothing new."""

from datetime import datetime
from typing import Any

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.money import MoneyField


class AccountHoldQuerySet(models.QuerySet["AccountHold"]):
    """Holds, narrowed by who may see them and by when they run."""

    def visible_to(self, user: Any) -> "AccountHoldQuerySet":
        """The office sees all by its permission; people see their own."""
        if user.is_authenticated and user.is_staff and user.has_perm("accounts.view_accounthold"):
            return self
        return self.filter(person=user.pk)

    def running(self, at: datetime) -> "AccountHoldQuerySet":
        """Those that have begun, are not over and were not lifted."""
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at), starts_at__lte=at, lifted_at__isnull=True)


@pghistory.track()
class AccountHold(models.Model):
    """A reason why somebody can buy nothing, half-open in time: [starts_at, ends_at), and what would end it."""

    person = models.ForeignKey("accounts.User", models.PROTECT, related_name="holds", verbose_name=_("person"))
    reason = models.CharField(_("reason"), max_length=300)
    amount = MoneyField(_("amount to pay"), null=True, blank=True)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    # The service that placed it ("collections"), with what it placed it for; empty: the office did, by hand.
    source = models.CharField(_("placed by the service"), max_length=40, blank=True)
    object_id = models.BigIntegerField(null=True, blank=True)
    placed_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("placed by")
    )
    placed_at = models.DateTimeField(_("placed"), auto_now_add=True)
    lifted_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("lifted by")
    )
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)

    objects = AccountHoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("hold on an account")
        verbose_name_plural = _("holds on accounts")
        ordering = ["-placed_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="accounts_accounthold_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gt=0), name="accounts_accounthold_amount_positive"
            ),
            models.UniqueConstraint(
                fields=["source", "object_id"],
                condition=Q(lifted_at__isnull=True, object_id__isnull=False),
                name="accounts_accounthold_one_for_each_cause",
            ),
        ]
        indexes = [
            models.Index(fields=["person"], condition=Q(lifted_at__isnull=True), name="accounts_accounthold_running")
        ]

    def __str__(self) -> str:
        return self.reason
