"""Receipts and statements as files."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.models.billing import Statement
from payments.models.orders import Order


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


class StatementDocument(models.Model):
    """A statement's PDF in one language. Made once: what a statement says is fixed when it is issued."""

    statement = models.ForeignKey(Statement, models.CASCADE, related_name="documents")
    language = models.CharField(max_length=10)
    file = models.FileField(upload_to="statements/")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("statement document")
        verbose_name_plural = _("statement documents")
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "language"], name="payments_statementdocument_once_per_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.statement_id} {self.language}"
