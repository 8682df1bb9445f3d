"""What the office types about identity providers. Secrets go in, and never come out again."""

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.encoding import punycode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts.models import AttributeRule, FieldKind, IdentityProvider, ProfileField, Protocol, User
from accounts.profile import BUILT_IN
from accounts.sso.certificates import clean_certificate, clean_key
from accounts.sso.identity import EMAIL
from accounts.sso.selectors import is_in_use
from opscom.core.secrets import encrypt

DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.(?!-)[a-z0-9-]{1,63})+")
ADDRESSES = ("server_url", "metadata_url", "sign_in_url", "sign_out_url")
# What must be there before people are sent to it.
NEEDED = {Protocol.OIDC: ["server_url", "client_id"], Protocol.SAML: ["entity_id"]}
KEPT = gettext_lazy("Kept encrypted and never shown again. Empty: what is there stays.")


class SecretTextarea(UnfoldAdminTextareaWidget):
    """A text area that shows nothing, also when the form comes back with an error."""

    def format_value(self, value: Any) -> str:
        return ""


class DomainsField(forms.CharField):
    """E-mail domains, one on each line."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        domains = [punycode(line.strip().lower().lstrip("@")) for line in str(super().clean(value)).splitlines()]
        domains = list(dict.fromkeys(domain for domain in domains if domain))
        for domain in domains:
            if not DOMAIN.fullmatch(domain):
                raise ValidationError(_("%(domain)s is not a domain.") % {"domain": domain})
        return domains

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.prepare_value(initial or []) != "\n".join((data or "").split())


class IdentityProviderForm(forms.ModelForm):
    """One identity provider."""

    new_client_secret = forms.CharField(
        label=gettext_lazy("client secret"),
        required=False,
        max_length=500,
        help_text=KEPT,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
    )
    new_signing_key = forms.CharField(
        label=gettext_lazy("our private key (PEM)"),
        required=False,
        max_length=20_000,
        help_text=KEPT,
        widget=SecretTextarea(attrs={"autocomplete": "off", "rows": 4}),
    )
    trusted_domains = DomainsField(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))

    class Meta:
        model = IdentityProvider
        # The office's page says which.
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model_field = IdentityProvider._meta.get_field("trusted_domains")
        self.fields["trusted_domains"].label = capfirst(str(model_field.verbose_name))  # type: ignore[union-attr]
        self.fields["trusted_domains"].help_text = f"{model_field.help_text} {_('One on each line.')}"  # type: ignore[union-attr]

    def clean_certificate(self) -> str:
        return clean_certificate(self.cleaned_data["certificate"])

    def clean_signing_certificate(self) -> str:
        return clean_certificate(self.cleaned_data["signing_certificate"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.protocol = self.instance.protocol or data.get("protocol", "")
        if not self.protocol:
            return data
        self.check_addresses(data)
        self.check_identity(data)
        if data.get("is_on"):
            self.check_whole(data)
        if data.get("new_signing_key"):
            try:
                data["new_signing_key"] = clean_key(data["new_signing_key"], data.get("signing_certificate", ""))
            except ValidationError as error:
                self.add_error("new_signing_key", error)
        return data

    def check_addresses(self, data: dict[str, Any]) -> None:
        """Only https, unless this portal itself runs without, on somebody's own machine."""
        for name in ADDRESSES:
            scheme = urlsplit(data.get(name) or "").scheme
            if scheme and scheme != "https" and (scheme != "http" or settings.SITE_URL.startswith("https:")):
                self.add_error(name, _("This address must begin with https://."))

    def check_identity(self, data: dict[str, Any]) -> None:
        """Another organisation's names could be the same: its person 17 would open the account of ours."""
        name = NEEDED[Protocol(self.protocol)][0]
        is_known = self.instance.pk and name in self.changed_data and name in data
        if is_known and is_in_use(self.instance):
            self.add_error(name, _("People sign in by it already. For another one, make a new identity provider."))

    def check_whole(self, data: dict[str, Any]) -> None:
        """What is missing must be filled before it is offered."""
        missing = [name for name in NEEDED[Protocol(self.protocol)] if not data.get(name)]
        if self.protocol == Protocol.SAML and not data.get("metadata_url"):
            missing += [name for name in ("sign_in_url", "certificate") if not data.get(name)]
        for name in missing:
            if name not in self.errors:
                self.add_error(name, _("Needed before it can be offered on the sign-in page."))

    def save(self, commit: bool = True) -> Any:
        if secret := self.cleaned_data.get("new_client_secret"):
            self.instance.client_secret = encrypt(secret)
        if key := self.cleaned_data.get("new_signing_key"):
            self.instance.signing_key = encrypt(key)
        return super().save(commit)


class AttributeRuleForm(forms.ModelForm):
    """Which attribute fills which profile field."""

    field_name = forms.ChoiceField(label=gettext_lazy("profile field"), widget=UnfoldAdminSelectWidget)

    class Meta:
        model = AttributeRule
        fields = ["attribute", "field_name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["field_name"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = target_choices


def target_choices() -> list[tuple[str, Any]]:
    """Return what an attribute may fill: the address, the built-in fields, and the office's own."""
    labels = [(name, capfirst(str(_label(name)))) for name in (EMAIL, *(field.name for field in BUILT_IN))]
    own = [(row.name, str(row)) for row in ProfileField.objects.exclude(kind=FieldKind.BUILT_IN)]
    return [("", "—"), *labels, *own]


def _label(name: str) -> Any:
    return getattr(User._meta.get_field(name), "verbose_name", name)
