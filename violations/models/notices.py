"""What people were told about their tickets, and what was handed to a collection agency."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.money import MoneyField
from violations.models.tickets import Ticket


class NoticeKind(models.TextChoices):
    NEW = "new", _("New ticket")
    DISCOUNT_ENDS = "discount_ends", _("Discount ends")
    PAST_DUE = "past_due", _("Past due")


class NoticeWay(models.TextChoices):
    EMAIL = "email", _("E-mail")
    LETTER = "letter", _("Letter")


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Notices, narrowed to the letters that wait."""

    def to_print(self) -> "NoticeQuerySet":
        """Keep letters that are not printed yet."""
        return self.filter(way=NoticeWay.LETTER, printed_at=None)

    def deliverable(self) -> "NoticeQuerySet":
        """Keep those whose person has an address that the post can deliver to."""
        return self.filter(ADDRESS_IS_COMPLETE)


ADDRESS_IS_COMPLETE = ~Q(ticket__person__street="") & ~Q(ticket__person__city="") & ~Q(ticket__person__postal_code="")


class Notice(models.Model):
    """One notice about one ticket, once. A letter waits in the office's list until it is printed."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="notices", verbose_name=_("ticket"))
    kind = models.CharField(_("kind"), max_length=14, choices=NoticeKind.choices)
    way = models.CharField(_("way"), max_length=6, choices=NoticeWay.choices)
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    printed_at = models.DateTimeField(_("printed"), null=True, blank=True)
    printed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("printed by")
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["made_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "kind"], name="violations_notice_once_for_each_kind"),
            models.CheckConstraint(condition=Q(kind__in=NoticeKind.values), name="violations_notice_kind_known"),
            models.CheckConstraint(
                condition=Q(printed_at__isnull=True) | Q(way="letter"), name="violations_notice_printed_is_letter"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket}: {self.get_kind_display()}"


class CollectionExport(models.Model):
    """One file of tickets for the collection agency; it can be downloaded again, and its results are read back once."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("made by")
    )
    # What each ticket cost on the day of the file: [{"ticket": number, "amount": "50.00"}].
    rows = models.JSONField(default=list)
    total = MoneyField(_("sum"))

    class Meta:
        verbose_name = _("file for collections")
        verbose_name_plural = _("files for collections")
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(total__gte=0), name="violations_collectionexport_not_negative")
        ]

    def __str__(self) -> str:
        return self.code
