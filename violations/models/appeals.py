"""Appeals, what was asked and answered, and the vehicles that are linked to somebody for an appeal."""

import datetime as dt
from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from opscom.core.codes import make_code
from opscom.core.fields import TranslatedField
from opscom.core.money import MoneyField
from violations.models.tickets import Ticket


class AppealStatus(models.TextChoices):
    SENT = "sent", _("Under review")
    ASKED = "asked", _("Question asked")
    UPHELD = "upheld", _("Ticket upheld")
    REDUCED = "reduced", _("Ticket reduced")
    CANCELLED = "cancelled", _("Ticket cancelled")
    WITHDRAWN = "withdrawn", _("Withdrawn")


A = AppealStatus
UNDER_REVIEW = (A.SENT, A.ASKED)
DECIDED = (A.UPHELD, A.REDUCED, A.CANCELLED)
APPEAL_MOVES = {
    A.SENT: frozenset({A.ASKED, A.UPHELD, A.REDUCED, A.CANCELLED, A.WITHDRAWN}),
    A.ASKED: frozenset({A.SENT, A.UPHELD, A.REDUCED, A.CANCELLED, A.WITHDRAWN}),
    A.UPHELD: frozenset(),
    A.REDUCED: frozenset(),
    A.CANCELLED: frozenset(),
    A.WITHDRAWN: frozenset(),
}


class AppealQuerySet(models.QuerySet["Appeal"]):
    """Appeals, narrowed by who may see them and where they stand."""

    def visible_to(self, user: Any) -> "AppealQuerySet":
        """People see their own; the office reads them on its own site."""
        return self.filter(person=user) if user.is_authenticated else self.none()

    def under_review(self) -> "AppealQuerySet":
        return self.filter(status__in=UNDER_REVIEW)


@pghistory.track()
class Appeal(models.Model):
    """One appeal of one ticket. The ticket's days stand still in [review_from, review_until)."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="appeals", verbose_name=_("ticket"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="appeals",
        verbose_name=_("person"),
    )
    # Of an appeal on paper by somebody without an account.
    appellant = models.CharField(_("who appeals"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    reason = models.TextField(_("Reason for Appeal"))
    status = models.CharField(_("status"), max_length=10, choices=AppealStatus.choices, default=A.SENT)
    sent_at = models.DateTimeField(_("sent"), default=timezone.now)
    review_from = models.DateField(_("under review from"))
    review_until = models.DateField(_("under review until"), null=True, blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("entered by"),
    )
    late_reason = models.CharField(_("why it is accepted late"), max_length=300, blank=True)
    amount_before = MoneyField(_("cost when it was sent"))
    amount_after = MoneyField(_("cost as decided"), null=True, blank=True)
    response = models.TextField(_("Administrator's response"), blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )

    objects = AppealQuerySet.as_manager()

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        # The office's queue: the oldest first.
        ordering = ["sent_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=AppealStatus.values), name="violations_appeal_status_known"),
            models.UniqueConstraint(
                fields=["ticket"],
                condition=Q(status__in=["sent", "asked"]),
                name="violations_appeal_one_under_review",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["sent", "asked"], closed_at__isnull=True, review_until__isnull=True)
                | (~Q(status__in=["sent", "asked"]) & Q(closed_at__isnull=False, review_until__isnull=False)),
                name="violations_appeal_closed_has_time",
            ),
            models.CheckConstraint(
                condition=Q(review_until__isnull=True) | Q(review_until__gte=F("review_from")),
                name="violations_appeal_review_ends_after_start",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["upheld", "reduced", "cancelled"])
                | (Q(decided_by__isnull=False) & ~Q(response="")),
                name="violations_appeal_decision_has_response",
            ),
            models.CheckConstraint(
                condition=Q(amount_before__gte=0) & (Q(amount_after__isnull=True) | Q(amount_after__gte=0)),
                name="violations_appeal_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=False) | ~Q(appellant=""), name="violations_appeal_has_appellant"
            ),
        ]
        indexes = [
            models.Index(
                fields=["sent_at"], condition=Q(status__in=["sent", "asked"]), name="violations_appeal_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.ticket}: {self.who}"

    @property
    def who(self) -> str:
        """Who appeals, in words."""
        return self.appellant or str(self.person or "")

    @property
    def is_under_review(self) -> bool:
        return self.status in UNDER_REVIEW

    @property
    def is_decided(self) -> bool:
        return self.status in DECIDED


class AppealMessage(models.Model):
    """A question of the office about an appeal, or its answer."""

    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="messages", verbose_name=_("appeal"))
    is_from_office = models.BooleanField(_("from the office"))
    text = models.TextField(_("text"))
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("written by")
    )
    written_at = models.DateTimeField(_("written"), auto_now_add=True)

    class Meta:
        verbose_name = _("question or answer")
        verbose_name_plural = _("questions and answers")
        ordering = ["written_at", "pk"]

    def __str__(self) -> str:
        return self.text[:60]


class AssociationQuerySet(models.QuerySet["Association"]):
    """Links of vehicles to people who appeal a ticket of theirs."""

    def visible_to(self, user: Any) -> "AssociationQuerySet":
        """Keep those of this person; the office sees them on its own site."""
        return self.filter(person=user) if user.is_authenticated else self.none()

    def live(self, at: dt.datetime | None = None) -> "AssociationQuerySet":
        """Keep those that have not ended."""
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at or timezone.now()))


@pghistory.track()
class Association(models.Model):
    """A vehicle linked to somebody for the appeal of one of its tickets. It makes nobody liable, and is no ownership.

    `ends_at`: the last moment to appeal while nothing was sent; then nothing, until the appeal ends or, when the office
    keeps it, until the office ends it.
    """

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="associations", verbose_name=_("person")
    )
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="associations", verbose_name=_("ticket"))
    plate = models.CharField(_("plate"), max_length=16, blank=True)
    plate_key = models.CharField(max_length=10, blank=True, editable=False)
    region = models.CharField(_("state/province"), max_length=5, blank=True)
    began_at = models.DateTimeField(_("linked"), default=timezone.now)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    is_kept = models.BooleanField(_("kept by the office"), default=False)

    objects = AssociationQuerySet.as_manager()

    class Meta:
        verbose_name = _("linked vehicle")
        verbose_name_plural = _("linked vehicles")
        ordering = ["-began_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["person", "ticket"], name="violations_association_once"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("began_at")),
                name="violations_association_ends_after_start",
            ),
        ]
        indexes = [models.Index(fields=["person", "ends_at"], name="violations_association_person")]

    def __str__(self) -> str:
        return f"{self.plate or self.ticket}: {self.person}"


class TextBlock(models.Model):
    """Words that the office uses again and again in its answers, in each language."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    text = TranslatedField(_("text"), long=True)
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(pgettext_lazy("place in a list", "order"), default=0)

    class Meta:
        verbose_name = _("text block")
        verbose_name_plural = _("text blocks")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name
