"""When the lockers of an area are let, for which term, at which price."""

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from lockers.models.places import Area
from opscom.core.codes import make_code
from opscom.core.money import MoneyField


@pghistory.track()
class LockerSale(models.Model):
    """A sales window for one term. Who rents one already may renew it from `renewal_opens_at` on, before everybody else."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    area = models.ForeignKey(Area, models.PROTECT, related_name="sales", verbose_name=_("area"))
    term = models.ForeignKey("provider.Term", models.PROTECT, related_name="+", verbose_name=_("term"))
    price = MoneyField(_("price without tax"))
    renewal_opens_at = models.DateTimeField(
        _("renewals from"), null=True, blank=True, help_text=_("Empty: nobody may renew before the others.")
    )
    opens_at = models.DateTimeField(_("sells from"))
    closes_at = models.DateTimeField(_("sells until"), null=True, blank=True)
    is_active = models.BooleanField(_("switched on"), default=True)

    class Meta:
        verbose_name = _("locker sale")
        verbose_name_plural = _("locker sales")
        ordering = ["area", "term__starts_on", "opens_at"]
        constraints = [
            models.UniqueConstraint(fields=["area", "term"], name="lockers_lockersale_once_per_term"),
            models.CheckConstraint(condition=Q(price__gte=0), name="lockers_lockersale_price_not_negative"),
            models.CheckConstraint(
                condition=Q(closes_at__isnull=True) | Q(closes_at__gt=F("opens_at")),
                name="lockers_lockersale_closes_after_opening",
            ),
            models.CheckConstraint(
                condition=Q(renewal_opens_at__isnull=True) | Q(renewal_opens_at__lte=F("opens_at")),
                name="lockers_lockersale_renewals_first",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.area} · {self.term}"
