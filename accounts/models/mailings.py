"""What the office writes to many people at once."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.people import UserType
from opscom.core.codes import make_code
from opscom.core.fields import TranslatedField


class MailingStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    CANCELLED = "cancelled", _("Cancelled")


M = MailingStatus
MAILING_MOVES: dict[str, frozenset[str]] = {
    M.DRAFT: frozenset({M.SENDING, M.CANCELLED}),
    # From sending to sending: another chunk of people has their mail in the outbox.
    M.SENDING: frozenset({M.SENDING, M.SENT, M.CANCELLED}),
    M.SENT: frozenset(),
    M.CANCELLED: frozenset(),
}


class Mailing(models.Model):
    """One text for everybody, or for the people of some types. It goes into the outbox in chunks, in the order of pk.

    `last_person_id` is the cursor: everybody up to there has their mail in the outbox, or is not to get it.
    """

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    category = models.ForeignKey(
        "messaging.EmailCategory", models.PROTECT, related_name="mailings", verbose_name=_("category")
    )
    subject = TranslatedField(_("subject"))
    text = TranslatedField(_("text"), long=True)
    user_types = models.ManyToManyField(
        UserType, blank=True, related_name="+", verbose_name=_("user types"), help_text=_("None chosen: everybody.")
    )
    status = models.CharField(
        _("status"), max_length=10, choices=MailingStatus.choices, default=M.DRAFT, editable=False
    )
    # The office knows that people cannot refuse mail now, and sends it even so.
    is_confirmed = models.BooleanField(_("confirmed without preferences"), default=False, editable=False)
    written_by = models.ForeignKey(
        "accounts.User", models.PROTECT, related_name="+", editable=False, verbose_name=_("written by")
    )
    written_at = models.DateTimeField(_("written"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)
    receivers = models.PositiveIntegerField(_("receivers so far"), default=0, editable=False)
    last_person_id = models.BigIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        ordering = ["-written_at", "-pk"]
        permissions = [("send_mailing", _("Can send mailings"))]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=MailingStatus.values), name="accounts_mailing_status_known"),
            models.CheckConstraint(
                condition=~Q(status__in=[M.SENDING, M.SENT]) | Q(started_at__isnull=False),
                name="accounts_mailing_sending_has_start",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[M.SENT, M.CANCELLED], finished_at__isnull=False)
                | Q(status__in=[M.DRAFT, M.SENDING], finished_at__isnull=True),
                name="accounts_mailing_over_has_end",
            ),
            models.CheckConstraint(
                condition=~Q(status=M.DRAFT) | Q(last_person_id=0, receivers=0),
                name="accounts_mailing_draft_sent_nothing",
            ),
        ]

    def __str__(self) -> str:
        return str(self.subject) or self.code
