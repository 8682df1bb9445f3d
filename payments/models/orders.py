"""Orders and their lines."""

from decimal import Decimal
from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.money import ZERO, MoneyField


class OrderStatus(models.TextChoices):
    OPEN = "open", _("Open")
    # The payer has promised to bring the money: see `Promise`.
    PROMISED = "promised", _("Paid but not Processed")
    PAID = "paid", _("Paid")
    CLOSED = "closed", _("Replaced or abandoned")


O = OrderStatus  # noqa: E741
# Money may still come in for an order that was replaced while its payer was at the bank.
ORDER_MOVES = {
    O.OPEN: frozenset({O.PROMISED, O.PAID, O.CLOSED}),
    O.PROMISED: frozenset({O.PAID, O.CLOSED}),
    O.CLOSED: frozenset({O.PAID}),
    O.PAID: frozenset(),
}


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
    # The sum of the office's adjustments made before it was paid. Lines and total stay as they were placed.
    adjusted = MoneyField(_("adjusted by"), default=ZERO)
    exemption_number = models.CharField(_("tax exemption number"), max_length=40, blank=True)
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
            models.CheckConstraint(condition=Q(adjusted__gte=-F("total")), name="payments_order_due_not_negative"),
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
    def due(self) -> Decimal:
        """What is to be paid: the total with the office's adjustments."""
        return self.total + self.adjusted

    @property
    def paying_payment(self) -> "Any | None":
        """The payment that paid the order; None for a free one. A second one is known by its whole refund, not by a clock."""
        approved = self.payments.filter(status="approved", needs_review="")
        return approved.exclude(refunds__reason="paid_twice").order_by("pk").first()


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
    account_code = models.CharField(_("account code"), max_length=20, blank=True)
    # The office's adjustments before it was paid; what has gone back, or is on its way back, of the rest.
    adjusted = MoneyField(_("adjusted by"), default=ZERO)
    returned = MoneyField(_("given back"), default=ZERO)
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
            models.CheckConstraint(condition=Q(adjusted__gte=-F("amount")), name="payments_orderline_due_not_negative"),
            models.CheckConstraint(
                condition=Q(returned__gte=0, returned__lte=F("amount") + F("adjusted")),
                name="payments_orderline_returns_at_most_its_due",
            ),
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

    @property
    def due(self) -> Decimal:
        """What is to be paid for it, with the office's adjustments."""
        return self.amount + self.adjusted

    @property
    def kept(self) -> Decimal:
        """What has been paid for it and does not go back, once it is paid."""
        return self.due - self.returned
