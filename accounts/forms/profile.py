"""What people type about themselves."""

from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from localflavor.ca.forms import CAPostalCodeField
from localflavor.us.forms import USZipCodeField

from accounts.forms.inputs import AddressField
from accounts.models import FieldGroup, User
from accounts.profile import COUNTRIES_WITH_REGIONS, make_form_field
from accounts.selectors import Asked, asked_fields, offered_languages
from accounts.sso.selectors import mapped_fields
from opscom.provider.selectors import get_provider

POSTAL_CODES: dict[str, type[forms.CharField]] = {"CA": CAPostalCodeField, "US": USZipCodeField}


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
        self.add_profile_fields(grey_out_mapped(asked, person, self.initial), languages)


def grey_out_mapped(asked: list[Asked], person: User, values: dict[str, Any]) -> list[Asked]:
    """Return the fields, those not editable that the person's identity provider has filled."""
    mapped = {name for name in mapped_fields(person) if str(values.get(name) or "").strip()}
    return [replace(one, is_editable=False) if one.name in mapped else one for one in asked]
