"""Companies whose managers act for their people."""

from typing import Any

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models.addresses import PostalAddress
from opscom.core.codes import make_code


class CompanyQuerySet(models.QuerySet["Company"]):
    """Companies, narrowed to those whom somebody may see."""

    def visible_to(self, user: Any) -> "CompanyQuerySet":
        """The office sees all by its permission; a manager sees the active companies that were given to them."""
        if user.is_authenticated and user.is_staff and user.has_perm("accounts.view_company"):
            return self
        return self.managed_by(user)

    def managed_by(self, user: Any) -> "CompanyQuerySet":
        """Those in whose people's accounts this person may act: given to them by the office, and switched on."""
        return self.filter(is_active=True, managers__person=user.pk)


@pghistory.track()
class Company(PostalAddress):
    """An employer or tenant. The postal lines are the address of its invoices."""

    code = models.CharField(_("code"), max_length=12, unique=True, default=make_code, editable=False)
    name = models.CharField(_("name"), max_length=120, unique=True)
    account_number = models.CharField(_("account number"), max_length=40, null=True, blank=True, unique=True)
    contact_name = models.CharField(_("contact"), max_length=120, blank=True)
    contact_email = models.EmailField(_("contact's e-mail"), blank=True)
    contact_phone = PhoneNumberField(_("contact's phone"), blank=True)
    is_active = models.BooleanField(_("managers may act for its people"), default=True)
    created_at = models.DateTimeField(_("entered"), auto_now_add=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class CompanyManager(models.Model):
    """The office's word that somebody manages a company."""

    company = models.ForeignKey(Company, models.CASCADE, related_name="managers", verbose_name=_("company"))
    person = models.ForeignKey(
        "accounts.User", models.CASCADE, related_name="managed_companies", verbose_name=_("manager")
    )
    granted_at = models.DateTimeField(_("granted"), auto_now_add=True)

    class Meta:
        verbose_name = _("company manager")
        verbose_name_plural = _("company managers")
        constraints = [
            models.UniqueConstraint(fields=["company", "person"], name="accounts_companymanager_once_per_company")
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.company}"
