"""Where mail on paper goes."""

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _


class PostalAddress(models.Model):
    """The lines of an address on paper."""

    street = models.CharField(_("street address"), max_length=160, blank=True)
    unit = models.CharField(_("apartment or unit"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    region = models.CharField(_("province or state"), max_length=3, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=12, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)

    class Meta:
        abstract = True


@pghistory.track()
class MailingAddress(PostalAddress):
    """Where letters to a person go when not to the home address, which stands with the person."""

    person = models.OneToOneField(
        "accounts.User", models.CASCADE, related_name="mailing_address", verbose_name=_("person")
    )

    class Meta:
        verbose_name = _("mailing address")
        verbose_name_plural = _("mailing addresses")

    def __str__(self) -> str:
        return ", ".join(line for line in (self.street, self.city, self.region, self.postal_code) if line)
