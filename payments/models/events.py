"""What gateways tell us by themselves."""

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class GatewayEvent(models.Model):
    """What a gateway told us by itself, once per event id, kept before anything is done about it."""

    gateway = models.CharField(_("gateway"), max_length=30)
    event_id = models.CharField(_("event"), max_length=120)
    reference = models.CharField(_("our reference"), max_length=30, blank=True)
    about = models.CharField(_("about"), max_length=10, default="payment")
    payload = models.TextField(_("as received"), blank=True)
    received_at = models.DateTimeField(_("received"), auto_now_add=True)
    handled_at = models.DateTimeField(_("handled"), null=True, blank=True)

    class Meta:
        verbose_name = _("gateway event")
        verbose_name_plural = _("gateway events")
        ordering = ["-received_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["gateway", "event_id"], name="payments_gatewayevent_once")]
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(handled_at__isnull=True), name="payments_gatewayevent_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.event_id}"


class DisputeStatus(models.TextChoices):
    OPEN = "open", _("Open: answer it at the gateway")
    WON = "won", _("Won: the money stays")
    LOST = "lost", _("Lost: the money has gone")


D = DisputeStatus
DISPUTE_MOVES = {D.OPEN: frozenset({D.WON, D.LOST}), D.WON: frozenset(), D.LOST: frozenset()}


@pghistory.track()
class Dispute(models.Model):
    """A payer told their bank that a payment is wrong. The office answers at the gateway and writes the end down here."""

    payment = models.OneToOneField(
        "payments.Payment", models.PROTECT, related_name="dispute", verbose_name=_("payment")
    )
    status = models.CharField(_("status"), max_length=10, choices=DisputeStatus.choices, default=D.OPEN)
    refund = models.OneToOneField("payments.Refund", models.PROTECT, null=True, blank=True, related_name="+")
    opened_at = models.DateTimeField(_("opened"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("closed by")
    )
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("disputed payment")
        verbose_name_plural = _("disputed payments")
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=DisputeStatus.values), name="payments_dispute_status_known"),
            models.CheckConstraint(
                condition=Q(status="lost") | Q(refund__isnull=True), name="payments_dispute_only_lost_has_reversal"
            ),
            models.CheckConstraint(
                condition=Q(status="open", closed_at__isnull=True) | (~Q(status="open") & Q(closed_at__isnull=False)),
                name="payments_dispute_closed_has_time",
            ),
        ]

    def __str__(self) -> str:
        return str(self.payment)
