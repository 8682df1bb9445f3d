"""Money that goes back."""

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.money import ZERO, MoneyField
from payments.models.orders import OrderLine
from payments.models.payments import Payment


class RefundStatus(models.TextChoices):
    PROPOSED = "proposed", _("Waits for a second person")
    WITHDRAWN = "withdrawn", _("Not approved")
    DUE = "due", _("To be sent")
    SENDING = "sending", _("Being sent")
    PENDING = "pending", _("Taken by the gateway, not done yet")
    SUCCEEDED = "succeeded", _("Refunded")
    FAILED = "failed", _("Failed: the office must act")


R = RefundStatus
# The money of these counts as given back: it has gone, or it will.
LIVE_REFUNDS = [R.PROPOSED, R.DUE, R.SENDING, R.PENDING, R.SUCCEEDED]
REFUND_MOVES = {
    # Straight to succeeded: a worker that had been given up comes back with the gateway's yes.
    R.DUE: frozenset({R.SENDING, R.SUCCEEDED}),
    R.SENDING: frozenset({R.DUE, R.PENDING, R.SUCCEEDED, R.FAILED}),
    R.PENDING: frozenset({R.SUCCEEDED, R.FAILED}),
    R.FAILED: frozenset({R.DUE, R.SUCCEEDED}),
    # A bank may send a refund back days after the gateway called it done.
    R.SUCCEEDED: frozenset({R.FAILED}),
    R.PROPOSED: frozenset({R.DUE, R.WITHDRAWN}),
    R.WITHDRAWN: frozenset(),
}


class RefundReason(models.TextChoices):
    PAID_ELSEWHERE = "paid_elsewhere", _("It was already paid for")
    PAID_TWICE = "paid_twice", _("The order was paid twice")
    NOT_AVAILABLE = "not_available", _("It was no longer available")
    OFFICE = "office", _("By the office")
    WRONG_AMOUNT = "wrong_amount", _("The amount did not match")
    ADJUSTED = "adjusted", _("The price was adjusted")
    DEPOSIT = "deposit", _("A deposit came back")
    BOUNCED = "bounced", _("The cheque bounced")
    DEDUCTION_REFUSED = "deduction_refused", _("The deduction was refused")
    DISPUTED = "disputed", _("The payer disputed the payment")
    ENDED_EARLY = "ended_early", _("It was ended early")


# Money that counted and never came, or that a bank took back: nobody sent it.
REVERSALS = [RefundReason.BOUNCED, RefundReason.DEDUCTION_REFUSED, RefundReason.DISPUTED]


# In place of a gateway's reference: the money of a deduction that no file has taken, or that a result refused.
NOT_TAKEN = "not-taken"


def make_refund_reference() -> str:
    """Return the refund's idempotency key at the gateway."""
    return make_code(20)


@pghistory.track()
class Refund(models.Model):
    """Money on its way back to where it came from; `line` is None when a whole second payment goes back."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds", verbose_name=_("payment"))
    line = models.ForeignKey(OrderLine, models.PROTECT, null=True, blank=True, related_name="refunds")
    reference = models.CharField(_("our reference"), max_length=30, unique=True, default=make_refund_reference)
    gateway_reference = models.CharField(_("gateway's reference"), max_length=120, blank=True)
    amount = MoneyField(_("amount"))
    reason = models.CharField(_("reason"), max_length=20, choices=RefundReason.choices)
    note = models.CharField(_("note"), max_length=300, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=RefundStatus.choices, default=R.DUE)
    # What was bought is taken back with it.
    frees = models.BooleanField(_("takes back what was bought"), default=False)
    statement = models.ForeignKey(
        "payments.Statement",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="refunds",
        editable=False,
        verbose_name=_("statement"),
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("approved by"),
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("asked by")
    )
    # The gateway said no for good, or took it back later: another try is another refund, with a key of its own.
    was_refused = models.BooleanField(default=False, editable=False)
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", verbose_name=_("tries again")
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("asked"), auto_now_add=True)
    succeeded_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=RefundStatus.values), name="payments_refund_status_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payments_refund_positive"),
            models.CheckConstraint(
                condition=~Q(status="succeeded") | Q(succeeded_at__isnull=False), name="payments_refund_done_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(status="sending") | Q(leased_until__isnull=False), name="payments_refund_sending_has_lease"
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | Q(requested_by__isnull=True)
                | ~Q(approved_by=F("requested_by")),
                name="payments_refund_second_person_is_another",
            ),
            models.CheckConstraint(
                condition=~Q(frees=True) | Q(line__isnull=False), name="payments_refund_frees_needs_line"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=Q(status__in=["due", "sending", "pending"]),
                name="payments_refund_to_send",
            )
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.amount or ZERO}"

    @property
    def is_not_taken(self) -> bool:
        """Nobody had taken the money yet, and now nobody will."""
        return self.gateway_reference == NOT_TAKEN

    @property
    def is_reversal(self) -> bool:
        """The payment's money has gone without being sent by us."""
        return self.reason in REVERSALS
