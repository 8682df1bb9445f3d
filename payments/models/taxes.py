"""Taxes, who is exempt from them, and the accounts in the books."""

from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.fields import TranslatedField


class AccountCode(models.Model):
    """An account in the office's bookkeeping. Products, taxes and ways to pay name theirs; orders keep a copy."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = TranslatedField(_("name"))

    class Meta:
        verbose_name = _("account code")
        verbose_name_plural = _("account codes")
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class TaxRate(models.Model):
    """A tax that the office charges, with the number that stands on receipts."""

    name = TranslatedField(_("name"))
    percent = models.DecimalField(_("percent"), max_digits=6, decimal_places=3)
    number = models.CharField(_("registration number"), max_length=40, blank=True)
    account_code = models.ForeignKey(
        AccountCode, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("account code")
    )

    class Meta:
        verbose_name = _("tax")
        verbose_name_plural = _("taxes")
        constraints = [models.CheckConstraint(condition=Q(percent__gte=0), name="payments_taxrate_not_negative")]

    def __str__(self) -> str:
        return f"{self.name} {self.percent.normalize():f} %"


class TaxExemptionQuerySet(models.QuerySet["TaxExemption"]):
    """Exemptions, narrowed to those that count."""

    def valid_on(self, day: Any) -> "TaxExemptionQuerySet":
        return self.filter(starts_on__lte=day, ends_on__gt=day)


@pghistory.track()
class TaxExemption(models.Model):
    """Somebody who need not pay some taxes (none named: any), by a number that stands on the receipt. Half-open dates."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="tax_exemptions", verbose_name=_("person")
    )
    number = models.CharField(_("exemption number"), max_length=40)
    taxes = models.ManyToManyField(
        TaxRate, blank=True, related_name="+", verbose_name=_("from these taxes (none: all)")
    )
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("day after the last"))
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("entered by"),
    )

    objects = TaxExemptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("tax exemption")
        verbose_name_plural = _("tax exemptions")
        ordering = ["-ends_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")), name="payments_taxexemption_ends_after_start"
            ),
            models.CheckConstraint(condition=~Q(number=""), name="payments_taxexemption_has_number"),
        ]

    def __str__(self) -> str:
        return f"{self.number} ({self.person})"
