"""Corrections of what was sold, each a row of its own: adjustments, debts that stand again, deposits."""

from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.money import ZERO, MoneyField
from payments.models.orders import Order, OrderLine
from payments.models.refunds import Refund


class OwnedQuerySet(models.QuerySet[Any]):
    """What a person owes or has deposited is their own to see."""

    def visible_to(self, user: Any) -> "OwnedQuerySet":
        return self.filter(person=user) if user.is_authenticated else self.none()


class DebtReason(models.TextChoices):
    ADJUSTED = "adjusted", _("The price was adjusted")
    BOUNCED = "bounced", _("The cheque bounced")
    DEDUCTION_REFUSED = "deduction_refused", _("The deduction was refused")
    DISPUTED = "disputed", _("The payment was taken back by your bank")
    REPLACED = "replaced", _("Fee for a replaced permit")


class DebtStatus(models.TextChoices):
    DUE = "due", _("Due")
    PAID = "paid", _("Paid")
    CANCELLED = "cancelled", _("Cancelled")


DEBT_MOVES = {
    DebtStatus.DUE: frozenset({DebtStatus.PAID, DebtStatus.CANCELLED}),
    DebtStatus.PAID: frozenset({DebtStatus.CANCELLED}),
    DebtStatus.CANCELLED: frozenset(),
}


@pghistory.track()
class Debt(models.Model):
    """Something owed for an order after it counted as paid. It stands in the payments list until it is paid."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="debts", verbose_name=_("person"))
    order = models.ForeignKey(Order, models.PROTECT, related_name="debts", verbose_name=_("order"))
    label = models.CharField(_("what"), max_length=200)
    net = MoneyField(_("net"))
    tax = MoneyField(_("tax"), default=ZERO)
    amount = MoneyField(_("amount"))
    taxes = models.JSONField(_("taxes"), default=list, blank=True)
    account_code = models.CharField(_("account code"), max_length=20, blank=True)
    reason = models.CharField(_("reason"), max_length=20, choices=DebtReason.choices)
    note = models.CharField(_("note"), max_length=300, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=DebtStatus.choices, default=DebtStatus.DUE)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("entered by")
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("debt")
        verbose_name_plural = _("debts")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=DebtStatus.values), name="payments_debt_status_known"),
            models.CheckConstraint(condition=Q(reason__in=DebtReason.values), name="payments_debt_reason_known"),
            models.CheckConstraint(condition=Q(net__gte=0, tax__gte=0, amount__gt=0), name="payments_debt_positive"),
            models.CheckConstraint(condition=Q(amount=F("net") + F("tax")), name="payments_debt_adds_up"),
            models.CheckConstraint(
                condition=Q(status="due", closed_at__isnull=True) | (~Q(status="due") & Q(closed_at__isnull=False)),
                name="payments_debt_closed_has_time",
            ),
        ]
        indexes = [models.Index(fields=["person"], condition=Q(status="due"), name="payments_debt_due")]

    def __str__(self) -> str:
        return self.label


@pghistory.track()
class Adjustment(models.Model):
    """The office makes a line dearer or cheaper and says why; what was bought is kept.

    Before the money is in, it changes what is due of the order. After, a minus is a refund in part, a plus a debt.
    """

    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="adjustments", verbose_name=_("order line"))
    net = MoneyField(_("net"))
    tax = MoneyField(_("tax"))
    amount = MoneyField(_("amount"))
    taxes = models.JSONField(_("taxes"), default=list, blank=True)
    reason = models.CharField(_("reason"), max_length=300)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("made by"))
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    refund = models.OneToOneField(Refund, models.PROTECT, null=True, blank=True, related_name="adjustment")
    debt = models.OneToOneField(Debt, models.PROTECT, null=True, blank=True, related_name="adjustment")

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="payments_adjustment_not_nothing"),
            models.CheckConstraint(condition=Q(amount=F("net") + F("tax")), name="payments_adjustment_adds_up"),
            models.CheckConstraint(condition=~Q(reason=""), name="payments_adjustment_has_reason"),
            models.CheckConstraint(
                condition=Q(refund__isnull=True) | Q(debt__isnull=True, amount__lt=0),
                name="payments_adjustment_refund_is_minus",
            ),
            models.CheckConstraint(
                condition=Q(debt__isnull=True) | Q(refund__isnull=True, amount__gt=0),
                name="payments_adjustment_debt_is_plus",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line} {self.amount:+}"


class DepositKind(models.TextChoices):
    TAG = "tag", _("Tag deposit")
    CARD = "card", _("Access card deposit")
    LOCKER = "locker", _("Locker deposit")
    BOOT = "boot", _("Boot deposit")


class DepositStatus(models.TextChoices):
    DUE = "due", _("To be paid")
    HELD = "held", _("Held")
    CLOSED = "closed", _("Closed")
    CANCELLED = "cancelled", _("Cancelled")


DEPOSIT_MOVES = {
    DepositStatus.DUE: frozenset({DepositStatus.HELD, DepositStatus.CANCELLED}),
    DepositStatus.HELD: frozenset({DepositStatus.CLOSED}),
    DepositStatus.CLOSED: frozenset(),
    DepositStatus.CANCELLED: frozenset(),
}


@pghistory.track()
class Deposit(models.Model):
    """Money held for a tag, a card, a locker or a boot: paid as a line of its own, then decided about once.

    `about_kind` and `about_id` name what it belongs to, as a purchasable does; a tag's deposit may belong to nothing.
    """

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="deposits",
        verbose_name=_("person"),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=DepositKind.choices)
    label = models.CharField(_("for"), max_length=200, blank=True)
    about_kind = models.CharField(max_length=20, blank=True, editable=False)
    about_id = models.BigIntegerField(null=True, blank=True, editable=False)
    amount = MoneyField(_("amount"))
    status = models.CharField(_("status"), max_length=10, choices=DepositStatus.choices, default=DepositStatus.DUE)
    line = models.OneToOneField(
        OrderLine, models.PROTECT, null=True, blank=True, related_name="deposit", verbose_name=_("paid by")
    )
    returned_amount = MoneyField(_("returned"), null=True, blank=True)
    kept_amount = MoneyField(_("kept"), null=True, blank=True)
    refund = models.OneToOneField(Refund, models.PROTECT, null=True, blank=True, related_name="deposit")
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("asked"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("asked by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("deposit")
        verbose_name_plural = _("deposits")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=DepositStatus.values), name="payments_deposit_status_known"),
            models.CheckConstraint(condition=Q(kind__in=DepositKind.values), name="payments_deposit_kind_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payments_deposit_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["held", "closed"], line__isnull=False)
                | (~Q(status__in=["held", "closed"]) & Q(line__isnull=True)),
                name="payments_deposit_held_was_paid",
            ),
            models.CheckConstraint(
                condition=Q(
                    status="closed",
                    returned_amount__gte=0,
                    kept_amount__gte=0,
                    amount=F("returned_amount") + F("kept_amount"),
                    decided_at__isnull=False,
                )
                | (~Q(status="closed") & Q(returned_amount__isnull=True, kept_amount__isnull=True)),
                name="payments_deposit_closed_adds_up",
            ),
            models.UniqueConstraint(
                fields=["about_kind", "about_id", "kind"],
                condition=Q(about_id__isnull=False) & ~Q(status="cancelled"),
                name="payments_deposit_once_per_thing",
            ),
        ]
        indexes = [models.Index(fields=["person"], condition=Q(status="due"), name="payments_deposit_due")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.label}".strip()
