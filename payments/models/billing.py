"""Who else pays: companies by the month, wages and transfers by the period."""

import datetime as dt
from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Company
from opscom.core.codes import make_code
from opscom.core.money import MoneyField
from opscom.provider.selectors import local_date
from payments.models.methods import StoredMethod
from payments.models.payments import Payment


class BillingKind(models.TextChoices):
    CARD = "card", _("The company's stored card")
    INVOICE = "invoice", _("Invoice each month")
    JOURNAL = "journal", _("Journal entry to its code")


@pghistory.track()
class BillingAccount(models.Model):
    """How a company or department pays for its people, when its manager chooses so in a person's cart."""

    company = models.OneToOneField(
        "accounts.Company", models.PROTECT, related_name="billing_account", verbose_name=_("company")
    )
    kind = models.CharField(_("pays by"), max_length=10, choices=BillingKind.choices)
    stored_method = models.ForeignKey(
        StoredMethod, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("stored card")
    )
    journal_code = models.CharField(_("journal code"), max_length=40, blank=True)
    days_to_pay = models.PositiveSmallIntegerField(_("days to pay an invoice"), default=30)
    is_active = models.BooleanField(_("managers may choose it"), default=True)

    class Meta:
        verbose_name = _("billing account")
        verbose_name_plural = _("billing accounts")
        ordering = ["company__name"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=BillingKind.values), name="payments_billingaccount_kind_known"),
            models.CheckConstraint(
                condition=~Q(kind="journal") | ~Q(journal_code=""), name="payments_billingaccount_journal_has_code"
            ),
            models.CheckConstraint(
                condition=Q(kind="card") | Q(stored_method__isnull=True),
                name="payments_billingaccount_card_only_for_card",
            ),
        ]

    def __str__(self) -> str:
        return str(self.company)


class StatementStatus(models.TextChoices):
    ISSUED = "issued", _("Issued")
    PAID = "paid", _("Paid")


STATEMENT_MOVES = {
    StatementStatus.ISSUED: frozenset({StatementStatus.PAID}),
    StatementStatus.PAID: frozenset(),
}


class StatementQuerySet(models.QuerySet["Statement"]):
    """Statements that a person may see are those of the companies that they manage."""

    def visible_to(self, user: Any) -> "StatementQuerySet":
        return self.filter(company__in=Company.objects.managed_by(user)) if user.is_authenticated else self.none()


@pghistory.track()
class Statement(models.Model):
    """What a company's account was charged in one month, by person: its payments less what went back. Half-open dates.

    Fixed when it is issued: its payments and refunds point at it, and a later one stands on the next. What the company's
    card paid stands on a statement of its own, which asks for nothing more.
    """

    code = models.CharField(_("number"), max_length=12, unique=True, default=make_code, editable=False)
    company = models.ForeignKey(
        "accounts.Company", models.PROTECT, related_name="statements", verbose_name=_("company")
    )
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until (not included)"))
    kind = models.CharField(_("paid by"), max_length=10, choices=BillingKind.choices)
    journal_code = models.CharField(_("journal code"), max_length=40, blank=True)
    total = MoneyField(_("total"))
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(
        _("status"), max_length=10, choices=StatementStatus.choices, default=StatementStatus.ISSUED
    )
    issued_at = models.DateTimeField(_("issued"), auto_now_add=True)
    due_on = models.DateField(_("due"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    paid_reference = models.CharField(_("reference of the payment"), max_length=60, blank=True)
    paid_recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("recorded by")
    )

    objects = StatementQuerySet.as_manager()

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        ordering = ["-starts_on", "company__name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=StatementStatus.values), name="payments_statement_status_known"
            ),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="payments_statement_ends_after_start"),
            models.CheckConstraint(
                condition=Q(status="paid", paid_at__isnull=False) | (~Q(status="paid") & Q(paid_at__isnull=True)),
                name="payments_statement_paid_has_time",
            ),
            models.UniqueConstraint(fields=["company", "starts_on", "kind"], name="payments_statement_once_per_month"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_overdue(self) -> bool:
        return self.status == StatementStatus.ISSUED and self.due_on is not None and self.due_on < local_date()

    @property
    def is_credit(self) -> bool:
        """More went back than was charged: nothing is to be paid."""
        return self.total < 0


class CollectionKind(models.TextChoices):
    PAYROLL = "payroll", _("Payroll deduction")
    EFT = "eft", _("Electronic funds transfer")


class CollectionStatus(models.TextChoices):
    OPEN = "open", _("Collecting")
    SENT = "sent", _("File handed over")
    CLOSED = "closed", _("Results read")


COLLECTION_MOVES = {
    CollectionStatus.OPEN: frozenset({CollectionStatus.SENT}),
    CollectionStatus.SENT: frozenset({CollectionStatus.CLOSED}),
    CollectionStatus.CLOSED: frozenset(),
}


@pghistory.track()
class CollectionPeriod(models.Model):
    """One pay period, or one run of transfers: a file goes out, a file of results comes back. Half-open dates."""

    kind = models.CharField(_("kind"), max_length=10, choices=CollectionKind.choices)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("day after the last"))
    status = models.CharField(
        _("status"), max_length=10, choices=CollectionStatus.choices, default=CollectionStatus.OPEN
    )
    sent_at = models.DateTimeField(_("file made"), null=True, blank=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("file made by"),
    )
    closed_at = models.DateTimeField(_("results read at"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("read by")
    )

    class Meta:
        verbose_name = _("collection period")
        verbose_name_plural = _("payroll and transfer periods")
        ordering = ["-starts_on", "kind"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=CollectionStatus.values), name="payments_collectionperiod_status_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=CollectionKind.values), name="payments_collectionperiod_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")), name="payments_collectionperiod_ends_after_start"
            ),
            models.UniqueConstraint(fields=["kind", "starts_on"], name="payments_collectionperiod_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.starts_on}"

    @property
    def last_day(self) -> dt.date:
        return self.ends_on - dt.timedelta(days=1)


class DeductionStatus(models.TextChoices):
    WAITING = "waiting", _("For the next file")
    SENT = "sent", _("In a file")
    TAKEN = "taken", _("Taken")
    REFUSED = "refused", _("Refused")
    CANCELLED = "cancelled", _("Cancelled")


DEDUCTION_MOVES = {
    DeductionStatus.WAITING: frozenset({DeductionStatus.SENT, DeductionStatus.CANCELLED}),
    DeductionStatus.SENT: frozenset({DeductionStatus.TAKEN, DeductionStatus.REFUSED}),
    DeductionStatus.TAKEN: frozenset({DeductionStatus.REFUSED}),
    DeductionStatus.REFUSED: frozenset(),
    DeductionStatus.CANCELLED: frozenset(),
}


@pghistory.track()
class Deduction(models.Model):
    """One payment to be taken from wages or by transfer. Its order counts as paid; a refusal opens the debt again."""

    payment = models.OneToOneField(Payment, models.PROTECT, related_name="deduction", verbose_name=_("payment"))
    stored_method = models.ForeignKey(
        StoredMethod, models.PROTECT, related_name="deductions", verbose_name=_("stored method")
    )
    period = models.ForeignKey(
        CollectionPeriod,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="deductions",
        verbose_name=_("collection period"),
    )
    amount = MoneyField(_("amount"))
    status = models.CharField(
        _("status"), max_length=10, choices=DeductionStatus.choices, default=DeductionStatus.WAITING
    )
    result = models.CharField(_("what the file said"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("asked"), auto_now_add=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("deduction")
        verbose_name_plural = _("deductions")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=DeductionStatus.values), name="payments_deduction_status_known"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payments_deduction_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "cancelled"], period__isnull=True)
                | (~Q(status__in=["waiting", "cancelled"]) & Q(period__isnull=False)),
                name="payments_deduction_sent_has_period",
            ),
        ]
        indexes = [
            models.Index(fields=["stored_method"], condition=Q(status="waiting"), name="payments_deduction_waiting")
        ]

    def __str__(self) -> str:
        return f"{self.payment} {self.amount}"


class BooksProof(models.Model):
    """What a nightly look through the books found; nothing found is a proof, too."""

    proved_at = models.DateTimeField(_("looked at"), auto_now_add=True)
    findings = models.JSONField(_("what differs"), default=list, blank=True)

    class Meta:
        verbose_name = _("proof of the books")
        verbose_name_plural = _("proofs of the books")
        ordering = ["-proved_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.proved_at:%Y-%m-%d}"

    @property
    def is_clean(self) -> bool:
        return not self.findings
