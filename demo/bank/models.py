"""What the demo bank knows: its own books, which the portal reads only through the gateway."""

import secrets

from django.db import models
from django.db.models import Q

from opscom.core.money import MoneyField


def make_token() -> str:
    """Return the unguessable part of a page's address."""
    return secrets.token_urlsafe(18)


class SessionStatus(models.TextChoices):
    OPEN = "open", "Open"
    ASKING = "asking", "Waiting for the payer's confirmation"
    PROCESSING = "processing", "Processing"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined"
    CANCELLED = "cancelled", "Cancelled"


S = SessionStatus
SESSION_MOVES = {
    S.OPEN: frozenset({S.ASKING, S.PROCESSING, S.APPROVED, S.DECLINED, S.CANCELLED}),
    S.ASKING: frozenset({S.APPROVED, S.DECLINED, S.CANCELLED}),
    S.PROCESSING: frozenset({S.APPROVED}),
    S.APPROVED: frozenset(),
    S.DECLINED: frozenset(),
    S.CANCELLED: frozenset(),
}


class BankSession(models.Model):
    """One hosted page. `answers_from`: until then the bank's own interface times out, as real ones do at times."""

    token = models.CharField(max_length=40, unique=True, default=make_token)
    reference = models.CharField(max_length=30, unique=True)
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    label = models.CharField(max_length=200)
    language = models.CharField(max_length=10)
    return_url = models.URLField(max_length=300)
    status = models.CharField(max_length=12, choices=SessionStatus.choices, default=S.OPEN)
    card_ending = models.CharField(max_length=4, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    approves_at = models.DateTimeField(null=True)
    answers_from = models.DateTimeField(null=True)

    class Meta:
        app_label = "demo"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=SessionStatus.values), name="demo_banksession_status_known")
        ]

    def __str__(self) -> str:
        return self.reference


class BankRefund(models.Model):
    """Money that the bank gave back; one row per key, however often it is asked."""

    session = models.ForeignKey(BankSession, models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=60, unique=True)
    amount = MoneyField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "demo"

    def __str__(self) -> str:
        return self.key


class BankReport(models.Model):
    """A report that the bank owes the portal; the same event id may be sent twice."""

    session = models.ForeignKey(BankSession, models.PROTECT, related_name="reports")
    event_id = models.CharField(max_length=40)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        app_label = "demo"

    def __str__(self) -> str:
        return self.event_id
