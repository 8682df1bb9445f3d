"""What the demo bank knows: its own books, which the portal reads only through the gateway."""

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone

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
    NEEDS_CUSTOMER = "needs_customer", "The cardholder must be asked first"


S = SessionStatus
SESSION_MOVES = {
    S.OPEN: frozenset({S.ASKING, S.PROCESSING, S.APPROVED, S.DECLINED, S.CANCELLED}),
    S.ASKING: frozenset({S.APPROVED, S.DECLINED, S.CANCELLED}),
    S.PROCESSING: frozenset({S.APPROVED}),
    S.APPROVED: frozenset(),
    S.DECLINED: frozenset(),
    S.CANCELLED: frozenset(),
    S.NEEDS_CUSTOMER: frozenset(),
}


class BankCard(models.Model):
    """A stored card. The last four digits are those of a test card, and say how the bank treats it."""

    token = models.CharField(max_length=40, unique=True, default=make_token)
    customer_reference = models.CharField(max_length=40)
    brand = models.CharField(max_length=20)
    ending = models.CharField(max_length=4)
    # The first day on which it is no longer valid.
    expires_on = models.DateField()
    stored_at = models.DateTimeField(auto_now_add=True)
    forgotten_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "demo"

    def __str__(self) -> str:
        return f"{self.brand} ···· {self.ending}"


class CardPageStatus(models.TextChoices):
    OPEN = "open", "Open"
    STORED = "stored", "Stored"
    DECLINED = "declined", "Declined"
    CANCELLED = "cancelled", "Cancelled"


C = CardPageStatus
CARD_PAGE_MOVES = {
    C.OPEN: frozenset({C.STORED, C.DECLINED, C.CANCELLED}),
    C.STORED: frozenset(),
    C.DECLINED: frozenset(),
    C.CANCELLED: frozenset(),
}


class BankCardPage(models.Model):
    """One hosted page on which a card is stored; nothing is charged."""

    token = models.CharField(max_length=40, unique=True, default=make_token)
    reference = models.CharField(max_length=30, unique=True)
    customer_reference = models.CharField(max_length=40, default=make_token)
    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10)
    return_url = models.URLField(max_length=300)
    status = models.CharField(max_length=12, choices=CardPageStatus.choices, default=C.OPEN)
    card = models.OneToOneField(BankCard, models.PROTECT, null=True, related_name="page")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        app_label = "demo"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=CardPageStatus.values), name="demo_bankcardpage_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="stored", card__isnull=False) | (~Q(status="stored") & Q(card__isnull=True)),
                name="demo_bankcardpage_stored_has_card",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class BankSession(models.Model):
    """One hosted page, or one charge of a stored card (`card`), for which there is no page.

    `answers_from`: until then the bank's own interface times out, as real ones do at times.
    """

    token = models.CharField(max_length=40, unique=True, default=make_token)
    reference = models.CharField(max_length=30, unique=True)
    amount = MoneyField()
    currency = models.CharField(max_length=3)
    label = models.CharField(max_length=200)
    language = models.CharField(max_length=10)
    return_url = models.URLField(max_length=300)
    status = models.CharField(max_length=14, choices=SessionStatus.choices, default=S.OPEN)
    card = models.ForeignKey(BankCard, models.PROTECT, null=True, related_name="charges")
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
    """Money that the bank gives back; one row per key, however often it is asked.

    It is pending until `settles_at`; then it has arrived, or has failed.
    """

    session = models.ForeignKey(BankSession, models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=60, unique=True)
    amount = MoneyField()
    created_at = models.DateTimeField(auto_now_add=True)
    settles_at = models.DateTimeField(null=True)
    fails = models.BooleanField(default=False)

    class Meta:
        app_label = "demo"

    def __str__(self) -> str:
        return self.key

    @property
    def is_pending(self) -> bool:
        return self.settles_at is not None and timezone.now() < self.settles_at

    @property
    def has_failed(self) -> bool:
        return self.fails and not self.is_pending


class BankReport(models.Model):
    """A report that the bank owes the portal; the same event id may be sent twice.

    `about` and `reference` are what it speaks of: a payment, a card that is to be stored, or a refund, by its key.
    """

    session = models.ForeignKey(BankSession, models.PROTECT, null=True, related_name="reports")
    about = models.CharField(max_length=10, default="payment")
    reference = models.CharField(max_length=60)
    event_id = models.CharField(max_length=40)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        app_label = "demo"

    def __str__(self) -> str:
        return self.event_id
