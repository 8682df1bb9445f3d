"""The outbox: a message is a row, written in the same transaction as what it tells."""

import pghistory
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from opscom.core.fields import TranslatedField


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")


class Lane(models.TextChoices):
    URGENT = "urgent", _("Urgent: codes, receipts, SMS")
    BULK = "bulk", _("Bulk")


class MessageStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


S = MessageStatus
MESSAGE_MOVES: dict[str, frozenset[str]] = {
    S.QUEUED: frozenset({S.SENDING, S.CANCELLED}),
    # From sending to sending: the lease ran out, and another worker takes over. To cancelled: the reader unsubscribed.
    S.SENDING: frozenset({S.SENT, S.QUEUED, S.FAILED, S.SENDING, S.CANCELLED}),
    S.FAILED: frozenset({S.QUEUED}),
    S.SENT: frozenset(),
    S.CANCELLED: frozenset(),
}


class Message(models.Model):
    """One e-mail or SMS. Address and language are text: messaging knows no accounts."""

    channel = models.CharField(_("channel"), max_length=5, choices=Channel.choices, default=Channel.EMAIL)
    lane = models.CharField(_("lane"), max_length=6, choices=Lane.choices, default=Lane.BULK)
    template = models.CharField(_("template"), max_length=80)
    to = models.CharField(_("to"), max_length=254)
    language = models.CharField(_("language"), max_length=10)
    category = models.CharField(_("category"), max_length=40, default="system")
    context = models.JSONField(default=dict, encoder=DjangoJSONEncoder, blank=True)
    secret_context = models.BinaryField(null=True, blank=True)
    is_secret = models.BooleanField(_("holds a secret"), default=False)
    attachments = models.JSONField(default=list, blank=True)
    dedupe_key = models.CharField(max_length=120, unique=True)
    status = models.CharField(_("status"), max_length=10, choices=MessageStatus.choices, default=S.QUEUED)
    not_before = models.DateTimeField(_("not before"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("written"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    subject = models.CharField(_("subject"), max_length=250, blank=True)
    body = models.TextField(_("text"), blank=True)
    html = models.TextField(blank=True)
    last_error = models.TextField(_("last error"), blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=MessageStatus.values), name="messaging_message_status_known"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="messaging_message_channel_known"),
            models.CheckConstraint(
                condition=~Q(status=S.SENT) | Q(sent_at__isnull=False), name="messaging_message_sent_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(status=S.SENDING) | Q(leased_until__isnull=False),
                name="messaging_message_sending_has_lease",
            ),
            # A secret is wiped once it is delivered or can no longer be.
            models.CheckConstraint(
                condition=~Q(status__in=[S.SENT, S.CANCELLED]) | Q(secret_context__isnull=True),
                name="messaging_message_secret_wiped",
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before"], condition=Q(status__in=["queued", "sending"]), name="messaging_message_due"
            ),
            models.Index(fields=["to", "-created_at"], name="messaging_message_to"),
        ]

    def __str__(self) -> str:
        return f"{self.template} → {self.to}"


@pghistory.track()
class MessageTemplate(models.Model):
    """The office's own wording of one e-mail. A language that is left empty keeps the built-in wording."""

    template = models.CharField(_("e-mail"), max_length=80, unique=True)
    subject = TranslatedField(_("subject"), blank=True)
    text = TranslatedField(_("text"), long=True, blank=True)

    class Meta:
        verbose_name = _("e-mail wording")
        verbose_name_plural = _("e-mail wordings")
        ordering = ["template"]

    def __str__(self) -> str:
        return self.template


@pghistory.track()
class EmailCategory(models.Model):
    """A kind of non-essential mail that people may switch off, or an essential one that is only listed.

    System mail (receipts, password links, codes) has no category and can never be switched off.
    """

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = TranslatedField(_("name"))
    description = TranslatedField(_("description"), long=True, blank=True)
    is_essential = models.BooleanField(_("essential: cannot be switched off"), default=False)
    position = models.PositiveSmallIntegerField(pgettext_lazy("place in a list", "order"), default=0)

    class Meta:
        verbose_name = _("e-mail category")
        verbose_name_plural = _("e-mail categories")
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return str(self.name) or self.code


class OptOut(models.Model):
    """An address that wants no mail of a category. Kept when the office switches preferences off, and ignored then."""

    address = models.EmailField(_("e-mail"))
    category = models.ForeignKey(EmailCategory, models.CASCADE, related_name="opt_outs", verbose_name=_("category"))
    made_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("opt-out")
        verbose_name_plural = _("opt-outs")
        constraints = [models.UniqueConstraint(fields=["address", "category"], name="messaging_optout_once")]

    def __str__(self) -> str:
        return f"{self.address}: {self.category}"
