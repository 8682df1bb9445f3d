"""What is typed around one-time passwords. Whether a code is right is the service's to say."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.forms.inputs import password_field
from accounts.mfa.services import can_disable
from accounts.models import LoginSource, User

OFF, EMAIL, APP, RECOVERY = "off", "email", "app", "recovery"
CHOICES = {
    OFF: _("Disable MFA"),
    EMAIL: _("Enable One-Time Passwords"),
    APP: _("Use an authenticator app"),
    RECOVERY: _("Make new recovery codes"),
}


def code_field() -> forms.CharField:
    """Return the input for a code; phones offer the one that came by e-mail or stands in the password manager."""
    attrs = {"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
    return forms.CharField(label=_("One-Time Password"), max_length=40, widget=forms.TextInput(attrs=attrs))


class CodeForm(forms.Form):
    """The code after the sign-in."""

    code = code_field()


class AppForm(forms.Form):
    """The first code of a new authenticator app."""

    code = code_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code that the app shows")


class SettingsForm(forms.Form):
    """Current password and code, and below them what is to be asked from now on."""

    current_password = password_field(_("Current Password"), "current-password")
    code = code_field()
    choice = forms.ChoiceField(label=_("Multi-Factor Authentication"))

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        if not has_own_password(person):
            del self.fields["current_password"]
        field = self.fields["choice"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, CHOICES[name]) for name in offered_choices(person)]
        field.initial = person.mfa_method or EMAIL

    def clean_current_password(self) -> str:
        password = self.cleaned_data["current_password"]
        if not self.person.check_password(password):
            raise ValidationError(_("This is not your current password."))
        return str(password)


def has_own_password(person: User) -> bool:
    """Say whether there is a password to ask for: people who come by single sign-on have none here."""
    return person.login_source == LoginSource.LOCAL and person.has_usable_password()


def offered_choices(person: User) -> list[str]:
    """Return the picklist's entries: no `Disable MFA` where codes are required, no recovery codes where none are asked."""
    is_free = can_disable(person).is_allowed
    choices = [OFF] if is_free else []
    choices += [EMAIL, APP]
    return choices if is_free and not person.mfa_method else [*choices, RECOVERY]
