"""Promises to bring the money to the office."""

import datetime as dt
from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from opscom.core.money import MoneyField
from opscom.provider.selectors import local_date
from payments.models.methods import PaymentMethod
from payments.models.orders import Order
from payments.models.payments import Payment


class PromiseStatus(models.TextChoices):
    PROMISED = "promised", _("Paid but not Processed")
    RECEIVED = "received", _("Received")
    BOUNCED = "bounced", _("Bounced")
    CANCELLED = "cancelled", _("Cancelled")
    LAPSED = "lapsed", _("Not brought in time")
    PAID_OTHERWISE = "paid_otherwise", _("Paid in another way")


S = PromiseStatus
PROMISE_MOVES = {
    S.PROMISED: frozenset({S.RECEIVED, S.CANCELLED, S.LAPSED, S.PAID_OTHERWISE}),
    # Money that comes late is still money: the order is paid, or what is gone meanwhile goes back.
    S.LAPSED: frozenset({S.RECEIVED}),
    S.RECEIVED: frozenset({S.BOUNCED}),
    S.BOUNCED: frozenset(),
    S.CANCELLED: frozenset(),
    S.PAID_OTHERWISE: frozenset(),
}


class Tender(models.TextChoices):
    CASH = "cash", _("Cash")
    CHEQUE = "cheque", _("Cheque")


class PromiseQuerySet(models.QuerySet["Promise"]):
    """Promises that a person may see are those of their own orders."""

    def visible_to(self, user: Any) -> "PromiseQuerySet":
        return self.filter(order__payer=user) if user.is_authenticated else self.none()


@pghistory.track()
class Promise(models.Model):
    """Somebody chose `Cash or Cheque`: the order waits for the money until `pay_by`, the first instant that is too late."""

    order = models.OneToOneField(Order, models.PROTECT, related_name="promise", verbose_name=_("order"))
    method = models.ForeignKey(PaymentMethod, models.PROTECT, related_name="+", verbose_name=_("method"))
    status = models.CharField(_("status"), max_length=15, choices=PromiseStatus.choices, default=S.PROMISED)
    pay_by = models.DateTimeField(_("to be paid before"))
    created_at = models.DateTimeField(_("promised"), auto_now_add=True)
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    payment = models.OneToOneField(Payment, models.PROTECT, null=True, blank=True, related_name="promise")
    tender = models.CharField(_("brought as"), max_length=10, choices=Tender.choices, blank=True)
    received_amount = MoneyField(_("amount received"), null=True, blank=True)
    reference = models.CharField(_("cheque or receipt number"), max_length=60, blank=True)
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("received by")
    )
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("closed by")
    )
    note = models.CharField(_("note"), max_length=300, blank=True)

    objects = PromiseQuerySet.as_manager()

    class Meta:
        verbose_name = _("promise to pay")
        verbose_name_plural = _("promises to pay")
        ordering = ["pay_by", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PromiseStatus.values), name="payments_promise_status_known"),
            models.CheckConstraint(
                condition=Q(status="promised", closed_at__isnull=True)
                | (~Q(status="promised") & Q(closed_at__isnull=False)),
                name="payments_promise_closed_has_time",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["received", "bounced"],
                    payment__isnull=False,
                    received_amount__isnull=False,
                    received_by__isnull=False,
                )
                | (
                    ~Q(status__in=["received", "bounced"])
                    & Q(payment__isnull=True, received_amount__isnull=True, received_by__isnull=True)
                ),
                name="payments_promise_received_has_payment",
            ),
        ]
        indexes = [models.Index(fields=["pay_by"], condition=Q(status="promised"), name="payments_promise_waiting")]

    def __str__(self) -> str:
        return str(self.order)

    @property
    def last_day(self) -> dt.date:
        """The last calendar day, at the provider's place, on which the money may be brought."""
        return local_date(self.pay_by - dt.timedelta(microseconds=1))

    @property
    def is_running(self) -> bool:
        return self.status == PromiseStatus.PROMISED
