"""Orders, what was tried to pay them, what came back, and what the gateways told us."""

from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.fields import TranslatedField
from opscom.core.money import ZERO, MoneyField


class TaxRate(models.Model):
    """A tax that the office charges, with the number that stands on receipts."""

    name = TranslatedField(_("name"))
    percent = models.DecimalField(_("percent"), max_digits=6, decimal_places=3)
    number = models.CharField(_("registration number"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("tax")
        verbose_name_plural = _("taxes")
        constraints = [models.CheckConstraint(condition=Q(percent__gte=0), name="payments_taxrate_not_negative")]

    def __str__(self) -> str:
        return f"{self.name} {self.percent.normalize():f} %"


class OrderStatus(models.TextChoices):
    OPEN = "open", _("Open")
    PAID = "paid", _("Paid")
    CLOSED = "closed", _("Replaced or abandoned")


O = OrderStatus  # noqa: E741
# Money may still come in for an order that was replaced while its payer was at the bank.
ORDER_MOVES = {O.OPEN: frozenset({O.PAID, O.CLOSED}), O.CLOSED: frozenset({O.PAID}), O.PAID: frozenset()}


class OrderQuerySet(models.QuerySet["Order"]):
    """Orders that a person may see are those they pay."""

    def visible_to(self, user: Any) -> "OrderQuerySet":
        return self.filter(payer=user) if user.is_authenticated else self.none()


@pghistory.track()
class Order(models.Model):
    """What somebody set out to pay together. Its code is the confirmation code on the receipt."""

    code = models.CharField(_("confirmation code"), max_length=12, unique=True, default=make_code, editable=False)
    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="orders", verbose_name=_("payer")
    )
    payer_name = models.CharField(_("payer's name"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail for the receipt"), blank=True)
    language = models.CharField(_("language"), max_length=10)
    currency = models.CharField(_("currency"), max_length=3)
    net = MoneyField(_("net"))
    tax = MoneyField(_("tax"))
    total = MoneyField(_("total"))
    status = models.CharField(_("status"), max_length=10, choices=OrderStatus.choices, default=O.OPEN)
    created_at = models.DateTimeField(_("placed"), auto_now_add=True)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    finished_at = models.DateTimeField(_("delivered and receipted"), null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="payments_order_status_known"),
            models.CheckConstraint(condition=Q(net__gte=0, tax__gte=0), name="payments_order_not_negative"),
            models.CheckConstraint(condition=Q(total=F("net") + F("tax")), name="payments_order_total_adds_up"),
            models.CheckConstraint(
                condition=Q(status="paid", paid_at__isnull=False) | (~Q(status="paid") & Q(paid_at__isnull=True)),
                name="payments_order_paid_has_time",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(status="paid"), name="payments_order_finished_is_paid"
            ),
            models.UniqueConstraint(
                fields=["payer"], condition=Q(status="open"), name="payments_order_one_open_per_payer"
            ),
        ]
        indexes = [
            models.Index(fields=["payer", "-created_at"], name="payments_order_payer"),
            models.Index(
                fields=["paid_at"],
                condition=Q(status="paid", finished_at__isnull=True),
                name="payments_order_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def has_refund(self) -> bool:
        return any(line.status in (LineStatus.REFUND_DUE, LineStatus.REFUNDED) for line in self.lines.all())

    @property
    def paying_payment(self) -> "Payment | None":
        """The payment that paid the order; None for a free one. A second one is known by its whole refund, not by a clock."""
        approved = self.payments.filter(status=PaymentStatus.APPROVED, needs_review="")
        return approved.exclude(refunds__reason=RefundReason.PAID_TWICE).order_by("pk").first()


class LineStatus(models.TextChoices):
    OPEN = "open", _("To be paid")
    SETTLED = "settled", _("Paid, not yet delivered")
    FULFILLED = "fulfilled", _("Paid and delivered")
    NEEDS_REVIEW = "needs_review", _("Paid, delivery needs the office")
    REFUND_DUE = "refund_due", _("To be refunded")
    REFUNDED = "refunded", _("Refunded")


L = LineStatus
LINE_MOVES = {
    L.OPEN: frozenset({L.SETTLED, L.REFUND_DUE}),
    L.SETTLED: frozenset({L.FULFILLED, L.NEEDS_REVIEW, L.REFUND_DUE}),
    L.NEEDS_REVIEW: frozenset({L.FULFILLED, L.REFUND_DUE}),
    L.FULFILLED: frozenset({L.REFUND_DUE}),
    L.REFUND_DUE: frozenset({L.REFUNDED}),
    L.REFUNDED: frozenset(),
}
SETTLED_STATUSES = [L.SETTLED, L.FULFILLED, L.NEEDS_REVIEW]


@pghistory.track()
class OrderLine(models.Model):
    """One thing owed once. Label and amounts are copies: a receipt never changes later.

    `settled` says that this line holds the thing: (kind, object_id) can be settled once in the whole database, while
    open orders may compete for it.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="lines", verbose_name=_("order"))
    kind = models.CharField(_("kind"), max_length=20)
    object_id = models.BigIntegerField()
    label = models.CharField(_("what"), max_length=200)
    detail = models.CharField(_("details"), max_length=300, blank=True)
    # The page of the thing on our own site, as it was when the order was placed.
    url = models.CharField(max_length=200, blank=True, editable=False)
    net = MoneyField(_("net"))
    tax = MoneyField(_("tax"))
    amount = MoneyField(_("amount"))
    taxes = models.JSONField(_("taxes"), default=list, blank=True)
    settled = models.BooleanField(default=False)
    status = models.CharField(_("status"), max_length=20, choices=LineStatus.choices, default=L.OPEN)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["kind", "object_id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=LineStatus.values), name="payments_orderline_status_known"),
            models.CheckConstraint(condition=Q(net__gte=0, tax__gte=0), name="payments_orderline_not_negative"),
            models.CheckConstraint(condition=Q(amount=F("net") + F("tax")), name="payments_orderline_amount_adds_up"),
            models.CheckConstraint(
                condition=Q(settled=True, status__in=SETTLED_STATUSES)
                | (Q(settled=False) & ~Q(status__in=SETTLED_STATUSES)),
                name="payments_orderline_settled_matches_status",
            ),
            models.UniqueConstraint(
                fields=["kind", "object_id"], condition=Q(settled=True), name="payments_orderline_settled_once"
            ),
            models.UniqueConstraint(fields=["order", "kind", "object_id"], name="payments_orderline_once_per_order"),
        ]
        indexes = [models.Index(fields=["kind", "object_id"], name="payments_orderline_object")]

    def __str__(self) -> str:
        return self.label


class PaymentStatus(models.TextChoices):
    CREATED = "created", _("Written, gateway not yet asked")
    STARTED = "started", _("Payer at the gateway")
    APPROVED = "approved", _("Approved")
    DECLINED = "declined", _("Declined")
    EXPIRED = "expired", _("Not paid in time")
    FAILED = "failed", _("Could not be started")


class ReviewReason(models.TextChoices):
    AMOUNT = "amount", _("The amount or currency received is not the one that was due")


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
    gateway = models.CharField(_("gateway"), max_length=30)
    gateway_reference = models.CharField(_("gateway's reference"), max_length=120, blank=True)
    amount = MoneyField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(_("status"), max_length=10, choices=PaymentStatus.choices, default=P.CREATED)
    card_label = models.CharField(_("card"), max_length=60, blank=True)
    message = models.CharField(_("gateway's words"), max_length=200, blank=True)
    received_amount = MoneyField(_("received"), null=True, blank=True)
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


class RefundStatus(models.TextChoices):
    DUE = "due", _("To be sent")
    SENDING = "sending", _("Being sent")
    SUCCEEDED = "succeeded", _("Refunded")
    FAILED = "failed", _("Failed: the office must act")


R = RefundStatus
REFUND_MOVES = {
    # Straight to succeeded: a worker that had been given up comes back with the gateway's yes.
    R.DUE: frozenset({R.SENDING, R.SUCCEEDED}),
    R.SENDING: frozenset({R.DUE, R.SUCCEEDED, R.FAILED}),
    R.FAILED: frozenset({R.DUE, R.SUCCEEDED}),
    R.SUCCEEDED: frozenset(),
}


class RefundReason(models.TextChoices):
    PAID_ELSEWHERE = "paid_elsewhere", _("It was already paid for")
    PAID_TWICE = "paid_twice", _("The order was paid twice")
    NOT_AVAILABLE = "not_available", _("It was no longer available")
    OFFICE = "office", _("By the office")
    WRONG_AMOUNT = "wrong_amount", _("The amount did not match")


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
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("asked by")
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
            models.UniqueConstraint(
                fields=["line"], condition=~Q(status="failed"), name="payments_refund_one_per_line"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"], condition=Q(status__in=["due", "sending"]), name="payments_refund_to_send"
            )
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.amount or ZERO}"


class GatewayEvent(models.Model):
    """What a gateway told us by itself, once per event id, kept before anything is done about it."""

    gateway = models.CharField(_("gateway"), max_length=30)
    event_id = models.CharField(_("event"), max_length=120)
    reference = models.CharField(_("our reference"), max_length=30, blank=True)
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


class ReceiptDocument(models.Model):
    """A receipt's PDF. `content_hash` tells when what it shows has changed, by a refund for one."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="documents")
    content_hash = models.CharField(max_length=64)
    file = models.FileField(upload_to="receipts/")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("receipt document")
        verbose_name_plural = _("receipt documents")
        constraints = [
            models.UniqueConstraint(fields=["order", "content_hash"], name="payments_receiptdocument_once_per_content")
        ]

    def __str__(self) -> str:
        return self.content_hash[:12]
