"""The log of what happened."""

import pgtrigger
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One deed. Never changed and never deleted: a trigger in the database refuses both."""

    at = models.DateTimeField(_("at"), auto_now_add=True)
    action = models.CharField(_("action"), max_length=60)
    object_kind = models.CharField(_("kind"), max_length=60)
    object_id = models.BigIntegerField()
    object_label = models.CharField(_("record"), max_length=200)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("who")
    )
    actor_label = models.CharField(_("who, by name"), max_length=200, blank=True)
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("for")
    )
    facts = models.JSONField(_("facts"), default=dict, encoder=DjangoJSONEncoder)
    request_id = models.CharField(max_length=32, blank=True)

    class Meta:
        verbose_name = _("log entry")
        verbose_name_plural = _("log")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["object_kind", "object_id", "-at"], name="core_auditentry_object"),
            models.Index(fields=["actor", "-at"], name="core_auditentry_actor"),
            models.Index(fields=["on_behalf_of", "-at"], name="core_auditentry_for"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.action} {self.object_label}"
