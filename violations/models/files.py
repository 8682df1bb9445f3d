"""Files about tickets: the officer's photos, and the evidence of who appeals."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.uploads import RandomName
from violations.models.appeals import Appeal
from violations.models.tickets import Ticket


class StoredFile(models.Model):
    """A checked file. `name` is the sender's own, for showing only; the stored name is random."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    name = models.CharField(_("name"), max_length=200)
    content_type = models.CharField(_("kind"), max_length=40)
    size = models.PositiveIntegerField(_("size in bytes"))
    uploaded_at = models.DateTimeField(_("uploaded"), auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        return self.content_type.startswith("image/")


class TicketPhoto(StoredFile):
    """What the officer saw. Whoever may see the ticket may see it."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="photos", verbose_name=_("ticket"))
    file = models.FileField(_("file"), upload_to=RandomName("ticket-photos"))
    thumbnail = models.FileField(upload_to=RandomName("ticket-photos"), blank=True)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("taken by")
    )

    class Meta:
        verbose_name = _("photo of a ticket")
        verbose_name_plural = _("photos of tickets")
        ordering = ["uploaded_at", "pk"]


class EvidenceQuerySet(models.QuerySet["Evidence"]):
    """Evidence is its sender's; the office opens it on its own site, by its permission."""

    def visible_to(self, user: Any) -> "EvidenceQuerySet":
        """Keep what this person has sent, or is about to send."""
        return self.filter(person=user) if user.is_authenticated else self.none()


class Evidence(StoredFile):
    """What somebody sends with an appeal. Before the appeal is sent it waits beside the form, without `appeal`."""

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="evidence", verbose_name=_("ticket"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("sent by")
    )
    appeal = models.ForeignKey(
        Appeal, models.PROTECT, null=True, blank=True, related_name="evidence", verbose_name=_("appeal")
    )
    file = models.FileField(_("file"), upload_to=RandomName("evidence"))
    thumbnail = models.FileField(upload_to=RandomName("evidence"), blank=True)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        ordering = ["uploaded_at", "pk"]
