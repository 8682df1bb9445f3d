"""What arrived in the demo: nobody outside gets anything."""

from django.db import models

from demo.bank.models import BankCard, BankCardPage, BankRefund, BankReport, BankSession

__all__ = ["BankCard", "BankCardPage", "BankRefund", "BankReport", "BankSession", "ReceivedMessage"]


class ReceivedMessage(models.Model):
    """One e-mail or SMS, as its receiver would see it. The outbox forgets secrets; an inbox does not."""

    channel = models.CharField(max_length=5, choices=[("email", "E-mail"), ("sms", "SMS")])
    to = models.CharField(max_length=254)
    sender = models.CharField(max_length=254, blank=True)
    message_id = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=998, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    # Each {"name", "type", "content" (base64)}: the demo's receipts and permits are small.
    attachments = models.JSONField(default=list, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["to", "-id"], name="demo_receivedmessage_to")]

    def __str__(self) -> str:
        return f"{self.subject or self.text[:60]} → {self.to}"
