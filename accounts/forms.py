"""What people type to get in, and about themselves."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import get_default_password_validators, validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from localflavor.ca.forms import CAPostalCodeField
from localflavor.us.forms import USZipCodeField

from accounts.addresses import clean_email
from accounts.models import FieldGroup, User
from accounts.profile import COUNTRIES_WITH_REGIONS, make_form_field
from accounts.selectors import Asked, asked_fields, offered_languages
from opscom.provider.selectors import get_provider

# Far above any real password, far below what would cost time to hash.
LONGEST_PASSWORD = 256
POSTAL_CODES: dict[str, type[forms.CharField]] = {"CA": CAPostalCodeField, "US": USZipCodeField}


def password_field(label: Any, autocomplete: str) -> forms.CharField:
    """Return an input for a password: nothing is stripped from it, and browsers are told which one is meant."""
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, max_length=LONGEST_PASSWORD, widget=widget)


def password_help() -> str:
    """Return the rules in one line; the field's errors say which of them was broken."""
    lengths = [getattr(validator, "min_length", 0) for validator in get_default_password_validators()]
    text = _("At least %(count)d characters: not only digits, nothing common, nothing like your name or address.")
    return str(text) % {"count": max(lengths, default=0)}


class AddressField(forms.EmailField):
    """An e-mail address in the spelling that is stored."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("E-mail"))
        attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        super().__init__(max_length=254, widget=forms.EmailInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> str:
        address = clean_email(super().clean(value))
        # Once more: in ASCII a domain may be longer than it was typed.
        self.run_validators(address)
        return address


class SignInForm(forms.Form):
    """E-mail and password."""

    email = AddressField()
    password = password_field(_("Password"), "current-password")


class ReminderForm(forms.Form):
    """Where the link of `Forgot Password` goes."""

    email = AddressField(label=_("Your Email Address"))


class NewPasswordForm(forms.Form):
    """A new password, twice."""

    password = password_field(_("New password"), "new-password")
    password_again = password_field(_("New password, again"), "new-password")

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person
        self.fields["password"].help_text = password_help()

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        validate_password(password, self.person)
        return str(password)

    def clean(self) -> None:
        typed, again = self.cleaned_data.get("password"), self.cleaned_data.get("password_again")
        if typed and again and typed != again:
            self.add_error("password_again", _("The two passwords are not the same."))


class ResetPasswordForm(NewPasswordForm):
    """The page `Reset Password`: the address to which the link was sent, and the new password twice."""

    email = AddressField()
    field_order = ["email", "password", "password_again"]

    def clean_email(self) -> str:
        email = self.cleaned_data["email"]
        if email != self.person.contact_email:
            raise ValidationError(_("This link was sent to another e-mail address."))
        return str(email)


class ChangePasswordForm(NewPasswordForm):
    """The current password, and the new one twice."""

    current_password = password_field(_("Current Password"), "current-password")
    field_order = ["current_password", "password", "password_again"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password_again"].label = _("Confirm Password")

    def clean_current_password(self) -> str:
        password = self.cleaned_data["current_password"]
        if not self.person.check_password(password):
            raise ValidationError(_("This is not your current password."))
        return str(password)


class ProfileFieldsForm(forms.Form):
    """The profile fields that the provider asks for, in its order."""

    def add_profile_fields(self, asked: list[Asked], languages: list[tuple[str, str]]) -> None:
        """Add an input for each; a greyed-out one is disabled, so that whatever is posted for it is ignored."""
        self.asked = asked
        for one in asked:
            field = make_form_field(one.name, languages)
            field.required = one.is_required and one.name != "region"
            field.disabled = not one.is_editable
            self.fields[one.name] = field

    def clean(self) -> None:
        country = self.value_of("country")
        self.check_region(country)
        code = self.cleaned_data.get("postal_code")
        if code and country in POSTAL_CODES and not self.fields["postal_code"].disabled:
            try:
                self.cleaned_data["postal_code"] = POSTAL_CODES[country]().clean(code.upper())
            except ValidationError as error:
                self.add_error("postal_code", error)

    def check_region(self, country: str) -> None:
        """A region belongs to its country; where a country has none here, none is kept."""
        if "region" not in self.fields or self.fields["region"].disabled or "region" in self.errors:
            return
        region, known = self.cleaned_data.get("region"), COUNTRIES_WITH_REGIONS.get(country)
        is_required = any(one.name == "region" and one.is_required for one in self.asked)
        if country and known is None:
            self.cleaned_data["region"] = ""
        elif region and known and region not in known:
            self.add_error("region", _("This province or state is not in the country chosen."))
        elif is_required and not region:
            self.add_error("region", self.fields["region"].error_messages["required"])

    def value_of(self, name: str) -> str:
        """Return what was entered, or what is known where the field is not asked."""
        return str(self.cleaned_data.get(name, self.initial.get(name) or ""))

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return (heading, fields) for each group that asks for something."""
        shown = [(group, [self[one.name] for one in self.asked if one.group == group]) for group in FieldGroup]
        return [(str(group.label), fields) for group, fields in shown if fields]

    def profile(self) -> dict[str, Any]:
        """Return the cleaned values of the profile fields that may be changed."""
        return {one.name: self.cleaned_data[one.name] for one in self.asked if one.is_editable}


class RegistrationForm(ProfileFieldsForm):
    """`Create Account`: the address, and the profile questions asked at registration."""

    email = AddressField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The language was chosen on the way here.
        asked = [one for one in asked_fields() if one.is_asked_at_registration and one.name != "language"]
        self.add_profile_fields([one for one in asked if one.is_editable], [])


class ProfileForm(ProfileFieldsForm):
    """`Your Profile`."""

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        asked, languages = asked_fields(), offered_languages()
        names = {one.name for one in asked} | {"country"}
        kwargs["initial"] = {name: getattr(person, name) for name in names}
        kwargs["initial"]["country"] = person.country or get_provider().home_country
        super().__init__(*args, **kwargs)
        if len(languages) < 2:
            asked = [one for one in asked if one.name != "language"]
        self.add_profile_fields(asked, languages)
