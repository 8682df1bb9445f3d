"""Attempts to pay."""

from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.money import ZERO, MoneyField
from payments.models.orders import Order


class PaymentStatus(models.TextChoices):
    CREATED = "created", _("Written, gateway not yet asked")
    STARTED = "started", _("Payer at the gateway")
    APPROVED = "approved", _("Approved")
    DECLINED = "declined", _("Declined")
    EXPIRED = "expired", _("Not paid in time")
    FAILED = "failed", _("Could not be started")


class ReviewReason(models.TextChoices):
    AMOUNT = "amount", _("The amount or currency received is not the one that was due")


# Money that no gateway moves: over the counter, on a company's account, from wages, by a transfer that the office runs,
# by a collection agency.
COUNTER, ACCOUNT, PAYROLL, EFT, COLLECTIONS = "counter", "account", "payroll", "eft", "collections"
BY_HAND = frozenset({COUNTER, ACCOUNT, PAYROLL, EFT, COLLECTIONS})
# What goes back of these somebody of the office hands over; on an account it is a credit of the next statement.
HANDED_BACK = BY_HAND - {ACCOUNT}
P = PaymentStatus
# A gateway may report money for an attempt that we had given up: money that is in is in.
PAYMENT_MOVES = {
    P.CREATED: frozenset({P.STARTED, P.APPROVED, P.DECLINED, P.EXPIRED, P.FAILED}),
    P.STARTED: frozenset({P.APPROVED, P.DECLINED, P.EXPIRED}),
    P.DECLINED: frozenset({P.APPROVED}),
    P.EXPIRED: frozenset({P.APPROVED}),
    # Failed to started: the gateway's page opened after all, minutes after we had stopped waiting for it.
    P.FAILED: frozenset({P.STARTED, P.APPROVED}),
    P.APPROVED: frozenset(),
}


def make_payment_reference() -> str:
    """Return a fresh reference for one attempt: letters and digits, under the 30 characters that every gateway takes."""
    return make_code(20)


class PaymentQuerySet(models.QuerySet["Payment"]):
    """Payments that a person may see are those of their own orders."""

    def visible_to(self, user: Any) -> "PaymentQuerySet":
        return self.filter(order__payer=user) if user.is_authenticated else self.none()


@pghistory.track()
class Payment(models.Model):
    """One attempt to pay one order at one gateway. The row stands before the gateway is called."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="payments", verbose_name=_("order"))
    reference = models.CharField(_("our reference"), max_length=30, unique=True, default=make_payment_reference)
    # Who brings the money in: a gateway's code, or one of BY_HAND.
    gateway = models.CharField(_("gateway"), max_length=30)
    method = models.ForeignKey(
        "payments.PaymentMethod", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("method")
    )
    stored_method = models.ForeignKey(
        "payments.StoredMethod",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payments",
        verbose_name=_("stored method"),
    )
    statement = models.ForeignKey(
        "payments.Statement",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payments",
        editable=False,
        verbose_name=_("statement"),
    )
    # The company that pays, by its card, on its invoice or into its journal; its manager chose so.
    billing_account = models.ForeignKey(
        "payments.BillingAccount",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payments",
        editable=False,
        verbose_name=_("billing account"),
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("recorded by")
    )
    gateway_reference = models.CharField(_("gateway's reference"), max_length=120, blank=True)
    amount = MoneyField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(_("status"), max_length=10, choices=PaymentStatus.choices, default=P.CREATED)
    card_label = models.CharField(_("card"), max_length=60, blank=True)
    message = models.CharField(_("gateway's words"), max_length=200, blank=True)
    # A stored card was declined because its bank wants to ask its holder, who can pay on the gateway's page.
    needs_customer = models.BooleanField(_("the card's bank asks its holder"), default=False)
    received_amount = MoneyField(_("received"), null=True, blank=True)
    # What has gone back of it, or is on its way back.
    returned = MoneyField(_("given back"), default=ZERO)
    received_currency = models.CharField(_("currency received"), max_length=3, blank=True)
    needs_review = models.CharField(
        _("why the office must look"), max_length=20, choices=ReviewReason.choices, blank=True
    )
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    expires_at = models.DateTimeField(_("gateway's page closes"), null=True, blank=True)
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    next_check_at = models.DateTimeField(_("ask the gateway again"), null=True, blank=True)
    checks = models.PositiveSmallIntegerField(default=0)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PaymentStatus.values), name="payments_payment_status_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payments_payment_positive"),
            models.CheckConstraint(
                condition=Q(status="approved", approved_at__isnull=False, received_amount__isnull=False)
                | (~Q(status="approved") & Q(approved_at__isnull=True, received_amount__isnull=True)),
                name="payments_payment_approved_has_money",
            ),
            models.CheckConstraint(
                condition=Q(returned=0) | Q(returned__gt=0, received_amount__gte=F("returned")),
                name="payments_payment_returns_at_most_what_came",
            ),
            models.CheckConstraint(
                condition=~Q(gateway="account") | Q(billing_account__isnull=False),
                name="payments_payment_account_names_company",
            ),
            models.CheckConstraint(
                condition=~Q(status="approved", needs_review="")
                | Q(received_amount=F("amount"), received_currency=F("currency")),
                name="payments_payment_other_sum_needs_review",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"], condition=Q(next_check_at__isnull=False), name="payments_payment_to_check"
            )
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_second(self) -> bool:
        """Its order had been paid before: all of it goes back. Costs nothing where the refunds are prefetched."""
        return any(refund.reason == "paid_twice" for refund in self.refunds.all())

    @property
    def is_handed_back(self) -> bool:
        """What goes back of it is given by somebody of the office, not by a gateway or a statement."""
        return self.gateway in HANDED_BACK

    @property
    def is_by_hand(self) -> bool:
        """No gateway brought it in, so none can take it back."""
        return self.gateway in BY_HAND
