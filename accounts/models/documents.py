"""Files that people upload to their account, and what the office asks them for."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from opscom.core.codes import make_code
from opscom.core.uploads import RandomName


class RequestStatus(models.TextChoices):
    ASKED = "asked", _("Asked for")
    SENT = "sent", _("To be looked at")
    APPROVED = "approved", _("Approved")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("No longer needed")

    @classmethod
    def waiting(cls) -> list["RequestStatus"]:
        """Those that wait for the person or for the office."""
        return [cls.ASKED, cls.SENT, cls.DECLINED]


R = RequestStatus
REQUEST_MOVES: dict[str, frozenset[str]] = {
    R.ASKED: frozenset({R.SENT, R.WITHDRAWN}),
    R.SENT: frozenset({R.APPROVED, R.DECLINED, R.WITHDRAWN}),
    # A declined document is sent anew.
    R.DECLINED: frozenset({R.SENT, R.WITHDRAWN}),
    R.APPROVED: frozenset(),
    R.WITHDRAWN: frozenset(),
}


class DocumentRequestQuerySet(models.QuerySet["DocumentRequest"]):
    """Requests, narrowed by who may see them and by whom they wait for."""

    def visible_to(self, user: Any) -> "DocumentRequestQuerySet":
        """The office sees all by its permission; people see their own."""
        if user.is_authenticated and user.is_staff and user.has_perm("accounts.view_documentrequest"):
            return self
        return self.filter(person=user.pk)

    def waiting(self) -> "DocumentRequestQuerySet":
        """Those that are neither approved nor withdrawn."""
        return self.filter(status__in=R.waiting())


class DocumentRequest(models.Model):
    """What the office wants to see of somebody (proof of address, say), and how it judged what came."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    person = models.ForeignKey(
        "accounts.User", models.PROTECT, related_name="document_requests", verbose_name=_("person")
    )
    what = models.CharField(_("what is needed"), max_length=200)
    status = models.CharField(_("status"), max_length=10, choices=RequestStatus.choices, default=R.ASKED)
    reason = models.TextField(_("reason"), blank=True)
    asked_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    decided_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects = DocumentRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("document request")
        verbose_name_plural = _("document requests")
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=RequestStatus.values), name="accounts_documentrequest_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[R.APPROVED, R.DECLINED]) | Q(decided_at__isnull=False),
                name="accounts_documentrequest_decision_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status=R.DECLINED) | ~Q(reason=""), name="accounts_documentrequest_declined_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return self.what


class AccountDocumentQuerySet(models.QuerySet["AccountDocument"]):
    """Documents, narrowed to those whom somebody may see."""

    def visible_to(self, user: Any) -> "AccountDocumentQuerySet":
        """The office sees all by its permission; people see their own."""
        if user.is_authenticated and user.is_staff and user.has_perm("accounts.view_accountdocument"):
            return self
        return self.filter(person=user.pk)

    def living(self) -> "AccountDocumentQuerySet":
        """Those whose file was not removed."""
        return self.filter(removed_at__isnull=True)


class AccountDocument(models.Model):
    """One uploaded file. `name` is the sender's own, for showing only; the stored name is random."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    person = models.ForeignKey("accounts.User", models.PROTECT, related_name="documents", verbose_name=_("person"))
    request = models.ForeignKey(
        DocumentRequest,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="documents",
        verbose_name=_("asked for as"),
    )
    file = models.FileField(_("file"), upload_to=RandomName("documents"))
    name = models.CharField(_("name"), max_length=200)
    content_type = models.CharField(_("kind"), max_length=40)
    size = models.PositiveIntegerField(_("size in bytes"))
    uploaded_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    # The row stays when somebody removes a file; the file itself goes.
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)

    objects = AccountDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["-uploaded_at", "-pk"]

    def __str__(self) -> str:
        return self.name
