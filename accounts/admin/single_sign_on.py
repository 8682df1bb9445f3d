"""Identity providers: where people sign in with the account of their own organisation."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, URLField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from unfold.admin import TabularInline

from accounts.forms.single_sign_on import AttributeRuleForm, IdentityProviderForm
from accounts.models import AttributeRule, IdentityProvider, Protocol, UserTypeRule
from accounts.sso.certificates import is_expired
from accounts.sso.reaching import find_trouble
from accounts.sso.selectors import is_in_use
from opscom.core import audit
from opscom.core.admin import SettingAdmin

FIRST = (None, {"fields": ["protocol", "code", "button_text"]})
OIDC = {"fields": ["server_url", "client_id", "new_client_secret"]}
SAML = {"fields": ["entity_id", "metadata_url", "sign_in_url", "sign_out_url", "certificate"]}
OURS = {"fields": ["signing_certificate", "new_signing_key"], "classes": ["collapse"]}
PEOPLE = {"fields": ["user_type", "user_type_attribute", "trusted_domains"]}
OIDC_SIDE, SAML_SIDE = ["callback_address"], ["our_entity_id", "our_metadata", "acs_address", "sls_address"]


class AttributeRuleInline(TabularInline):
    """Attributes that fill profile fields."""

    model = AttributeRule
    form = AttributeRuleForm
    extra = 0


class UserTypeRuleInline(TabularInline):
    """Values that give user types; the first that fits decides."""

    model = UserTypeRule
    extra = 0
    ordering = ["pk"]


@admin.register(IdentityProvider)
class IdentityProviderAdmin(SettingAdmin):
    """Made with a name first; the page that follows says what the other side needs, and asks for theirs."""

    form = IdentityProviderForm
    list_display = ["name", "protocol", "is_on", "position"]
    list_display_links = ["name"]
    inlines = [AttributeRuleInline, UserTypeRuleInline]
    readonly_fields = [*OIDC_SIDE, *SAML_SIDE]

    @admin.display(description=gettext_lazy("text of the button"))
    def name(self, row: IdentityProvider) -> str:
        return str(row)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Take an address without its scheme for one with https."""
        if isinstance(db_field, URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: IdentityProvider | None = None) -> Any:
        """Show only what the protocol needs."""
        if obj is None:
            return [FIRST]
        is_saml = obj.protocol == Protocol.SAML
        name, fields = (_("SAML 2.0"), SAML) if is_saml else (_("OpenID Connect"), OIDC)
        first = (None, {"fields": [*FIRST[1]["fields"], "is_on", "position"]})
        other_side = (_("What the other side needs"), {"fields": SAML_SIDE if is_saml else OIDC_SIDE})
        people = [(_("People"), PEOPLE)]
        ours = [(_("Our signature, if it is asked for"), OURS)] if is_saml else []
        return [first, other_side, (name, fields), *people, *ours]

    def get_inlines(self, request: HttpRequest, obj: IdentityProvider | None = None) -> Any:
        return self.inlines if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: IdentityProvider | None = None) -> Any:
        """The code stands in the addresses that the other side knows, and names its people here."""
        return [*self.readonly_fields, "protocol", "code"] if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: IdentityProvider | None = None) -> bool:
        """Never while people sign in by it: a later one with the same code would let strangers into their accounts."""
        return super().has_delete_permission(request, obj) and obj is not None and not is_in_use(obj)

    @method_decorator(sensitive_post_parameters("new_client_secret", "new_signing_key"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the page with all the rest."""
        messages.success(request, _("Now tell the other side about us, and fill in what it says."))
        return redirect("admin:accounts_identityprovider_change", obj.pk)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save, then ask the other side: a mistake is better seen by the office than by everybody who wants to come in."""
        super().save_related(request, form, formsets, change)
        provider: IdentityProvider = form.instance
        if provider.user_type_rules.exists() and not provider.user_type_attribute:
            messages.warning(request, _("The user types have no effect: no attribute is named that decides them."))
        if is_expired(provider.certificate) or is_expired(provider.signing_certificate):
            messages.warning(request, _("A certificate has expired."))
        if provider.is_on and (trouble := find_trouble(provider)):
            messages.warning(request, trouble)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Write down which fields and which rules, too: they decide who becomes what."""
        deeds = [(deed, what) for part in message for deed, what in part.items()]
        fields = [name for _deed, what in deeds for name in what.get("fields", [])]
        rules = [f"{deed}: {what['object']}" for deed, what in deeds if "object" in what]
        return audit.record("identityprovider.changed", obj, actor=request.user, fields=fields, rules=rules)

    @admin.display(description=gettext_lazy("callback address (redirect URI)"))
    def callback_address(self, row: IdentityProvider) -> str:
        return address_of("openid_connect_callback", row)

    @admin.display(description=gettext_lazy("our entity id"))
    def our_entity_id(self, row: IdentityProvider) -> str:
        return address_of("saml_metadata", row)

    @admin.display(description=gettext_lazy("address of our metadata"))
    def our_metadata(self, row: IdentityProvider) -> str:
        return address_of("saml_metadata", row)

    @admin.display(description=gettext_lazy("where answers go (ACS, HTTP-POST)"))
    def acs_address(self, row: IdentityProvider) -> str:
        return address_of("saml_acs", row)

    @admin.display(description=gettext_lazy("where sign-outs go (SLS, HTTP-Redirect, signed)"))
    def sls_address(self, row: IdentityProvider) -> str:
        return address_of("saml_sls", row)


def address_of(name: str, row: IdentityProvider) -> str:
    """Return one of our addresses as the other side must know it."""
    return settings.SITE_URL + reverse(name, args=[row.code])
