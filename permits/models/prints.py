"""A permit's PDF, and each time it was printed."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from permits.models.permits import Permit


class PermitDocument(models.Model):
    """A permit's PDF, made ahead of the click. `content_hash` tells when what it shows has changed."""

    permit = models.ForeignKey(Permit, models.CASCADE, related_name="documents")
    language = models.CharField(max_length=10)
    content_hash = models.CharField(max_length=64)
    file = models.FileField(upload_to="permits/")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("permit document")
        verbose_name_plural = _("permit documents")
        constraints = [
            models.UniqueConstraint(
                fields=["permit", "language", "content_hash"], name="permits_permitdocument_once_per_content"
            )
        ]

    def __str__(self) -> str:
        return self.content_hash[:12]


class PermitPrint(models.Model):
    """One print that was used: the same file may be fetched again for the provider's minutes."""

    permit = models.ForeignKey(Permit, models.CASCADE, related_name="prints")
    ordinal = models.PositiveSmallIntegerField(_("which print"))
    document = models.ForeignKey(PermitDocument, models.PROTECT, related_name="prints")
    printed_at = models.DateTimeField(_("printed"))
    printed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("print")
        verbose_name_plural = _("prints")
        ordering = ["-printed_at"]
        constraints = [
            models.UniqueConstraint(fields=["permit", "ordinal"], name="permits_permitprint_once_per_ordinal")
        ]

    def __str__(self) -> str:
        return f"{self.permit} {self.ordinal}"
