"""When a type is sold in a lot, and for which dates."""

import pghistory
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from permits.models.types import PermitType


@pghistory.track()
class Sale(models.Model):
    """A sales window: one permit type in one lot, its numbers, when it sells and for which dates.

    Times are half-open. `valid_from` and `valid_until` bound the permits: both are needed for fixed terms.
    """

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    permit_type = models.ForeignKey(PermitType, models.PROTECT, related_name="sales", verbose_name=_("permit type"))
    lot = models.ForeignKey("provider.Lot", models.PROTECT, related_name="sales", verbose_name=_("lot"))
    term = models.ForeignKey(
        "provider.Term", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("term")
    )
    opens_at = models.DateTimeField(_("sells from"))
    closes_at = models.DateTimeField(_("sells until"), null=True, blank=True)
    valid_from = models.DateField(_("permits valid from"), null=True, blank=True)
    valid_until = models.DateField(_("permits valid until (not included)"), null=True, blank=True)
    queue_per_minute = models.PositiveIntegerField(
        _("people let in a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("On the day on which it opens, people wait in line and see where they stand. Empty: no line."),
    )
    is_active = models.BooleanField(_("switched on"), default=True)

    class Meta:
        verbose_name = _("sale")
        verbose_name_plural = _("sales")
        ordering = ["lot", "permit_type", "opens_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_at__isnull=True) | Q(closes_at__gt=F("opens_at")),
                name="permits_sale_closes_after_opening",
            ),
            models.CheckConstraint(
                condition=Q(queue_per_minute__isnull=True) | Q(queue_per_minute__gte=1),
                name="permits_sale_queue_positive",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_from__isnull=False, valid_until__gt=F("valid_from")),
                name="permits_sale_valid_until_after_from",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lot} · {self.permit_type}"
