"""Identity providers: where people sign in with the account of their own organisation."""

import pghistory
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models.people import UserType
from opscom.core.fields import TranslatedField


class Protocol(models.TextChoices):
    OIDC = "oidc", "OpenID Connect"
    SAML = "saml", "SAML 2.0"


@pghistory.track(exclude=["client_secret", "signing_key"])
class IdentityProvider(models.Model):
    """One organisation's sign-in, set up by the office. Its secrets are encrypted and never shown again."""

    code = models.SlugField(_("code in addresses"), max_length=40, unique=True)
    protocol = models.CharField(_("protocol"), max_length=4, choices=Protocol.choices)
    button_text = TranslatedField(_("text of the button"))
    is_on = models.BooleanField(_("offered on the sign-in page"), default=False)
    position = models.PositiveSmallIntegerField(pgettext_lazy("place in a list", "order"), default=0)
    # OpenID Connect
    server_url = models.URLField(_("issuer"), max_length=500, blank=True)
    client_id = models.CharField(_("client id"), max_length=250, blank=True)
    client_secret = models.BinaryField(null=True, blank=True)
    # SAML 2.0
    entity_id = models.CharField(_("entity id of the identity provider"), max_length=500, blank=True)
    metadata_url = models.URLField(_("address of its metadata"), max_length=500, blank=True)
    sign_in_url = models.URLField(_("its sign-in address"), max_length=500, blank=True)
    sign_out_url = models.URLField(_("its sign-out address"), max_length=500, blank=True)
    certificate = models.TextField(_("its certificate (PEM)"), blank=True)
    signing_certificate = models.TextField(_("our certificate (PEM)"), blank=True)
    signing_key = models.BinaryField(null=True, blank=True)
    # People
    user_type = models.ForeignKey(
        UserType, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("user type of its people")
    )
    user_type_attribute = models.CharField(_("attribute that decides the user type"), max_length=200, blank=True)
    trusted_domains = models.JSONField(
        _("e-mail domains that are its own"),
        default=list,
        blank=True,
        help_text=_("Only for an address in one of these does it vouch: such an address joins an account that exists."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("identity provider")
        verbose_name_plural = _("identity providers")
        ordering = ["position", "code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(protocol__in=Protocol.values), name="accounts_identityprovider_protocol_known"
            ),
            models.CheckConstraint(
                condition=~Q(is_on=True, protocol=Protocol.OIDC) | ~Q(server_url="") & ~Q(client_id=""),
                name="accounts_identityprovider_oidc_is_whole",
            ),
            models.CheckConstraint(
                condition=~Q(is_on=True, protocol=Protocol.SAML)
                | ~Q(entity_id="") & (~Q(metadata_url="") | ~Q(sign_in_url="") & ~Q(certificate="")),
                name="accounts_identityprovider_saml_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return str(self.button_text) or self.code


@pghistory.track()
class AttributeRule(models.Model):
    """An attribute (claim) of the identity provider fills a profile field at every sign-in."""

    identity_provider = models.ForeignKey(
        IdentityProvider, models.CASCADE, related_name="attribute_rules", verbose_name=_("identity provider")
    )
    attribute = models.CharField(_("attribute"), max_length=200)
    # A built-in profile field by its name, or one that the office made.
    field_name = models.CharField(_("profile field"), max_length=40)

    class Meta:
        verbose_name = _("attribute that fills a profile field")
        verbose_name_plural = _("attributes that fill profile fields")
        constraints = [
            models.UniqueConstraint(
                fields=["identity_provider", "field_name"], name="accounts_attributerule_field_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.attribute} → {self.field_name}"


@pghistory.track()
class UserTypeRule(models.Model):
    """A value of the deciding attribute gives a user type."""

    identity_provider = models.ForeignKey(
        IdentityProvider, models.CASCADE, related_name="user_type_rules", verbose_name=_("identity provider")
    )
    value = models.CharField(_("value of the attribute"), max_length=200)
    user_type = models.ForeignKey(UserType, models.PROTECT, related_name="+", verbose_name=_("user type"))

    class Meta:
        verbose_name = _("value that gives a user type")
        verbose_name_plural = _("values that give user types")
        constraints = [
            models.UniqueConstraint(fields=["identity_provider", "value"], name="accounts_usertyperule_value_once")
        ]

    def __str__(self) -> str:
        return f"{self.value} → {self.user_type}"
